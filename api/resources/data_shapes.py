"""Sources, uploads and quarantine on the wire."""

import datetime as dt
import uuid
from typing import Annotated, Any

from pydantic import Field

from api.resources.shapes import Shape
from domain.source_state import SourceState


class SourceDay(Shape):
    """What a source told on one day of receipt."""

    day: dt.date
    received: int
    stored: int
    duplicates: int
    quarantined: int


class Source(Shape):
    """One place that facts come from, how fresh it is, and its last 28 days. `lag_hours` is business time."""

    id: str
    name: str
    kind: str
    provides: list[str]
    connected_at: dt.datetime
    rhythm_hours: float | None
    last_fact_at: dt.datetime | None
    last_received_at: dt.datetime | None
    state: SourceState
    lag_hours: float | None
    waiting: int
    provider: str | None
    pull_every_seconds: float | None
    days: list[SourceDay]


class Sources(Shape):
    """All of them."""

    items: list[Source]


class SeenEvent(Shape):
    """One name of an event as a source sends it, with its properties and their types."""

    source_id: str
    kind: str
    name: str
    events: int
    first_at: dt.datetime
    last_at: dt.datetime
    properties: dict[str, Any]


class SeenEvents(Shape):
    """The most frequent first."""

    items: list[SeenEvent]


class PullRun(Shape):
    """One pass of a pull over one stream."""

    source: str
    stream: str
    state: str
    read: int
    stored: int
    duplicates: int
    quarantined: int
    error: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None


class PullRuns(Shape):
    """The newest first."""

    items: list[PullRun]


class WriteKey(Shape):
    """A living write key, without its secret."""

    name: str
    prefix: str
    source: str | None
    created_at: dt.datetime
    last_used_at: dt.datetime | None


class WriteKeys(Shape):
    """The newest first."""

    items: list[WriteKey]


class ReasonGroup(Shape):
    """Rows of one source with the same fault in the same field."""

    source_id: str
    kind: str
    field: str
    rows: int
    example: str


class ReasonGroups(Shape):
    """The most frequent first."""

    items: list[ReasonGroup]


class Correction(Shape):
    """What to change before a row is tried again; nothing: the world has been mended."""

    cells: dict[str, Annotated[str, Field(max_length=10_000)]] = Field(default_factory=dict, max_length=300)
    text: str | None = Field(None, max_length=100_000)


class Replayed(Shape):
    """Whether the row is stored now; if not, what is still wrong."""

    replayed: bool
    field: str | None = None
    reason: str | None = None


class Chosen(Shape):
    """Which rows are meant; what is left out fits all."""

    source_id: str | None = None
    file: str | None = None
    kind: str | None = None
    field: str | None = None
    import_id: uuid.UUID | None = None


class ManyReplayed(Shape):
    """How many are stored now, how many are still wrong, and whether more wait."""

    replayed: int
    failed: int
    more: bool


class Dismissed(Shape):
    """How many were put aside."""

    dismissed: int


class Upload(Shape):
    """An uploaded file: how it is written, what its columns mean, what an import would do or has done."""

    id: uuid.UUID
    filename: str
    state: str
    source_id: str
    rows: int
    details: dict[str, Any]
    columns: list[dict[str, Any]]
    choices: dict[str, Any] | None
    mapping: dict[str, Any] | None
    checked: dict[str, Any] | None
    undo: dict[str, Any] | None
    import_run_id: uuid.UUID | None
    created_at: dt.datetime
    undone_at: dt.datetime | None


class Uploads(Shape):
    """The newest first."""

    items: list[Upload]


class StartImport(Shape):
    """Whether to import although the same bytes were imported before."""

    again: bool = False


class SaveMapping(Shape):
    """Under which name."""

    name: str = Field(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$")


class SavedMapping(Shape):
    """What was chosen for one file, for the next one like it."""

    name: str
    choices: dict[str, Any]
    header: list[str]


class SavedMappings(Shape):
    """By name."""

    items: list[SavedMapping]
