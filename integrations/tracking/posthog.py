"""Messages of PostHog's clients: everything is an event, and what it is about stands in its properties.

https://posthog.com/docs/api/capture
"""

from typing import Any

from domain.tracked_message import ClientClock, Message, MessageError
from integrations.tracking.reading import (
    JSON,
    MOST_BYTES,
    Raw,
    as_key,
    as_text,
    as_time,
    key,
    mapping,
    own_id,
    without_token,
)

COMPANY_GROUPS = ("company", "organization", "account", "customer", "workspace", "team", "project")
"""Group types that mean a paying company, the likeliest first; of other types, the first by name."""
_KINDS = {
    "$identify": "identify",
    "$set": "identify",
    "$groupidentify": "group",
    "$create_alias": "alias",
    "$pageview": "page",
    "$screen": "screen",
}


def posthog_message(raw: Raw, clock: ClientClock, _kind: str | None = None) -> Message:
    """Read one event; raises MessageError."""
    if len(memoryview(raw)) > MOST_BYTES:
        raise MessageError("message", f"is larger than {MOST_BYTES // 1024} KB")
    event = JSON.decode(raw)
    if not isinstance(event, dict):
        raise MessageError("message", "is no object")
    name = as_text(event.get("event"), "event")
    if not name:
        raise MessageError("event", "is missing")
    return _translated(event, name, mapping(event.get("properties")), clock)


def _translated(event: dict[str, Any], name: str, about: Any, clock: ClientClock) -> Message:
    kind = _KINDS.get(name, "track")
    user, anonymous = _who(event, about, kind)
    group = _group(about, kind)
    if user is None and anonymous is None and group is None:
        raise MessageError("distinct_id", "is missing")
    if kind == "alias" and (user is None or anonymous is None):
        raise MessageError("properties.alias", "is missing")
    told = _told(event, about, kind)
    properties = JSON.encode(told).decode() if told else None
    when = as_time(event.get("timestamp"), "timestamp")
    said = event.get("uuid") or about.get("$insert_id")
    message_id = key(as_key(said, "uuid"), "uuid")
    if message_id is None:
        message_id = own_id(when, kind, name, user, anonymous, group, properties)
    occurred = clock.occurred(when, as_time(event.get("sent_at"), "sent_at"))
    shown = _shown_name(name, about, kind)
    return Message(message_id, kind, shown, user, anonymous, group, occurred, properties)


def _who(event: dict[str, Any], about: Any, kind: str) -> tuple[str | None, str | None]:
    """Return user and visitor. Until PostHog knows a person, its `distinct_id` is a visitor's."""
    own = event.get("distinct_id") or about.get("distinct_id") or about.get("$distinct_id")
    distinct = key(as_key(own, "distinct_id"), "distinct_id")
    if kind == "alias":
        return key(as_key(about.get("alias"), "properties.alias"), "properties.alias"), distinct
    if kind == "group" and distinct is not None and distinct.startswith("$"):
        return None, None  # the client invents a user for a call that has none
    if about.get("$process_person_profile") is False or about.get("$is_identified") is False:
        return None, distinct
    return distinct, key(as_key(about.get("$anon_distinct_id"), "$anon_distinct_id"), "$anon_distinct_id")


def _group(about: Any, kind: str) -> str | None:
    if kind == "group":
        found = key(as_key(about.get("$group_key"), "$group_key"), "$group_key")
        if found is None:
            raise MessageError("$group_key", "is missing")
        return found
    groups = mapping(about.get("$groups"))
    names = [name for name in COMPANY_GROUPS if groups.get(name)] or sorted(groups)
    return key(as_key(groups[names[0]], "$groups"), "$groups") if names else None


def _told(event: dict[str, Any], about: Any, kind: str) -> dict[str, Any]:
    if kind == "group":
        return dict(mapping(about.get("$group_set")))
    if kind == "identify":
        once = mapping(event.get("$set_once")) or mapping(about.get("$set_once"))
        return {**once, **(mapping(event.get("$set")) or mapping(about.get("$set")))}
    return without_token(about)


def _shown_name(name: str, about: Any, kind: str) -> str | None:
    if kind == "track":
        return key(name, "event")
    if kind in {"page", "screen"}:
        said = about.get("title") or about.get("$screen_name") or about.get("$pathname")
        return key(as_key(said, "title"), "title") if said else None
    return None


def looks_like_posthog(raw: dict[str, Any]) -> bool:
    """Tell PostHog's events from Segment's by their user."""
    return "distinct_id" in raw or "distinct_id" in mapping(raw.get("properties"))
