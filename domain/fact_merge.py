"""What a second telling of the same fact does: nothing, moves it forward, or contradicts it.

The rules, and why, are in docs/decisions/0020-facts-move-forward.md. `fixed` fields make the content hash and
never change. `filled` ones go from unknown to a value once. `latest` ones follow whoever was known later.
`rising` numbers and `ranked` words only go up. A telling that says nothing of a field changes nothing.
"""

import datetime as dt
import enum
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.facts import FactBase
from domain.time import BusinessInstant, as_utc

Values = Mapping[str, Any]
NOT_LATER = "and not later"
"""How the reason of a clash ends where the other telling was the newer one."""


@dataclass(frozen=True)
class MergeRule:
    """How each field of one type of fact may move."""

    fixed: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    latest: tuple[str, ...] = ()
    rising: tuple[str, ...] = ()
    ranked: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)
    """Which field says when a filled field was known."""
    derived: Mapping[str, str] = field(default_factory=dict)
    """Filled fields that we may have read ourselves, and which field says so: another reading is no news."""
    reopened_by: str | None = None
    reopens: tuple[str, ...] = ()
    """Filled fields that start anew when the number `reopened_by` rises."""


@dataclass(frozen=True)
class Clash:
    """The first field in which two tellings contradict each other."""

    field: str
    reason: str


_TICKET = MergeRule(
    fixed=("customer", "contact", "subject", "opened_at"),
    filled=("first_responded_at", "resolved_at", "sentiment", "sentiment_by"),
    latest=("priority", "first_response_due_at", "resolve_due_at", "satisfaction"),
    rising=("reopened", "escalated"),
    known={"resolved_at": "resolved_known_at", "satisfaction": "satisfaction_known_at"},
    derived={"sentiment": "sentiment_by"},
    reopened_by="reopened",
    reopens=("resolved_at",),
)
_INVOICE = MergeRule(
    fixed=("customer", "number", "currency", "amount_due_minor", "issued_at", "due_at"),
    filled=("paid_at",),
    rising=("amount_paid_minor", "failed_attempts"),
    ranked={"status": {"open": 0, "uncollectible": 1, "void": 2, "paid": 3}},
    known={"paid_at": "paid_known_at"},
)
_SUBSCRIPTION = MergeRule(
    fixed=(
        "customer",
        "product",
        "plan",
        "mrr_minor",
        "currency",
        "seats",
        "is_trial",
        "discount",
        "billing_months",
        "started_at",
    ),
    filled=("ended_at",),
    latest=("status", "auto_renew"),
    known={"ended_at": "ended_known_at"},
)
RULES: Mapping[str, MergeRule] = {
    "customer": MergeRule(
        filled=("started_at", "onboarded_at", "first_value_at"),
        latest=(
            "name",
            "domain",
            "industry",
            "country",
            "time_zone",
            "employees",
            "plan",
            "status",
            "renewal_on",
            "arr_minor",
            "currency",
            "csm_email",
            "sales_owner_email",
        ),
    ),
    "contact": MergeRule(filled=("left_at",), latest=("name", "email", "department", "locale", "time_zone")),
    "subscription": _SUBSCRIPTION,
    "ticket": _TICKET,
    "survey": MergeRule(fixed=("customer", "contact", "kind", "score", "comment", "responded_at")),
    "meeting": MergeRule(
        fixed=("customer", "kind"),
        filled=("held_at", "cancelled_at"),
        latest=("title", "scheduled_at", "answer", "answered_at"),
    ),
    "goal": MergeRule(
        fixed=("customer",),
        filled=("achieved_at",),
        latest=("title", "metric", "target", "due_on", "progress"),
    ),
    "invoice": _INVOICE,
    "touchpoint": MergeRule(
        fixed=(
            "customer",
            "contact",
            "direction",
            "channel",
            "purpose",
            "subject",
            "user_email",
            "occurred_at",
        )
    ),
    "cancellation": MergeRule(
        fixed=("customer", "occurred_at", "reason", "comment", "involuntary", "reactivated")
    ),
}
"""One rule per type of fact; usage has none, since all of it is fixed and it is compared set-wise."""


def stable(value: object) -> object:
    """Return a value whose `repr` is the same for equal content (instants in UTC, enumerations as words)."""
    if isinstance(value, dt.datetime):
        return as_utc(value).isoformat()
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def content_hash(fact: FactBase, rule: MergeRule) -> str:
    """Return the hash of what may never change of this fact."""
    content = (fact.fingerprint, *(stable(getattr(fact, name)) for name in rule.fixed))
    return hashlib.blake2b(repr(content).encode(), digest_size=16).hexdigest()


def known_latest(rule: MergeRule, values: Values, known_at: BusinessInstant) -> BusinessInstant:
    """Return when the newest of what this telling says was known."""
    later: Iterator[BusinessInstant | None] = (values.get(name) for name in rule.known.values())
    return max([known_at, *(instant for instant in later if instant is not None)])


def with_known(rule: MergeRule, values: Values, known_at: BusinessInstant) -> dict[str, Any]:
    """Give every filled field a time at which it was known: at its own instant, but not before the fact."""
    completed = dict(values)
    for name, known in rule.known.items():
        value = completed.get(name)
        if value is None:
            completed[known] = None
        elif completed.get(known) is None:
            completed[known] = max(known_at, value) if isinstance(value, dt.datetime) else known_at
    return completed


def merge(rule: MergeRule, old: Values, new: Values, *, is_later: bool) -> dict[str, Any] | Clash:
    """Return the columns that this telling changes (none for a duplicate), or the contradiction."""
    changes: dict[str, Any] = {}
    reopened = rule.reopened_by is not None and new[rule.reopened_by] > old[rule.reopened_by]
    if reopened:
        changes |= {name: new[name] for name in rule.reopens}
    for name in rule.filled:
        if name not in changes and _differs(old, new, name) and not _is_reading(rule, old, new, name):
            if old[name] is not None:
                return Clash(name, f"was told as {stable(old[name])}, now as {stable(new[name])}")
            changes[name] = new[name]
    for name in rule.latest:
        if _differs(old, new, name):
            if old[name] is not None and not is_later:
                reason = f"was told as {stable(old[name])}, now as {stable(new[name])}, {NOT_LATER}"
                return Clash(name, reason)
            changes[name] = new[name]
    changes |= _raised(rule, old, new)
    changes |= {known: new[known] for name, known in rule.known.items() if name in changes}
    return changes


def _differs(old: Values, new: Values, name: str) -> bool:
    return new[name] is not None and new[name] != old[name]


def _is_reading(rule: MergeRule, old: Values, new: Values, name: str) -> bool:
    """Tell whether either telling of a known field was only read from its text by a model."""
    pairs = [(value, by) for value, by in rule.derived.items() if name in {value, by}]
    return any(old[value] is not None and bool(old[by] or new[by]) for value, by in pairs)


def _raised(rule: MergeRule, old: Values, new: Values) -> dict[str, Any]:
    risen = {name: new[name] for name in rule.rising if new[name] > old[name]}
    for name, ranks in rule.ranked.items():
        if ranks[new[name]] > ranks[old[name]]:
            risen[name] = new[name]
    return risen
