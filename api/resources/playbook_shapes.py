"""Playbooks on the wire: what is wrong with one, what an edit means, what a dry run tells."""

import datetime as dt
import uuid
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.resources.shapes import Shape
from domain.edit_impact import Effect

Span = Field(None, pattern=r"^[0-9]{1,4}[mhdw]$")


class PlaybookProblem(Shape):
    """One thing that is wrong with a document, or (a warning) is likely not meant so."""

    path: str
    message: str
    hint: str | None
    line: int | None
    level: Literal["error", "warning"]


class PlaybookCheck(Shape):
    """Whether a document could be published, and everything to say about it."""

    valid: bool
    problems: list[PlaybookProblem]
    document: dict[str, Any] | None
    """The document as it was understood, in its shortest form."""


class PlaybookChange(Shape):
    """One difference to the current version, in words."""

    kind: Literal["added", "removed", "changed", "retimed"]
    what: str
    sentence: str


class RunImpact(Shape):
    """What an edit would mean for one open run."""

    run_id: uuid.UUID
    customer_id: uuid.UUID
    step: str | None
    version: int
    effect: Effect
    sentence: str
    was_due: dt.datetime | None
    will_be_due: dt.datetime | None


class PlaybookPlan(Shape):
    """What publishing a document would do. `current_version` is 0 for a playbook that is not there yet."""

    key: str
    current_version: int
    is_new: bool
    changes: list[PlaybookChange]
    counts: dict[str, int]
    due_at_once: int
    runs: list[RunImpact]


class PlaybookPublished(Shape):
    """What publishing did, and how many open runs went which way."""

    key: str
    version: int
    is_new: bool
    runs: dict[str, int]


class PlaybookVersion(Shape):
    """One immutable version."""

    version: int
    published_at: dt.datetime
    origin: Literal["library", "edit"]
    published_by: str | None
    note: str
    open_runs: int
    is_current: bool


class PlaybookVersionDetail(Shape):
    """One version with its document."""

    key: str
    version: int
    document: dict[str, Any]


class TryOut(BaseModel):
    """For whom to try a playbook, and what people are assumed to do; null means that they never do it."""

    model_config = ConfigDict(extra="forbid")

    customer_id: uuid.UUID
    version: int | None = Field(None, ge=1, le=1_000_000)
    task_done_after: str | None = Span
    reply_after: str | None = Span
    cause_gone_after: str | None = Span


class TriedEvent(Shape):
    """One thing that would happen."""

    at: dt.datetime
    local: str
    step: str | None
    what: str
    sentence: str
    why: str


class Tried(Shape):
    """What would happen if a run opened now; nothing was done."""

    customer_id: uuid.UUID
    time_zone: str
    remarks: list[str]
    events: list[TriedEvent]
