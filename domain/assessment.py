"""The verdict in words: a status for every customer, one sentence why, what changed, what to do."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain import next_actions
from domain.features import CustomerFeatures
from domain.health import SCORES, HealthVerdict, trend_word
from domain.risk import Driver, RiskVerdict
from domain.time import BusinessInstant
from domain.vocabulary import HealthComponent, HealthStatus
from domain.wording import day, listed, sentence

CLAUSES = 2
"""One sentence names so many reasons at most."""
NOTABLE = 5
"""Points of a component's score from which a change is told."""
NAMES: dict[HealthComponent, str] = {
    HealthComponent.USAGE: "use",
    HealthComponent.ADOPTION: "adoption",
    HealthComponent.SUPPORT: "support",
    HealthComponent.SENTIMENT: "sentiment",
    HealthComponent.RELATIONSHIP: "the relationship",
    HealthComponent.COMMERCIAL: "the contract",
    HealthComponent.OUTCOMES: "goals",
}


@dataclass(frozen=True, slots=True)
class Override:
    """A person's own verdict on health; it holds until its expiry."""

    status: HealthStatus
    until: BusinessInstant | None
    by: str = ""
    reason: str = ""

    def holds_at(self, now: BusinessInstant) -> bool:
        """Tell whether it still holds."""
        return self.until is None or self.until > now


@dataclass(frozen=True, slots=True)
class Previous:
    """The assessment before this one."""

    components: Mapping[str, Mapping[str, Any]]
    inputs_hash: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """One verdict with everything that it rests on."""

    health_status: HealthStatus
    limited_since: dt.date | None
    reason: str
    changes: tuple[dict[str, Any], ...]
    next_best_action: str
    components: dict[str, dict[str, Any]]
    data_on: dt.date | None
    inputs_hash: str


def assess(
    features: CustomerFeatures,
    health: HealthVerdict,
    risk: RiskVerdict,
    override: Override | None,
    previous: Previous | None,
) -> Assessment:
    """Put the verdict into words. There is always one, however little is known."""
    held = override if override is not None and override.holds_at(features.as_of) else None
    status = health.status if held is None else held.status
    limited_since = _limited_since(features, health) if health.limited else None
    since = None if limited_since is None else day(limited_since, features.as_of.date())
    changes = _changes(health, previous)
    return Assessment(
        health_status=status,
        limited_since=limited_since,
        reason=_by_hand(held, health, features.as_of) + _reason(health, risk, changes, since),
        changes=changes,
        next_best_action=_next_best_action(health, risk),
        components={name.value: part.document() for name, part in health.components.items()},
        data_on=features.data_on,
        inputs_hash=_inputs_hash(status, health, risk, limited_since, held),
    )


def _limited_since(features: CustomerFeatures, health: HealthVerdict) -> dt.date:
    """Return the last day on which the heaviest component that is missing now was heard of."""
    for component in _missing(health):
        days = [last for kind in SCORES[component][0] if (last := features.fresh(kind).last_on)]
        if days:
            return max(days)
    return features.known_on


def _missing(health: HealthVerdict) -> list[HealthComponent]:
    return [component for component, part in health.components.items() if part.limited]


def _changes(health: HealthVerdict, previous: Previous | None) -> tuple[dict[str, Any], ...]:
    """Return what is different from the assessment before, the largest change first."""
    if previous is None:
        return ()
    found = []
    for component, part in health.components.items():
        before = previous.components.get(component.value, {})
        was, now = before.get("score"), part.score
        moved = abs((now or 0) - (was or 0)) if was is not None and now is not None else None
        if before.get("status") == part.status.value and (moved is None or moved < NOTABLE):
            continue
        found.append(_change(component, before, part.score, part.status.value))
    return tuple(sorted(found, key=lambda change: -abs((change["to"] or 0) - (change["from"] or 0))))


