"""Words of files to words of ours: `Closed-Won`, `P1` and `Cancelled` are not what our fields are made of."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from domain.mapping import FACTS
from domain.vocabulary import Channel, ContactRole, Direction

_SUBSCRIPTION = {
    "trialing": ("trial", "trialing", "in trial"),
    "active": ("active", "live", "current", "running"),
    "past_due": ("past due", "overdue", "delinquent"),
    "unpaid": ("unpaid",),
    "canceled": ("canceled", "cancelled", "churned", "ended", "expired", "inactive"),
}
KNOWN: Mapping[tuple[str, str], Mapping[str, Sequence[str]]] = {
    ("customer", "status"): {
        "trial": ("trial", "trialing", "prospect", "evaluation"),
        "active": ("active", "customer", "live", "paying", "current", "onboarding"),
        "churned": ("churned", "cancelled", "canceled", "lost", "inactive", "former", "closed"),
    },
    ("subscription", "status"): _SUBSCRIPTION,
    ("ticket", "priority"): {
        "low": ("low", "p4", "p5", "minor", "trivial", "4", "5"),
        "medium": ("medium", "normal", "p3", "moderate", "standard", "3"),
        "high": ("high", "p2", "major", "2"),
        "urgent": ("urgent", "critical", "p1", "p0", "blocker", "emergency", "1"),
    },
    ("invoice", "status"): {
        "open": ("open", "unpaid", "due", "sent", "past due", "overdue", "pending", "outstanding"),
        "paid": ("paid", "settled", "complete", "completed"),
        "void": ("void", "voided", "cancelled", "canceled", "credited"),
        "uncollectible": ("uncollectible", "written off", "bad debt"),
    },
    ("meeting", "kind"): {
        "qbr": ("qbr", "ebr", "business review", "quarterly business review"),
        "executive": ("executive", "executive meeting", "sponsor"),
        "check_in": ("check in", "checkin", "sync", "weekly", "monthly"),
        "other": ("other", "demo", "training", "kickoff", "workshop", "call", "meeting"),
    },
    ("meeting", "answer"): {
        "accepted": ("accepted", "yes", "attending"),
        "declined": ("declined", "no"),
        "tentative": ("tentative", "maybe"),
    },
    ("touchpoint", "direction"): {
        "out": ("out", "outbound", "outgoing", "sent"),
        "in": ("in", "inbound", "incoming", "received"),
    },
    ("touchpoint", "channel"): {
        "email": ("email", "e mail", "mail"),
        "call": ("call", "phone", "phone call"),
        "meeting": ("meeting", "video", "zoom", "onsite", "demo"),
        "note": ("note", "task", "other", "linkedin"),
        "chat": ("chat", "slack", "message", "intercom", "sms", "whatsapp"),
        "in_app": ("in app", "prompt"),
    },
    ("contact", "roles"): {
        "champion": ("champion", "advocate", "power user", "main contact", "primary"),
        "executive_sponsor": (
            "executive sponsor",
            "executive",
            "sponsor",
            "decision maker",
            "ceo",
            "cto",
            "vp",
        ),
        "admin": ("admin", "administrator", "owner"),
        "billing": ("billing", "finance", "accounting", "procurement"),
        "end_user": ("end user", "user", "member", "viewer", "other"),
    },
}
_OTHERWISE = {
    ("contact", "roles"): "end_user",
    ("meeting", "kind"): "other",
    ("touchpoint", "channel"): "note",
}
"""What a word means that nobody knows; without an entry its row goes to quarantine."""


def allowed_words(kind: str, field: str) -> tuple[str, ...]:
    """Return the words that a field takes, none where it takes any text."""
    enumerated = {
        ("contact", "roles"): ContactRole,
        ("touchpoint", "channel"): Channel,
        ("touchpoint", "direction"): Direction,
    }
    if (kind, field) in enumerated:
        return tuple(enumerated[kind, field])
    if field not in FACTS[kind].model_fields:
        return ()
    return _literals(FACTS[kind].model_fields[field].annotation)


def _literals(annotation: Any) -> tuple[str, ...]:
    inner = get_args(annotation)
    if inner and all(isinstance(one, str) for one in inner):
        return inner
    return next((found for one in inner if (found := _literals(one))), ())


def word_map(kind: str, field: str, words: Sequence[str]) -> dict[str, str] | None:
    """Return what each word of a column means, None where the words can stay as they are."""
    allowed = allowed_words(kind, field)
    if not allowed or (words and set(words) <= set(allowed)):
        return None
    meanings = {alias: word for word, aliases in KNOWN.get((kind, field), {}).items() for alias in aliases}
    meanings |= {word.replace("_", " "): word for word in allowed}
    other = _OTHERWISE.get((kind, field))
    found = {word: meanings.get(_plain(word), other) for word in words}
    spelled = {word: word for word in allowed}
    return spelled | {word: meaning for word, meaning in found.items() if meaning is not None}


def _plain(word: str) -> str:
    return " ".join(word.lower().replace("_", " ").replace("-", " ").split())
