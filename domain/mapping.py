"""The mapping document: which columns of which files become which facts, and when each was known.

docs/imports.md explains it; a test keeps its field tables equal to these models.
"""

import datetime as dt
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from domain.facts import (
    CancellationFact,
    ContactFact,
    CustomerFact,
    FactBase,
    GoalFact,
    InvoiceFact,
    MeetingFact,
    SubscriptionFact,
    SurveyFact,
    TicketFact,
    TouchpointFact,
    UsageFact,
)

FACTS: dict[str, type[FactBase]] = {
    model.model_fields["type"].default: model
    for model in (
        CustomerFact,
        ContactFact,
        SubscriptionFact,
        UsageFact,
        TicketFact,
        SurveyFact,
        MeetingFact,
        GoalFact,
        InvoiceFact,
        TouchpointFact,
        CancellationFact,
    )
}
"""Every type of fact that a row may become."""

FactType = Literal[
    "customer",
    "contact",
    "subscription",
    "usage",
    "ticket",
    "survey",
    "meeting",
    "goal",
    "invoice",
    "touchpoint",
    "cancellation",
]
Provided = Literal[
    "customers",
    "contacts",
    "subscriptions",
    "usage",
    "tickets",
    "surveys",
    "meetings",
    "goals",
    "invoices",
    "touchpoints",
    "cancellations",
]


def known_zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name, or say that there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; use an IANA name such as Europe/Berlin") from None


class Document(BaseModel):
    """What every part of a mapping shares: nothing unknown is accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceSpec(Document):
    """Where the files come from."""

    id: str = Field(min_length=1, pattern=r"^[a-z0-9][a-z0-9_/-]*$", description="Id of the source.")
    name: str = Field(min_length=1, description="Name shown to people.")
    kind: str = Field("export", min_length=1, description="A word for the kind of system.")
    provides: tuple[Provided, ...] = Field(description="Kinds of fact that it can tell.")
    rhythm_hours: float | None = Field(
        None, gt=0, description="Hours after which no news means that the source is silent; none: never."
    )
    time_zone: str = Field("UTC", description="Zone of dates and of times without an offset.")

    @model_validator(mode="after")
    def _zone_exists(self) -> Self:
        known_zone(self.time_zone)
        return self


class ColumnSpec(Document):
    """What a column holds. A cell that does not fit sends its row to quarantine."""

    type: Literal["text", "integer", "decimal", "boolean", "date", "instant"] = Field(
        "text", description="Type of the cells."
    )
    format: tuple[str, ...] = Field(
        ("iso",),
        description="Of dates and instants: `iso`, or strptime formats, the first that fits. "
        "Of decimals: `iso` (plain), `1,234.56`, `1.234,56` or `1 234,56`.",
    )
    optional: bool = Field(False, description="Whether a cell may be empty.")
    empty: tuple[str, ...] = Field(("",), description="Cells that count as empty.")
    at_least: float | None = Field(None, description="Lowest number.")
    at_most: float | None = Field(None, description="Highest number.")
    one_of: tuple[str, ...] = Field((), description="The only texts allowed.")
    volatile: bool = Field(
        False, description="Whether a change in this column, if no fact uses it, is no other content."
    )


class PlusSpec(Document):
    """A duration to add to a date or instant: fixed, or from a column."""

    column: str | None = Field(None, description="Column with the number; none: `amount`.")
    amount: float = Field(1, description="The number where there is no column.")
    unit: Literal["minutes", "hours", "days"] = Field(description="Unit of the number.")


class ValueSpec(Document):
    """Where the value of a field comes from. A plain text means `column`."""

    column: str | None = Field(None, description="The column that the value is in.")
    constant: Any = Field(None, description="A value that is the same for every row.")
    join: tuple[str, ...] = Field((), description="Columns whose cells, joined by `separator`, make a key.")
    separator: str = Field("/", description="What stands between joined cells.")
    now: bool = Field(False, description="The instant at which the import began.")
    map: dict[str, Any] | None = Field(
        None, description="Words of the file to words of ours; all others fail."
    )
    lookup: str | None = Field(None, description="A table of `lookups` in which the cell is the key.")
    scale: float | None = Field(None, description="Factor, such as 100 from dollars to minor units.")
    round: bool = Field(False, description="Whether a scaled number is rounded to a whole one.")
    plus: PlusSpec | None = Field(None, description="Duration to add to a date or instant.")
    at: Literal["start_of_day", "end_of_day"] = Field(
        "start_of_day", description="Which instant a date means: its first, or the first of the next day."
    )
    at_latest_now: bool = Field(
        False, description="Whether an instant after the beginning of the import counts as that beginning."
    )
    null_after: dt.date | None = Field(
        None, description="Dates after this one are unknown: the export's horizon."
    )
    prefix: str = Field("", description="Text to put before the value.")
    default: Any = Field(
        None, description="Value where the cell is empty, or where the lookup knows nothing."
    )

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        origins = [self.column is not None, self.constant is not None, bool(self.join), self.now]
        if sum(origins) != 1:
            raise ValueError("give exactly one of column, constant, join and now")
        return self


def _shorthand(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


Value = Annotated[ValueSpec, BeforeValidator(_shorthand)]


class Condition(Document):
    """Whether a row tells a fact."""

    column: str = Field(description="The column to look at.")
    one_of: tuple[str, ...] = Field((), description="Holds where the cell is one of these.")
    none_of: tuple[str, ...] = Field((), description="Holds where the cell is none of these.")
    filled: bool | None = Field(None, description="Holds where the cell is filled, or is empty.")


class FactSpec(Document):
    """One fact that a row tells."""

    type: FactType = Field(description="Type of the fact.")
    when: tuple[Condition, ...] = Field((), description="Conditions that must all hold; none: every row.")
    fields: dict[str, Value] = Field(description="The fact's fields, `key` and `known_at` among them.")
    properties: dict[str, Value] = Field({}, description="Of usage: further values to keep with the event.")


class FileSpec(Document):
    """One kind of file, and what its rows tell."""

    name: str = Field(min_length=1, description="Short name, shown in progress and summary.")
    match: str = Field(min_length=1, description="File name, or a pattern with `*`.")
    format: Literal["csv", "parquet"] = Field("csv", description="How the file is written.")
    delimiter: str = Field(",", min_length=1, max_length=1, description="Of CSV.")
    columns: dict[str, ColumnSpec] = Field(min_length=1, description="Every column of the file.")
    facts: tuple[FactSpec, ...] = Field(min_length=1, description="What a row tells.")


class LookupSpec(Document):
    """A small table that turns one id into another; it is held in memory."""

    match: str = Field(min_length=1, description="File name.")
    format: Literal["csv", "parquet"] = Field("csv", description="How the file is written.")
    delimiter: str = Field(",", min_length=1, max_length=1, description="Of CSV.")
    key: str = Field(description="Column that is looked up.")
    value: str = Field(description="Column that is the answer.")


class ClockSpec(Document):
    """The column whose latest date is the end of the data."""

    file: str = Field(description="Name of one of `files`.")
    column: str = Field(description="A date or instant column of it.")


class Mapping(Document):
    """The whole document. Files are read in the order given, so name customers before what is about them."""

    source: SourceSpec = Field(description="Where the files come from.")
    lookups: dict[str, LookupSpec] = Field({}, description="Small tables to translate ids with.")
    clock: ClockSpec | None = Field(None, description="What `--set-clock` sets the business clock by.")
    files: tuple[FileSpec, ...] = Field(min_length=1, description="The files.")
