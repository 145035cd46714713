"""What each event of a mail provider means to us: one table, and an order that makes any order right.

Whatever the event is, the provider has our message: its effect is confirmed. What became of it is the
touchpoint's state.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.delivery_events import DeliveryEventKind
from domain.vocabulary import TouchpointState


@dataclass(frozen=True)
class DeliveryRule:
    """What an event says of the touchpoint, and what it asks for the person."""

    touchpoint: TouchpointState | None = None
    suppresses: bool = False
    consents: bool | None = None


RULES: Mapping[DeliveryEventKind, DeliveryRule] = {
    DeliveryEventKind.PROCESSED: DeliveryRule(TouchpointState.SENT),
    DeliveryEventKind.DEFERRED: DeliveryRule(TouchpointState.SENT),
    DeliveryEventKind.DELIVERED: DeliveryRule(TouchpointState.DELIVERED),
    # That somebody opened or clicked is shown where no program did it, and never counts as interest.
    DeliveryEventKind.OPENED: DeliveryRule(TouchpointState.OPENED),
    DeliveryEventKind.CLICKED: DeliveryRule(TouchpointState.CLICKED),
    DeliveryEventKind.BOUNCED: DeliveryRule(TouchpointState.BOUNCED, suppresses=True),
    # Refused by the other side for now: the address is as good as before.
    DeliveryEventKind.BLOCKED: DeliveryRule(TouchpointState.BOUNCED),
    DeliveryEventKind.SUPPRESSED: DeliveryRule(TouchpointState.SUPPRESSED, suppresses=True),
    DeliveryEventKind.REPORTED_SPAM: DeliveryRule(TouchpointState.DELIVERED, suppresses=True, consents=False),
    DeliveryEventKind.UNSUBSCRIBED: DeliveryRule(consents=False),
    DeliveryEventKind.RESUBSCRIBED: DeliveryRule(consents=True),
}

TOUCHPOINT_ORDER = (
    TouchpointState.CLAIMED,
    TouchpointState.UNCERTAIN,
    TouchpointState.FAILED,
    TouchpointState.SENT,
    TouchpointState.DELIVERED,
    TouchpointState.OPENED,
    TouchpointState.CLICKED,
    TouchpointState.SUPPRESSED,
    TouchpointState.BOUNCED,
)
"""An event moves a touchpoint to the right only. A bounce can come after a delivery, never the reverse."""


def touchpoints_before(state: TouchpointState) -> tuple[TouchpointState, ...]:
    """Return the states that an event with this one moves on."""
    return TOUCHPOINT_ORDER[: TOUCHPOINT_ORDER.index(state)]
