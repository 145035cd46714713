"""Who really sent a webhook: the signature schemes of the providers, over the raw body.

Every scheme takes several secrets, so that one can be replaced while the other is still in use, and compares
in constant time. Where the signature covers a time, it must lie within the tolerance of ours, before or
after: the official libraries of Stripe and HubSpot let the future pass.
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec

from domain.permissions import NotAuthenticError
from domain.time import WallInstant
from domain.webhook_messages import WebhookRequest
from integrations.salesforce_messages import organization_of

TOLERANCE = dt.timedelta(minutes=5)
INTERCOM_PATIENCE = dt.timedelta(days=1)
"""Intercom signs no time of its own; the notification's `created_at` is as old as the oldest retry."""
SHORT_SALESFORCE_ID = 15
"""Salesforce writes the same id with 15 or with 18 characters."""

Scheme = Callable[[WebhookRequest, str, WallInstant, Mapping[str, Any]], bool]


def check_signature(
    provider: str,
    request: WebhookRequest,
    secrets: Sequence[str],
    now: WallInstant,
    options: Mapping[str, Any],
) -> None:
    """Return if one of the secrets made this signature lately; raise NotAuthenticError for anything else."""
    scheme = SCHEMES.get(provider)
    if scheme is None or not any(_fits(scheme, request, each, now, options) for each in secrets):
        raise NotAuthenticError


def _fits(
    scheme: Scheme, request: WebhookRequest, secret: str, now: WallInstant, options: Mapping[str, Any]
) -> bool:
    """Ask one scheme about one secret; nonsense in a header or a body is no signature."""
    try:
        return bool(secret) and scheme(request, secret, now, options)
    except (ValueError, OverflowError, KeyError, StopIteration, msgspec.MsgspecError):
        return False


def secrets_in(stored: Mapping[str, str]) -> list[str]:
    """Return a connection's webhook secrets: one, or several with spaces or commas between them."""
    return stored.get("webhook_secret", "").replace(",", " ").split()


def _stripe(request: WebhookRequest, secret: str, now: WallInstant, _options: Mapping[str, Any]) -> bool:
    """Check `Stripe-Signature: t=…,v1=…`, the hex of HMAC-SHA256 over `t.body`."""
    parts = [each.partition("=") for each in request.headers["stripe-signature"].split(",")]
    stamp = next(value for name, _, value in parts if name.strip() == "t")
    given = [value for name, _, value in parts if name.strip() == "v1"]
    expected = _hmac(secret.encode(), f"{int(stamp)}.".encode() + request.body).hex()
    return _is_now(float(stamp), now) and _is_among(expected, given)


def _zendesk(request: WebhookRequest, secret: str, now: WallInstant, _options: Mapping[str, Any]) -> bool:
    """Check the base64 of HMAC-SHA256 over timestamp and body; the timestamp is ISO 8601."""
    stamp = request.headers["x-zendesk-webhook-signature-timestamp"]
    expected = _base64(_hmac(secret.encode(), stamp.encode() + request.body))
    is_now = _is_now(dt.datetime.fromisoformat(stamp).timestamp(), now)
    return is_now and _is_among(expected, [request.headers["x-zendesk-webhook-signature"]])


def _hubspot(request: WebhookRequest, secret: str, now: WallInstant, _options: Mapping[str, Any]) -> bool:
    """Check version 3: the base64 of HMAC-SHA256 over method, public URI, body and milliseconds."""
    stamp = request.headers["x-hubspot-request-timestamp"]
    signed = f"{request.method}{unquote(request.url)}".encode() + request.body + stamp.encode()
    expected = _base64(_hmac(secret.encode(), signed))
    return _is_now(int(stamp) / 1000, now) and _is_among(
        expected, [request.headers["x-hubspot-signature-v3"]]
    )


def _intercom(request: WebhookRequest, secret: str, now: WallInstant, _options: Mapping[str, Any]) -> bool:
    """Check `X-Hub-Signature: sha1=…`, the hex of HMAC-SHA1 over the body."""
    expected = hmac.new(secret.encode(), request.body, hashlib.sha1).hexdigest()
    return _is_among(f"sha1={expected}", [request.headers["x-hub-signature"]]) and _is_recent(
        request.body, now
    )


def _salesforce(request: WebhookRequest, secret: str, _now: WallInstant, options: Mapping[str, Any]) -> bool:
    """Check the secret in the address and the organisation's id: outbound messages are not signed."""
    ours = str(options.get("organization_id", ""))[:SHORT_SALESFORCE_ID]
    theirs = organization_of(request.body)[:SHORT_SALESFORCE_ID]
    knows = _is_among(secret, [request.path_token or ""])
    return knows and bool(ours) and _is_among(ours, [theirs])


def _standard(request: WebhookRequest, secret: str, now: WallInstant, _options: Mapping[str, Any]) -> bool:
    """Check Standard Webhooks: the base64 of HMAC-SHA256 over `id.timestamp.body`, one or more of them."""
    name, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    key = standard_key(secret)
    expected = _base64(_hmac(key, f"{name}.{int(stamp)}.".encode() + request.body))
    given = [each.partition(",") for each in request.headers["webhook-signature"].split()]
    fits = _is_among(expected, [value for version, _, value in given if version == "v1"])
    return bool(key) and bool(name) and _is_now(int(stamp), now) and fits


def standard_key(secret: str) -> bytes:
    """Return the bytes of a `whsec_…` secret; raises ValueError for what is no base64."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_") + "==")
    except binascii.Error as error:
        raise ValueError(str(error)) from error


SCHEMES: Mapping[str, Scheme] = {
    "stripe": _stripe,
    "zendesk": _zendesk,
    "hubspot": _hubspot,
    "intercom": _intercom,
    "salesforce": _salesforce,
    "webhook": _standard,
}
"""By provider; a provider that is not here pushes nothing."""


def _hmac(key: bytes, signed: bytes) -> bytes:
    return hmac.new(key, signed, hashlib.sha256).digest()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _is_among(expected: str, given: Iterable[str]) -> bool:
    return any(hmac.compare_digest(expected.encode(), each.strip().encode()) for each in given)


def _is_now(seconds: float, now: WallInstant) -> bool:
    return math.isfinite(seconds) and abs(now.timestamp() - seconds) <= TOLERANCE.total_seconds()


def _is_recent(body: bytes, now: WallInstant) -> bool:
    """Judge a notification by when it was made, where it says so."""
    made = msgspec.json.decode(body, type=_Made).created_at
    if made is None:
        return True
    age = now.timestamp() - made
    return -TOLERANCE.total_seconds() <= age <= INTERCOM_PATIENCE.total_seconds()


class _Made(msgspec.Struct):
    created_at: int | float | None = None
