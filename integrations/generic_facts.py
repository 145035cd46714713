"""What a generic webhook says, in our words: a mapping names the paths. Pure."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from domain.facts import Fact
from domain.mapping import ColumnSpec
from domain.mapping_rows import RowConverter
from domain.time import WallInstant, as_utc
from domain.timeline import Timeline
from domain.webhook_mapping import RECEIVED, EventSpec, WebhookMapping, at_path

MILLISECONDS_FROM = 100_000_000_000
"""A Unix time above this is in milliseconds: in seconds it would lie beyond the year 5000."""
AnyFact = TypeVar("AnyFact", bound=BaseModel)


def mapping_of(options: Mapping[str, Any]) -> WebhookMapping:
    """Return the connection's mapping; a ValueError says where it is wrong."""
    if "mapping" not in options:
        raise ValueError("mapping: the connection has none; connect it again with one (docs/webhooks.md)")
    try:
        return WebhookMapping.model_validate(options["mapping"])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"mapping.{place}: {first['msg']}"
        raise ValueError(message) from None


def elements_of(message: Mapping[str, Any], event: EventSpec) -> list[Mapping[str, Any]]:
    """Return what each tells facts: the elements of the named list, else the message itself."""
    if not event.each:
        return [message]
    found = at_path(message, event.each)
    if not isinstance(found, list):
        raise ValueError(f"{event.each}: is no list")  # noqa: TRY004 - the sender's fault, not ours
    return [{**message, "item": element} for element in found]


def facts_of(
    event: EventSpec,
    element: Mapping[str, Any],
    mapping: WebhookMapping,
    received_at: WallInstant,
    timeline: Timeline,
) -> list[Fact]:
    """Translate one element; a ValueError names the path. Its instants are the sender's wall time."""
    file = event.as_file(event.match)
    told = {**element, RECEIVED: received_at}
    cells = {path: _cell(at_path(told, path), spec) for path, spec in file.columns.items()}
    facts = RowConverter(file, mapping.source, {}).facts_of(cells)
    return [_in_business_time(fact, received_at, timeline) for fact in facts]


def _cell(value: Any, spec: ColumnSpec) -> Any:
    """Return a value as cells are: lists and objects are none, and Unix times are instants."""
    if isinstance(value, list | Mapping):
        return str(value)
    if spec.type == "instant" and isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if value > MILLISECONDS_FROM else value
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    return value


def _in_business_time(fact: AnyFact, received_at: WallInstant, timeline: Timeline) -> AnyFact:
    """Map every instant of a fact; nothing was known to us before it was sent, nor after it came."""
    given = {name: value for name, value in fact if isinstance(value, dt.datetime)}
    mapped = {name: timeline.happened_at(WallInstant(as_utc(value))) for name, value in given.items()}
    known = min(WallInstant(as_utc(given.get("known_at", received_at))), received_at)
    return fact.model_copy(update={**mapped, "known_at": timeline.happened_at(known)})