def _change(
    component: HealthComponent, before: Mapping[str, Any], score: int | None, status: str
) -> dict[str, Any]:
    was, was_status = before.get("score"), before.get("status", "unknown")
    return {
        "component": component.value,
        "from": was,
        "to": score,
        "from_status": was_status,
        "to_status": status,
        "sentence": sentence(f"{NAMES[component]} went from {was_status} to {status}")
        if was_status != status
        else sentence(f"{NAMES[component]} moved from {was} to {score} of 100"),
    }


def _reason(
    health: HealthVerdict,
    risk: RiskVerdict,
    changes: Iterable[Mapping[str, Any]],
    since: str | None,
) -> str:
    clauses = _clauses(risk.drivers, [str(change["component"]) for change in changes])
    text = listed(clauses) if clauses else _calm(health)
    if since is not None:
        known = f"; {text}" if clauses else ""
        return sentence(f"limited data since {since}{known}")
    return sentence(text)


def _by_hand(held: Override | None, health: HealthVerdict, as_of: BusinessInstant) -> str:
    """Say who set the status, until when and why, and what the rules say beside it."""
    if held is None:
        return ""
    who = f" by {held.by}" if held.by else ""
    until = f" until {day(held.until.date(), as_of.date())}" if held.until else ""
    why = f" ({held.reason.rstrip('.')})" if held.reason else ""
    by_rules = f"the rules say {_word(health.status)}, {health.score} of 100"
    return sentence(f"set by hand{who} to {_word(held.status)}{until}{why}; {by_rules}") + " "


def _word(status: HealthStatus) -> str:
    return status.value.replace("_", " ")


def _clauses(drivers: Iterable[Driver], changed: list[str]) -> list[str]:
    """Return the reasons of the components that changed most first, then the heaviest, one per family."""
    bad = [driver for driver in drivers if driver.points > 0]
    rank = {component: place for place, component in enumerate(changed)}
    ordered = sorted(bad, key=lambda driver: (rank.get(driver.family.value, len(rank)), -driver.points))
    best = {driver.family: driver for driver in reversed(ordered)}
    chosen = [driver for driver in ordered if best[driver.family] is driver]
    return [driver.sentence for driver in chosen[:CLAUSES]]


def _calm(health: HealthVerdict) -> str:
    """Say what goes well, or at least as usual."""
    known = [(component, part) for component, part in health.components.items() if part.score is not None]
    if not known:
        return "nothing is known yet"
    rising = [NAMES[component] for component, part in known if trend_word(part.trend) == "up"]
    if rising:
        return f"{listed(rising[:CLAUSES])} improved over the last 30 days and nothing stands out as a risk"
    heavy = sorted(known, key=lambda item: -item[1].weight)[:3]
    return f"{listed([NAMES[component] for component, _part in heavy])} are at this customer's usual level"


def _next_best_action(health: HealthVerdict, risk: RiskVerdict) -> str:
    main = next((driver for driver in risk.drivers if driver.points > 0), None)
    if main is not None:
        return next_actions.BY_DRIVER.get(main.key, next_actions.BY_FAMILY[main.family])
    if health.limited:
        return next_actions.LIMITED
    return next_actions.GROWING if health.status is HealthStatus.THRIVING else next_actions.QUIET


def _inputs_hash(
    status: HealthStatus,
    health: HealthVerdict,
    risk: RiskVerdict,
    limited_since: dt.date | None,
    held: Override | None,
) -> str:
    """Hash what the verdict's words rest on: status words and reasons, not every point of every score."""
    inputs = {
        "status": status.value,
        "overruled": held is not None,
        "components": {name.value: part.status.value for name, part in health.components.items()},
        "tier": risk.churn_risk_tier.value,
        "drivers": [driver.key for driver in risk.drivers if driver.points > 0][:CLAUSES],
        "limited_since": limited_since.isoformat() if limited_since else None,
    }
    if held is not None:
        inputs |= {"rules": health.status.value, "by": [held.by, held.reason, str(held.until)]}
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:32]
