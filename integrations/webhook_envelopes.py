"""The provider's own id of a delivery, and what it is about: all that is read before it is stored.

A body that is no JSON, or has no id, is kept all the same, under the digest of its bytes: its sender has
shown that it knows the secret, and a person can look at what it sends.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from domain.webhook_messages import Envelope, WebhookRequest
from integrations.salesforce_messages import notifications_in

_OF_AN_ATTEMPT = frozenset({"attemptNumber"})
LONGEST_ID, LONGEST_TOPIC = 200, 120

Opener = Callable[[WebhookRequest], tuple[object, object]]


def open_envelope(provider: str, request: WebhookRequest) -> Envelope:
    """Return id and topic; never raises."""
    try:
        name, topic = OPENERS[provider](request)
    except (ValueError, LookupError, TypeError, AttributeError, msgspec.MsgspecError):
        name, topic = None, None
    written = str(name or f"sha256:{hashlib.sha256(request.body).hexdigest()}")
    about = None if topic is None else str(topic)[:LONGEST_TOPIC].replace("\0", "")
    return Envelope(written[:LONGEST_ID].replace("\0", ""), about)


def _stripe(request: WebhookRequest) -> tuple[object, object]:
    event = msgspec.json.decode(request.body)
    return event["id"], event.get("type")


def _zendesk(request: WebhookRequest) -> tuple[object, object]:
    """Prefer the event's id; a trigger's body is the customer's own, and its invocation has one."""
    told = msgspec.json.decode(request.body)
    invocation = request.headers.get("x-zendesk-webhook-invocation-id")
    is_event = str(told.get("type", "")).startswith("zen:")
    return (told.get("id") if is_event else None) or invocation, told.get("type") or "trigger"


def _hubspot(request: WebhookRequest) -> tuple[object, object]:
    """Name a batch by its events without the number of the attempt; HubSpot gives the batch no id."""
    events = msgspec.json.decode(request.body, type=list[dict[str, Any]])
    lasting = [{name: value for name, value in each.items() if name not in _OF_AN_ATTEMPT} for each in events]
    written = msgspec.json.encode(lasting, order="sorted")
    topics = list(dict.fromkeys(str(each.get("subscriptionType")) for each in events))
    return f"batch:{hashlib.sha256(written).hexdigest()}", ", ".join(topics)


def _intercom(request: WebhookRequest) -> tuple[object, object]:
    told = msgspec.json.decode(request.body)
    return told["id"], told.get("topic")


def _salesforce(request: WebhookRequest) -> tuple[object, object]:
    notifications = notifications_in(request.body)
    names = sorted(each.id for each in notifications)
    kinds = list(dict.fromkeys(each.kind for each in notifications))
    digest = hashlib.sha256("/".join(names).encode()).hexdigest()
    return names[0] if len(names) == 1 else f"message:{digest}", ", ".join(kinds)


def _standard(request: WebhookRequest) -> tuple[object, object]:
    name = request.headers["webhook-id"]
    try:
        told = msgspec.json.decode(request.body)
    except msgspec.MsgspecError:
        return name, None
    return name, told.get("type") if isinstance(told, dict) else None


OPENERS: Mapping[str, Opener] = {
    "stripe": _stripe,
    "zendesk": _zendesk,
    "hubspot": _hubspot,
    "intercom": _intercom,
    "salesforce": _salesforce,
    "webhook": _standard,
}
