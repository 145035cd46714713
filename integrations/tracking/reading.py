"""What the dialects of tracking clients have in common: reading leniently, and saying what is wrong."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from domain.tracked_message import LONGEST_ID, MessageError
from integrations.tracking.bodies import clean

MOST_BYTES = 32 * 1024
"""Of one message, as in Segment's specification."""
_MILLISECONDS = 100_000_000_000
"""Numbers above are milliseconds since 1970, below seconds."""

SECRETS = frozenset({"writeKey", "api_key", "token"})
"""Names under which a message carries the key of its source, which nobody needs to see again."""

Key = str | int | None
Raw = msgspec.Raw
JSON = msgspec.json


def key(value: Key, field: str) -> str | None:
    """Return an id as text, None for an empty one."""
    if value is None or value == "":
        return None
    text = value if type(value) is str else str(value)
    if len(text) > LONGEST_ID:
        raise MessageError(field, f"is longer than {LONGEST_ID} characters")
    if "\x01" in text:
        raise MessageError(field, "holds a control character")
    return text


def json_object(raw: Raw, field: str) -> str | None:
    """Return a JSON object as it was written, None for nothing."""
    text = str(memoryview(raw), "utf-8")
    if not text or text == "null":
        return None
    if text[0] != "{":
        raise MessageError(field, "is no object")
    return text


def shape(raw: Raw) -> dict[str, Any]:
    """Return a whole message for the quarantine; what is no object stands under the empty name."""
    try:
        value = JSON.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"": clean(bytes(raw).decode("utf-8", "replace"))}
    if not isinstance(value, dict):
        return {"": clean(str(value))}
    kept = {name: each for name, each in value.items() if name not in SECRETS}
    about = kept.get("properties")
    if isinstance(about, dict) and "token" in about:
        kept["properties"] = without_token(about)
    found: dict[str, Any] = clean(kept)
    return found


def without_token(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return PostHog's properties without the key, which its browser client puts there."""
    return {name: value for name, value in properties.items() if name != "token"}


def as_key(value: object, field: str) -> Key:
    """Return what clients send as an id: text or a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise MessageError(field, "is neither text nor a number")
    return str(value) if isinstance(value, float) else value


def as_text(value: object, field: str) -> str | None:
    """Return text."""
    if not isinstance(value, str | None):
        raise MessageError(field, "is no text")
    return value


def as_time(value: object, field: str) -> dt.datetime | None:
    """Return an instant written in ISO 8601, perhaps without its zone (then UTC), or as a number."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            found = dt.datetime.fromisoformat(value.strip())
            return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) > _MILLISECONDS else value
            return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise MessageError(field, f"{str(value)[:60]!r} is no date")


def as_raw(value: object) -> Raw:
    """Return a value as JSON again."""
    return Raw() if value is None else Raw(JSON.encode(value))


def own_id(when: dt.datetime | None, *content: object) -> str:
    """Return the id of a message that has none, by what it says: told again, it is the same message.

    Without a time, two that say the same are two: to drop the second would lose a fact.
    """
    if when is None:
        return uuid.uuid4().hex
    return hashlib.blake2b(repr((when, content)).encode("utf-8", "replace"), digest_size=16).hexdigest()


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object, empty where it is none."""
    return value if isinstance(value, dict) else {}
