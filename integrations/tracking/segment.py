"""Messages in the form of Segment's specification, which RudderStack and others speak too.

https://segment.com/docs/connections/spec/common/
"""

import datetime as dt
from typing import Annotated, Any

import msgspec

from domain.tracked_message import KINDS, ClientClock, Message, MessageError
from integrations.tracking.reading import (
    JSON,
    MOST_BYTES,
    Key,
    Raw,
    as_key,
    as_raw,
    as_text,
    as_time,
    json_object,
    key,
    mapping,
    own_id,
)

Instant = Annotated[dt.datetime, msgspec.Meta(tz=True)] | None


NOTHING = Raw()


class Context(msgspec.Struct, gc=False):
    """The parts of a message's context that say who acted; the rest is about devices."""

    groupId: Key = None  # noqa: N815 - the name on the wire
    traits: Raw = NOTHING


class SegmentMessage(msgspec.Struct, gc=False):
    """The fields that count. Properties and traits stay text: they are copied, never parsed."""

    type: str | None = None
    messageId: str | None = None  # noqa: N815 - the name on the wire, as below
    userId: Key = None  # noqa: N815 - as above
    anonymousId: Key = None  # noqa: N815 - as above
    groupId: Key = None  # noqa: N815 - as above
    previousId: Key = None  # noqa: N815 - as above
    event: str | None = None
    name: str | None = None
    timestamp: Instant = None
    originalTimestamp: Instant = None  # noqa: N815 - as above
    sentAt: Instant = None  # noqa: N815 - as above
    properties: Raw = NOTHING
    traits: Raw = NOTHING
    context: Context | None = None


_strict = JSON.Decoder(SegmentMessage).decode
_PARTICULAR = frozenset({"group", "alias"})
_WITH_TRAITS = frozenset({"identify", "group"})
_KEYS = ("userId", "anonymousId", "groupId", "previousId")
_TEXTS = ("type", "messageId", "event", "name")
_TIMES = ("timestamp", "originalTimestamp", "sentAt")


def segment_message(raw: Raw, clock: ClientClock, kind: str | None) -> Message:
    """Read one message; `kind` is what the address says. Raises MessageError."""
    if len(memoryview(raw)) > MOST_BYTES:
        raise MessageError("message", f"is larger than {MOST_BYTES // 1024} KB")
    try:
        message = _strict(raw)
    except msgspec.ValidationError:
        message = _lenient(JSON.decode(raw))
    return _translated(message, clock, kind)


def _lenient(value: object) -> SegmentMessage:
    """Read what is not quite of the specification: numbers as text, dates in other forms."""
    if not isinstance(value, dict):
        raise MessageError("message", "is no object")
    given: dict[str, Any] = {name: as_key(value.get(name), name) for name in _KEYS}
    given |= {name: as_text(value.get(name), name) for name in _TEXTS if name != "messageId"}
    given |= {name: as_time(value.get(name), name) for name in _TIMES}
    context = mapping(value.get("context"))
    return SegmentMessage(
        **given,
        messageId=key(as_key(value.get("messageId"), "messageId"), "messageId"),
        properties=as_raw(value.get("properties")),
        traits=as_raw(value.get("traits")),
        context=Context(as_key(context.get("groupId"), "context.groupId"), as_raw(context.get("traits"))),
    )


def _translated(said: SegmentMessage, clock: ClientClock, kind: str | None) -> Message:
    """Tell who did what. It runs for every event: calls are left out where a field is absent."""
    kind = said.type or kind
    if kind not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise MessageError("type", f"{kind!r} is none of {known}" if kind else "is missing")
    user = None if said.userId is None else key(said.userId, "userId")
    anonymous = None if said.anonymousId is None else key(said.anonymousId, "anonymousId")
    group = _group(said)
    if kind == "alias":
        anonymous = key(said.previousId, "previousId") or anonymous
    if user is None or kind in _PARTICULAR:
        _check(kind, user, anonymous, group)
    if kind in _WITH_TRAITS:
        name, properties = None, _traits(said, kind)
    else:
        name, properties = _name(said, kind), json_object(said.properties, "properties")
    when = said.originalTimestamp or said.timestamp
    message_id = key(said.messageId, "messageId")
    if message_id is None:
        message_id = own_id(when, kind, name, user, anonymous, group, properties)
    occurred = clock.occurred(when, said.sentAt)
    return Message(message_id, kind, name, user, anonymous, group, occurred, properties)


def _group(said: SegmentMessage) -> str | None:
    group = None if said.groupId is None else key(said.groupId, "groupId")
    if group is None and said.context is not None:
        return key(said.context.groupId, "context.groupId")
    return group


def _check(kind: str, user: str | None, anonymous: str | None, group: str | None) -> None:
    if kind == "group" and group is None:
        raise MessageError("groupId", "is missing")
    if kind == "alias" and (user is None or anonymous is None):
        raise MessageError("previousId" if user else "userId", "is missing")
    if user is None and anonymous is None and (group is None or kind == "identify"):
        raise MessageError("userId", "is missing, and there is no anonymousId")


def _name(said: SegmentMessage, kind: str) -> str | None:
    if kind != "track":
        return key(said.name or said.event, "name")
    name = key(said.event, "event")
    if name is None:
        raise MessageError("event", "is missing")
    return name


def _traits(said: SegmentMessage, kind: str) -> str | None:
    """RudderStack's servers put the traits of identify into the context."""
    traits = json_object(said.traits, "traits")
    if traits is None and kind == "identify" and said.context is not None:
        return json_object(said.context.traits, "context.traits")
    return traits
