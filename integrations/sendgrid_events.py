"""SendGrid's event webhook: is it really from them, is it fresh, and what does it say."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from domain.delivery_events import DeliveryEvent, DeliveryEventKind
from domain.errors import InvalidInputError
from domain.machine_reactions import is_scanner
from domain.time import WallInstant, wall

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"
DEFAULT_TOLERANCE = timedelta(minutes=10)
MARKETING_CATEGORIES = frozenset({"marketing", "newsletter", "campaign", "promotion"})
"""Categories by which mail that Everstay did not send is known as marketing."""

_KINDS = {
    "processed": DeliveryEventKind.PROCESSED,
    "deferred": DeliveryEventKind.DEFERRED,
    "delivered": DeliveryEventKind.DELIVERED,
    "bounce": DeliveryEventKind.BOUNCED,
    "dropped": DeliveryEventKind.SUPPRESSED,
    "open": DeliveryEventKind.OPENED,
    "click": DeliveryEventKind.CLICKED,
    "spamreport": DeliveryEventKind.REPORTED_SPAM,
    "unsubscribe": DeliveryEventKind.UNSUBSCRIBED,
    "group_unsubscribe": DeliveryEventKind.UNSUBSCRIBED,
    "group_resubscribe": DeliveryEventKind.RESUBSCRIBED,
}


class SendGridWebhookVerifier:
    """Checks ECDSA P-256 over timestamp and raw body. Replays die at the event id, not here."""

    def __init__(self, public_key: str, tolerance: timedelta = DEFAULT_TOLERANCE) -> None:
        """Take the key as SendGrid shows it (base64 of SPKI); a key of another kind is refused at once."""
        try:
            key = load_der_public_key(base64.b64decode(public_key, validate=True))
        except ValueError as error:
            raise InvalidInputError(field="sendgrid_webhook_public_key", reason=str(error)) from error
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise InvalidInputError(field="sendgrid_webhook_public_key", reason="not an elliptic curve key")
        self._key = key
        self._tolerance = tolerance

    def is_authentic(self, body: bytes, headers: Mapping[str, str], now: WallInstant) -> bool:
        """Whether SendGrid signed exactly these bytes, recently. Nothing a caller sends raises an error."""
        try:
            timestamp = headers[TIMESTAMP_HEADER]
            signature = base64.b64decode(headers[SIGNATURE_HEADER], validate=True)
            signed_at = wall(datetime.fromtimestamp(int(timestamp), UTC))
            self._key.verify(signature, timestamp.encode() + body, ec.ECDSA(SHA256()))
        except Exception:  # noqa: BLE001 - whatever is wrong with a stranger's request, it is not authentic
            return False
        return abs(now - signed_at) <= self._tolerance


class _Event(msgspec.Struct):
    event: str
    timestamp: float
    sg_event_id: str
    email: str = ""
    sg_message_id: str = ""
    delivery_id: str = ""
    reason: str = ""
    response: str = ""
    type: str = ""
    url: str = ""
    sg_machine_open: bool = False
    useragent: str = ""
    category: str | list[str] = ""
    marketing_campaign_id: int | str | None = None
    singlesend_id: str | None = None
    mc_auto_id: str | None = None


def parse_events(body: bytes) -> tuple[DeliveryEvent, ...]:
    """Read a webhook's body, an array of events; kinds that we do not know are left out.

    Raises InvalidInputError when the body is no such array. `provider_message_id` is the X-Message-Id of the
    send, without the suffix that SendGrid adds; it is absent on late bounces, `delivery_id` is not.
    """
    try:
        entries = msgspec.json.decode(body, type=list[dict[str, Any]])
        events = [msgspec.convert(each, _Event, strict=False) for each in entries]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(field="body", reason=str(error)) from error
    return tuple(_typed(each) for each in events if each.event in _KINDS)


def _typed(event: _Event) -> DeliveryEvent:
    kind = _KINDS[event.event]
    if kind is DeliveryEventKind.BOUNCED and event.type == "blocked":
        kind = DeliveryEventKind.BLOCKED
    return DeliveryEvent(
        event_id=event.sg_event_id,
        kind=kind,
        delivery_id=event.delivery_id,
        email=event.email,
        occurred_at=wall(datetime.fromtimestamp(event.timestamp, UTC)),
        provider_message_id=event.sg_message_id.partition(".")[0],
        reason=event.reason or event.response,
        url=event.url,
        is_machine=event.sg_machine_open or is_scanner(event.useragent),
        is_marketing=_is_marketing(event),
    )


def _is_marketing(event: _Event) -> bool:
    """Tell a campaign's mail: by Marketing Campaigns' own fields, or by a category."""
    named = event.category if isinstance(event.category, list) else [event.category]
    campaign = event.marketing_campaign_id or event.singlesend_id or event.mc_auto_id
    return bool(campaign) or any(str(each).strip().lower() in MARKETING_CATEGORIES for each in named)
