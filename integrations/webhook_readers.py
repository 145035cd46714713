"""What a stored delivery says: its objects one by one, each with its facts or the reason why it has none.

A ValueError of a reader means that the whole message cannot be understood; one bad object among several is a
Part with a problem, and the others count.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from pydantic import ValidationError

from domain.pulling import epoch
from domain.time import WallInstant
from domain.webhook_messages import Asked, Part, ReadingContext
from integrations import (
    calendar_facts,
    generic_facts,
    intercom_facts,
    salesforce_facts,
    stripe_facts,
    stripe_mrr,
)
from integrations.salesforce_messages import notifications_in
from integrations.stripe_shapes import DISCOUNTED, PAYMENTS, discounted_subscription, disputed_payment

Reader = Callable[[bytes, ReadingContext], list[Part]]
Message = Mapping[str, Any]

HUBSPOT_STREAMS = {
    "company": "companies",
    "contact": "contacts",
    "deal": "deals",
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
    "0-46": "notes",
    "0-47": "meetings",
    "0-48": "calls",
    "0-49": "emails",
}
"""By the first word of a subscription type, or the type's id where it is a generic one."""
HUBSPOT_OWN_KINDS = frozenset(
    {"creation", "propertyChange", "restore", "merge", "deletion", "associationChange"}
)
INTERCOM_CONVERSATIONS = "conversation."
STRIPE_KINDS = frozenset({"customer", "subscription", "invoice"})


def read_delivery(provider: str, body: bytes, context: ReadingContext) -> list[Part]:
    """Return the objects of a message; a ValueError says why it cannot be understood at all."""
    return READERS[provider](body, context)


def _message(body: bytes) -> Message:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ValueError("the body is no JSON") from None
    if not isinstance(found, dict):
        raise ValueError("the body is no JSON object")  # noqa: TRY004 - the sender's fault, not ours
    return found


def _part(place: int, raw: Message, tell: Callable[[], Part]) -> Part:
    """Keep a reason instead of an error: the other objects of the message are not to blame."""
    try:
        return tell()
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        return Part(place, raw, problem=_reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(each) for each in first['loc'])}: {first['msg']}"
    return str(error) if isinstance(error, ValueError) else f"{error}: has another shape than expected"


def _stripe(body: bytes, context: ReadingContext) -> list[Part]:
    """Tell what an event holds: the object as it was when the event was made.

    A dispute is of a payment; the invoice that it paid is asked for. So is a subscription whose discounts an
    event only names: what it brings is known from the coupons alone.
    """
    event = _message(body)
    held: Message = (event.get("data") or {}).get("object") or {}
    kind = str(held.get("object"))
    intent = disputed_payment(held)
    if intent is not None:
        return [Part(1, held, asks=(Asked(PAYMENTS, intent),))]
    unread = _discounted(kind, held)
    if unread is not None and context.can_ask:
        return [Part(1, held, asks=(Asked(DISCOUNTED, unread),))]
    if kind not in STRIPE_KINDS:
        return []

    def tell() -> Part:
        known_at = context.known_when(epoch(float(event["created"])))
        facts = stripe_facts.facts_of(kind, held, known_at, context.told)
        return Part(1, held, tuple(facts), tuple(stripe_facts.hints_of(kind, held)))

    told = _part(1, held, tell)
    return [replace(told, stream=f"{kind}s", object_id=str(held.get("id") or event.get("id") or ""))]


def _discounted(kind: str, held: Message) -> str | None:
    """Return the subscription that has to be read for its discounts."""
    if kind == "subscription" and stripe_mrr.has_unread_discounts(held):
        return str(held.get("id") or "") or None
    return discounted_subscription(held)


def _zendesk(body: bytes, _context: ReadingContext) -> list[Part]:
    """Ask for the ticket: an event holds a part of it, and no satisfaction and no service targets."""
    told = _message(body)
    detail: Message = told.get("detail") or {}
    is_event = str(told.get("type", "")).startswith("zen:event-type:ticket.")
    ticket = detail.get("id") if is_event else told.get("ticket_id") or (told.get("ticket") or {}).get("id")
    if ticket is None:
        return []
    return [Part(1, told, asks=(Asked("tickets", str(ticket)),))]


def _hubspot(body: bytes, _context: ReadingContext) -> list[Part]:
    """Ask for every object that is named: HubSpot sends ids and single properties only."""
    try:
        events = msgspec.json.decode(body, type=list[dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ValueError("the body is no JSON list of events") from None
    return [
        Part(place, event, asks=(Asked(stream, str(event["objectId"])),))
        for place, event in enumerate(events, start=1)
        if (stream := _hubspot_stream(event)) is not None and event.get("objectId") is not None
    ]


def _hubspot_stream(event: Message) -> str | None:
    subject, _, what = str(event.get("subscriptionType") or "").partition(".")
    name = str(event.get("objectTypeId")) if subject == "object" else subject
    return HUBSPOT_STREAMS.get(name) if what in HUBSPOT_OWN_KINDS else None


def _intercom(body: bytes, context: ReadingContext) -> list[Part]:
    """Tell the conversation of a notification; other topics do not concern us."""
    told = _message(body)
    item: Message = (told.get("data") or {}).get("item") or {}
    if not str(told.get("topic", "")).startswith(INTERCOM_CONVERSATIONS):
        return []

    def tell() -> Part:
        made = told.get("created_at")
        known_at = context.known_when(None if made is None else epoch(float(made)))
        return Part(1, item, tuple(intercom_facts.facts_of("conversation", item, known_at, context.told)))

    return [_part(1, item, tell)]


def _salesforce(body: bytes, context: ReadingContext) -> list[Part]:
    """Tell each record of an outbound message."""
    return [
        _part(place, each.fields, partial(_record, place, each.kind, each.fields, context))
        for place, each in enumerate(notifications_in(body), start=1)
    ]


def _record(place: int, kind: str, fields: Mapping[str, str], context: ReadingContext) -> Part:
    known_at = context.known_when(salesforce_facts.told_at(fields))
    facts = salesforce_facts.facts_of(kind, fields, known_at, context.told, context.options)
    hints = tuple(salesforce_facts.hints_of(kind, fields))
    return Part(place, {"type": kind, **fields}, tuple(facts), hints=hints)


def _generic(body: bytes, context: ReadingContext) -> list[Part]:
    """Tell what the connection's mapping makes of a message."""
    message, mapping = _message(body), generic_facts.mapping_of(context.options)
    event = mapping.event_for(message)
    if event is None:
        return []

    def tell(place: int, element: Message) -> Part:
        at: WallInstant = context.received_at
        return Part(
            place, element, tuple(generic_facts.facts_of(event, element, mapping, at, context.timeline))
        )

    elements = generic_facts.elements_of(message, event)
    return [
        _part(place, element, partial(tell, place, element))
        for place, element in enumerate(elements, start=1)
    ]


def _calendar(body: bytes, context: ReadingContext) -> list[Part]:
    """Tell every meeting of a feed around today."""
    meetings = calendar_facts.facts_of(body, context.received_at, context.timeline, context.options)
    return [
        Part(place, {"meeting": key}, tuple(facts)) for place, (key, facts) in enumerate(meetings, start=1)
    ]


READERS: Mapping[str, Reader] = {
    "stripe": _stripe,
    "zendesk": _zendesk,
    "hubspot": _hubspot,
    "intercom": _intercom,
    "salesforce": _salesforce,
    "webhook": _generic,
    "calendar": _calendar,
}
