"""What a provider tells us later about a message that it took, in our words instead of theirs."""

from dataclasses import dataclass
from enum import StrEnum

from domain.invitations import InvitationReply
from domain.time import WallInstant


class DeliveryEventKind(StrEnum):
    """What happened to a message after the provider took it."""

    PROCESSED = "processed"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    SUPPRESSED = "suppressed"
    OPENED = "opened"
    CLICKED = "clicked"
    REPORTED_SPAM = "reported_spam"
    UNSUBSCRIBED = "unsubscribed"
    RESUBSCRIBED = "resubscribed"


@dataclass(frozen=True)
class DeliveryEvent:
    """One event of a provider's webhook. Providers repeat and reorder them: `event_id` is the dedupe key.

    `delivery_id` is ours and empty where the message was not sent by Everstay. `is_machine` marks an open
    or a click that a mail client or a scanner made on its own, which says nothing about a person.
    """

    event_id: str
    kind: DeliveryEventKind
    delivery_id: str
    email: str
    occurred_at: WallInstant
    provider_message_id: str = ""
    reason: str = ""
    url: str = ""
    is_machine: bool = False
    is_marketing: bool = False
    """Sent by somebody's campaign, as the provider's categories and campaign fields say."""


@dataclass(frozen=True)
class InboundEmail:
    """A message that somebody wrote to us, mostly an answer.

    `message_id` is the dedupe key. `answers` holds the Message-IDs of what it answers, newest first.
    `is_automatic` marks an out-of-office note and its like, which says nothing about a person's interest.
    """

    message_id: str
    sender_email: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    answers: tuple[str, ...] = ()
    addressed: tuple[str, ...] = ()
    """Whom the mail names in To and Cc; `recipients` is where it really went, blind copies among them."""
    is_automatic: bool = False
    reply: InvitationReply | None = None
    """What a calendar answers in it to an invitation."""
