"""The mapping of a generic webhook: the language of imports, with paths into JSON in place of columns."""

import fnmatch
from collections.abc import Mapping as AnyMapping
from typing import Any

from pydantic import Field

from domain.mapping import ColumnSpec, Document, FactSpec, FileSpec, Mapping, SourceSpec

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

    def as_file(self, name: str) -> FileSpec:
        """Return the same as a kind of file, with the time of receipt as one more column."""
        received = ColumnSpec(type="instant", volatile=True)
        columns = {RECEIVED: received, **self.columns}
        return FileSpec(name=name, match=self.match, columns=columns, facts=self.facts)


class WebhookMapping(Document):
    """The whole document, kept in a connection's options under `mapping`."""

    source: SourceSpec = Field(description="What the sender tells, and the zone of its times.")
    type: str = Field("type", description="Path of the message's type.")
    events: tuple[EventSpec, ...] = Field(min_length=1, description="The first that matches counts.")

    def event_for(self, message: AnyMapping[str, Any]) -> EventSpec | None:
        """Return what a message of this type tells, None where nothing is said of it."""
        kind = str(at_path(message, self.type) or "")
        return next((event for event in self.events if fnmatch.fnmatchcase(kind, event.match)), None)

    def as_import(self) -> Mapping:
        """Return the same as a mapping of files, which is how it is checked."""
        files = (event.as_file(f"event {place}") for place, event in enumerate(self.events, start=1))
        return Mapping(source=self.source, files=tuple(files))


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
