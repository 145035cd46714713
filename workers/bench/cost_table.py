"""The cost of a year as lines for people: per part of the mix, and per type of event."""

from collections.abc import Iterable
from typing import Any

from workers.bench.report import Report

NAIVE = "naive"


def table(report: Report) -> Iterable[str]:
    """Return the lines; what an event costs nothing is told too."""
    yield f"{'per customer and year':<52}{'actions':>9}{'events':>9}{'KB':>8}"
    rows = {**report.figures["parts"], "all": report.figures, NAIVE: _without(report.limits, "naive_")}
    for name, found in rows.items():
        cells = [found[f"{word}_per_customer_year"] for word in ("actions", "events", "kb")]
        yield f"{name:<52}{cells[0]:>9}{cells[1]:>9}{cells[2]:>8}"
    yield ""
    for name, count in report.figures["activities_by_reason"].items():
        yield f"{name:<52}{count:>9}"
    yield ""
    for name, count in report.figures["events_by_type"].items():
        yield f"{name:<52}{report.figures['actions_by_event'].get(name, 0):>9}{count:>9}"


def _without(found: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in found.items()}
