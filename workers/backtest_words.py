"""Says a backtest for people who read a terminal."""

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
CUTS = {"tier": "tier high or critical", "capacity": "within capacity"}


def shown(found: Document) -> str:
    """Return a backtest in a few lines."""
    head = (
        f"{found['model']}, {found['from']} to {found['to']} by the {found['every']}: "
        f"{found['looks']:,} looks at {found['customers']:,} customers, {found['departures']} of whom left; "
        f"outcomes are known for days up to {found['matured_until'] or 'none of them'}"
    )
    lines = [head]
    if found["has_seen"]:
        lines.append(f"  NOT A PROOF: {found['note']}. It knows what it is asked to foretell.")
    lines += [f"  from {one['since']}: {one['model']} ({one['why']})" for one in found["stages"]]
    for cut, one in found["cuts"].items():
        lines += _cut(CUTS[cut] + (f" ({found['room']} customers)" if cut == "capacity" else ""), one)
    months = found["calibration"]["months"]
    if months:
        looks = sum(one["looks"] for one in months)
        predicted, observed = (
            sum(one[name] * one["looks"] for one in months) / looks for name in ("predicted", "observed")
        )
        lines.append(f"  calibration: {predicted:.1%} foretold on average, {observed:.1%} left")
    if "id" in found:
        lines.append(f"  filed: /backtests/{found['id']}")
    return "\n".join(lines)


def _cut(name: str, one: Document) -> list[str]:
    lead, alarms = one["lead"], one["false_alarms"]
    lines = [f"  flagged: {name}", *(f"    {_precision(said)}" for said in one["precision"])]
    lines.append(f"    {_lead('those who left', lead)}")
    for title, groups in lead["by"].items():
        if title in {"pace", "group"}:
            lines += [f"      {_lead(f'{title} {group}', summary)}" for group, summary in groups.items()]
    lines += [
        f"    revenue of those who left, flagged {one['days_before']} days before: {_share(one['share'])} of "
        f"{one['lost_mrr_minor'] / 100:,.0f} {one['currency']} a month"
        for one in lead["revenue"]
    ]
    if alarms["runs"]:
        lines.append(
            f"    false alarms: {alarms['false']} of {alarms['runs']} runs of flags, "
            f"{alarms['per_100_customers_a_month']:.1f} per 100 customers a month"
        )
    return lines


def _precision(said: Document) -> str:
    precision, base, lift = said["precision"], said["base_rate"], said["lift"]
    if precision["value"] is None or lift["value"] is None:
        return f"within {said['days']} days: nobody was flagged, or no outcome is known yet"
    return (
        f"within {said['days']} days: {precision['value']:.1%} of the flagged left "
        f"({precision['low']:.1%} to {precision['high']:.1%}), {lift['value']:.1f} times the base rate of "
        f"{base['value']:.1%}; {_share(said['recall'])} of departures, "
        f"flagging {_share(said['flagged_share'])}"
    )


def _lead(who: str, summary: Document) -> str:
    marks = ", ".join(
        f"{days} days {_share(one['share'])}" for days, one in summary["flagged"].items() if one["of"]
    )
    held = summary["held"]["90"]
    return (
        f"{who} ({summary['departures']}): flagged before their end by {marks or 'nothing known'}; "
        f"90 days and ever since {_share(held['share'])}"
    )


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0%}"
