"""Bodies as tracking clients really send them: JSON of any type, zipped, in forms, not quite valid."""

import base64
import binascii
import json
import zlib
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from domain.errors import EverstayError

GZIP = b"\x1f\x8b"
_FORM = b"data="


class UnreadableBodyError(EverstayError):
    """The body cannot be read: {reason}."""

    status = 400


class BodyTooLargeError(EverstayError):
    """The body is larger than {most} bytes; send fewer messages at once."""

    status = 413


class TooManyMessagesError(EverstayError):
    """The request holds more than {most} messages; send fewer at once."""

    status = 413


def plain_body(body: bytes, encoding: str, most: int) -> bytes:
    """Return the JSON of a body: unzipped up to `most` bytes, out of its form, free of what Postgres refuses.

    Node clients of RudderStack send zipped JSON as a form, and browsers leave out the encoding: what the body
    is decides, beside what the header says.
    """
    if "gzip" in encoding or body.startswith(GZIP):
        body = _unzipped(body, most)
    if body.startswith(_FORM):
        body = _of_form(body, most)
    if not body.strip():
        raise UnreadableBodyError(reason="it is empty")
    return mended(body) if b"\\u0000" in body or b"\x00" in body else body


def _unzipped(body: bytes, most: int) -> bytes:
    """Unzip all members; what would grow over the limit is stopped there."""
    parts, room = [], most + 1
    try:
        while body:
            unzip = zlib.decompressobj(wbits=31)
            parts.append(unzip.decompress(body, room))
            room -= len(parts[-1])
            if room <= 0:
                raise BodyTooLargeError(most=most)
            if not unzip.eof:
                raise UnreadableBodyError(reason="its gzip data is cut off")
            body = unzip.unused_data
    except zlib.error as error:
        raise UnreadableBodyError(reason=f"it is no gzip data ({error})") from None
    return b"".join(parts)


def _of_form(body: bytes, most: int) -> bytes:
    """Return what stands in the field `data` of a form, as JSON or in base64."""
    data = unquote_to_bytes(body[len(_FORM) :].split(b"&", 1)[0].replace(b"+", b" "))
    if data.lstrip()[:1] in {b"{", b"["}:
        return data
    try:
        decoded = base64.b64decode(data.replace(b" ", b"+"), validate=True)
    except binascii.Error:
        raise UnreadableBodyError(reason="its form holds neither JSON nor base64") from None
    return _unzipped(decoded, most) if decoded.startswith(GZIP) else decoded


def mended(body: bytes) -> bytes:
    """Return JSON without what Postgres or the standard refuses: NUL is dropped, NaN becomes null.

    Slow, and for the few bodies that need it: clients that write JSON loosely shall not lose their events.
    """
    try:
        value = json.loads(body.decode("utf-8", "replace"), strict=False, parse_constant=lambda _: None)
        return msgspec.json.encode(clean(value))
    except (ValueError, RecursionError) as error:
        raise UnreadableBodyError(reason=f"it is no JSON ({error})") from None


def clean(value: Any) -> Any:
    """Return the value with texts that a database can hold."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [clean(each) for each in value]
    if isinstance(value, dict):
        return {clean(name): clean(each) for name, each in value.items()}
    return value
