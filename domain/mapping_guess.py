"""What a dropped file probably is: which kind of fact, and which column means what, with how sure we are.

Names weigh most, what the cells look like confirms or refuses. Nothing here decides: a person does.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.column_profiles import Profile
from domain.mapping_targets import FILE_WORDS, TARGETS, Target

SURE, LIKELY = 0.85, 0.6
"""From here on a guess is called sure, or likely."""
_EXACT, _WITHIN, _SIMILAR, _BY_CONTENT = 0.85, 0.62, 0.55, 0.45
_CLOSE = 0.86
_CONFIRMED = 0.14
_HALLMARK = 0.45
"""Weight of the file's name beside the columns."""
HALLMARKS: Mapping[str, tuple[str, ...]] = {
    "customer": ("name", "arr_minor", "renewal_on", "domain", "industry", "employees", "plan"),
    "contact": ("email", "roles", "first_name", "last_name", "department"),
    "subscription": ("mrr_minor", "seats", "auto_renew", "billing_months", "ended_at", "plan"),
    "usage": ("feature", "quantity", "users"),
    "ticket": ("opened_at", "priority", "resolved_at", "escalated", "subject"),
    "survey": ("score", "comment", "responded_at"),
    "meeting": ("scheduled_at", "title", "answer", "held_at"),
    "goal": ("title", "target", "progress", "due_on", "metric"),
    "invoice": ("amount_due_minor", "due_at", "paid_at", "number"),
    "touchpoint": ("direction", "channel", "user_email"),
    "cancellation": ("reason", "reactivated", "involuntary"),
}
"""Fields that few other kinds have."""

_INSTEAD: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("subscription", "mrr_minor"): ("arr_minor",),
    ("subscription", "arr_minor"): ("mrr_minor",),
    ("contact", "name"): ("first_name", "last_name"),
}
"""What one field says already."""


@dataclass(frozen=True)
class FieldGuess:
    """What one column seems to mean, and why."""

    field: str
    confidence: float
    why: str


@dataclass(frozen=True)
class Guess:
    """What a file seems to be."""

    kind: str
    confidence: float
    fields: Mapping[str, FieldGuess]
    """By column; a column that means nothing to us is missing."""


def guess(filename: str, columns: Sequence[Profile]) -> Guess:
    """Return the likeliest kind with its columns."""
    found = {kind: guess_fields(kind, columns) for kind in TARGETS}
    scores = {kind: _score(kind, fields, filename, len(columns)) for kind, fields in found.items()}
    best = max(scores, key=lambda kind: scores[kind])
    second = max((score for kind, score in scores.items() if kind != best), default=0.0)
    lead = scores[best] / (scores[best] + second) if scores[best] else 0.0
    return Guess(best, round(min(1.0, max(0.0, 2 * lead - 0.3)), 2), found[best])


def _score(kind: str, fields: Mapping[str, FieldGuess], filename: str, columns: int) -> float:
    """Return how much speaks for a kind: its own fields, what it needs, the file's name."""
    filled = {one.field: one.confidence for one in fields.values()}
    own = sum(filled.get(name, 0.0) for name in HALLMARKS[kind])
    covered = sum(filled.values()) / max(columns, 1)
    needed = [target.field for target in TARGETS[kind] if target.required]
    has = sum(1 for name in needed if filled.get(name, 0.0) >= _BY_CONTENT) / max(len(needed), 1)
    if kind == "customer" and "customer" in (one.field for one in fields.values()):
        has = 0.0
    stem = filename.lower().rsplit(".", 1)[0]
    named = _HALLMARK if any(word in stem for word in FILE_WORDS[kind]) else 0.0
    return (0.35 * min(own, 4.0) + covered + named * 2) * (0.15 + 0.85 * has**2)


def guess_fields(kind: str, columns: Sequence[Profile]) -> dict[str, FieldGuess]:
    """Return what each column means if the file is of this kind: each field once, the best pair first."""
    pairs = [
        (column, target, found)
        for column in columns
        for target in TARGETS[kind]
        if target.synonyms != ("",) and (found := match(kind, column, target)) is not None
    ]
    pairs.sort(key=lambda pair: -pair[2].confidence)
    chosen: dict[str, FieldGuess] = {}
    taken: set[str] = set()
    for column, target, found in pairs:
        if column.name not in chosen and target.field not in taken:
            chosen[column.name] = found
            taken |= {target.field, *_INSTEAD.get((kind, target.field), ())}
    return chosen | _counts(kind, columns, chosen)


def _counts(kind: str, columns: Sequence[Profile], chosen: Mapping[str, FieldGuess]) -> dict[str, FieldGuess]:
    """Read wide usage files: without a column of features, each number counts a feature of its own."""
    fields = {one.field for one in chosen.values()}
    if kind != "usage" or "feature" in fields:
        return {}
    spare = [column for column in columns if column.is_number and column.name not in chosen]
    if len(spare) < 2 and "quantity" in fields:  # noqa: PLR2004  one number is a quantity
        return {}
    why = "a number, and the file names no feature"
    return {column.name: FieldGuess("count_of", LIKELY, why) for column in spare}


def match(kind: str, column: Profile, target: Target) -> FieldGuess | None:
    """Return how well a column fits a field, or None."""
    named, why = _by_name(kind, words_of(column.name), target)
    fits = _fits(column, target)
    if fits is False:
        return None
    if named == 0.0:
        is_telling = target.expects in {"email", "domain", "currency"} and target.expects in column.traits
        return FieldGuess(target.field, _BY_CONTENT, "what its cells look like") if is_telling else None
    confidence = named + (_CONFIRMED if fits else 0.0)
    return FieldGuess(target.field, round(min(confidence, 0.99), 2), why + (" and cells" if fits else ""))


def words_of(name: str) -> str:
    """Return a column's name as lower-case words: `accountID` and `Account-Id` are both `account id`."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[a-z0-9]+", split.lower()))


def _by_name(kind: str, words: str, target: Target) -> tuple[float, str]:
    bare = words.removeprefix(f"{kind} ")
    for place, synonym in enumerate(target.synonyms):
        if synonym in (words, bare):
            return _EXACT - 0.012 * min(place, 10), "its name"
    if any(len(one) > 3 and f" {one} " in f" {words} " for one in target.synonyms):  # noqa: PLR2004  `id` is in everything
        return _WITHIN, "a word of its name"
    if difflib.get_close_matches(words, target.synonyms, n=1, cutoff=_CLOSE):
        return _SIMILAR, "a similar name"
    return 0.0, ""


def _fits(column: Profile, target: Target) -> bool | None:
    """Return whether the cells confirm the field, None where they neither do nor refuse."""
    if "empty" in column.traits:
        return None
    checks: Mapping[str, bool | None] = {
        "moment": column.is_moment,
        **dict.fromkeys(("number", "money", "score"), column.is_number),
        "boolean": {"boolean": True, "integer": None}.get(column.type, False),
        **{trait: trait in column.traits for trait in ("email", "domain", "currency")},
        "id": None if column.is_moment else True,
    }
    return checks.get(target.expects, False if column.is_moment else None)
