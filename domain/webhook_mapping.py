"""The mapping of a generic webhook: the language of imports, with paths into JSON in place of columns."""

import fnmatch
from collections.abc import Mapping as AnyMapping
from typing import Any

from pydantic import Field

from domain.mapping import ColumnSpec, Document, FactSpec, SourceSpec

RECEIVED = "received_at"
"""A path that is always there: when the message came."""


class EventSpec(Document):
    """One kind of message, and what it tells."""

    match: str = Field("*", min_length=1, description="The message's type, or a pattern with `*`.")
    each: str = Field("", description="Path of a list: every element tells facts; none: the message does.")
    columns: dict[str, ColumnSpec] = Field(
        min_length=1, description="Every path that is used, such as `data.id`."
    )
    facts: tuple[FactSpec, ...] = Field(min_length=1, description="What it tells.")


class WebhookMapping(Document):
    """The whole document, kept in a connection's options under `mapping`."""

    type: str = Field("type", description="Path of the message's type.")
    time_zone: str = Field("UTC", description="Zone of dates and of times without an offset.")
    events: tuple[EventSpec, ...] = Field(min_length=1, description="The first that matches counts.")

    def event_for(self, message: AnyMapping[str, Any]) -> EventSpec | None:
        """Return what a message of this type tells, None where nothing is said of it."""
        kind = str(at_path(message, self.type) or "")
        return next((event for event in self.events if fnmatch.fnmatchcase(kind, event.match)), None)

    def source(self) -> SourceSpec:
        """Return what the rows' compiler asks of a source."""
        return SourceSpec(id="webhook", name="Webhook", provides=(), time_zone=self.time_zone)


def at_path(message: Any, path: str) -> Any:
    """Return what stands at a path such as `data.items.0.id`, None where there is nothing."""
    found = message
    for part in path.split(".") if path else ():
        if isinstance(found, AnyMapping):
            found = found.get(part)
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found
