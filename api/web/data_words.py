"""How the data pages say things: states of sources and uploads, tables that refer, sizes, durations."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from api.web.words import money, words
from domain.mapping_guess import LIKELY, SURE
from domain.mapping_targets import TARGETS, targets
from domain.source_state import SourceState

SOURCE_TONES: Mapping[Any, str] = {
    SourceState.FRESH: "good",
    SourceState.LATE: "watch",
    SourceState.SILENT: "grave",
    SourceState.PAUSED: "plain",
    SourceState.NEVER_SPOKE: "info",
    SourceState.COMPLETE: "plain",
}
SOURCE_HINTS: Mapping[Any, str] = {
    SourceState.FRESH: "talks as it should",
    SourceState.LATE: "over its rhythm; nothing abstains yet",
    SourceState.SILENT: "signals from it abstain",
    SourceState.PAUSED: "paused by a person",
    SourceState.NEVER_SPOKE: "connected, nothing received yet",
    SourceState.COMPLETE: "a file; it told all that it will",
}
UPLOAD_TONES: Mapping[str, str] = {
    "mapping": "info",
    "previewed": "info",
    "importing": "info",
    "done": "good",
    "failed": "grave",
    "undoing": "watch",
    "undone": "plain",
}
UPLOAD_WORDS: Mapping[str, str] = {
    "mapping": "Columns to choose",
    "previewed": "Ready to import",
    "importing": "Importing",
    "done": "Imported",
    "failed": "Failed",
    "undoing": "Being undone",
    "undone": "Undone",
}
REFERRING: Mapping[str, str] = {
    "interventions": "runs of playbooks",
    "tasks": "tasks",
    "touchpoints": "messages and calls",
    "effects": "messages of ours",
    "decisions": "decisions in the ledger",
    "identities": "a key of another source",
    "usage_events": "usage told by others",
    "upload_edits": "changes by another upload",
    "plan_limits": "limits of its plan",
}
"""Why a customer stays after its upload was undone, by the table that refers to it."""
_HOUR, _DAY = 1.0, 24.0
_KILO = 1000.0


def referring(why: Mapping[str, int]) -> str:
    """Return in words what keeps a customer."""
    return ", ".join(REFERRING.get(table, f"{table.replace('_', ' ')} of other sources") for table in why)


def confidence(value: float) -> tuple[str, str]:
    """Return the word for how sure a guess is, and its tone."""
    if value >= SURE:
        return "sure", "good"
    return ("likely", "watch") if value >= LIKELY else ("a guess", "bad")


def hours(value: float | None) -> str:
    """Return a lag or a rhythm."""
    if value is None:
        return "none"
    if value < _HOUR:
        return f"{max(1, round(value * 60))} min"
    return f"{value:.0f} h" if value < 2 * _DAY else f"{value / _DAY:.0f} days"


def size(count: float) -> str:
    """Return a size of a file."""
    for unit in ("bytes", "KB", "MB"):
        if count < _KILO:
            return f"{count:.0f} {unit}"
        count /= _KILO
    return f"{count:.1f} GB"


def percent(share: float) -> int:
    """Return a share as whole percent; less than all is never 100."""
    return 100 if share >= 1 else min(99, int(share * 100))


def types_of(told: Any) -> str:
    """Return the types that a property was seen with."""
    if isinstance(told, Mapping):
        types = told.get("types") or told.get("type") or []
        return " or ".join(types) if isinstance(types, list) else str(types)
    return " or ".join(map(str, told)) if isinstance(told, list) else str(told)


def example_of(told: Any) -> str:
    """Return the example of a property, where one is kept."""
    return str(told.get("example") or "") if isinstance(told, Mapping) else ""


def date_form(example: str, form: str) -> str:
    """Return what an example means when its dates are of this form: `03/04/2026 is 3 April 2026`."""
    try:
        read = dt.datetime.strptime(example, form)  # noqa: DTZ007  only its day is shown
    except ValueError:
        return form
    return f"{example} is {read.day} {read:%B %Y}"


def value_of(name: str, value: Any, fields: Mapping[str, Any]) -> str:
    """Return a field of a fact as people read it: amounts in their currency, instants without their zone."""
    if name.endswith("_minor") and isinstance(value, int):
        return money(value, str(fields.get("currency") or "USD"))
    if isinstance(value, list):
        return ", ".join(str(each).replace("_", " ") for each in value)
    text = str(value)
    return (
        text.removesuffix("T00:00:00Z").replace("T", " ").removesuffix("Z") if name.endswith("_at") else text
    )


def label_of(kind: str, name: str) -> str:
    """Return what people call a field of a kind of fact."""
    known = targets(kind).get(name) if kind in TARGETS else None
    return words(name.removesuffix("_minor")) if known is None else known.label.split(" (")[0]
