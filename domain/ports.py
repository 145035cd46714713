"""What the core needs from the outside. Each port has a contract test run against every adapter and fake."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import Purpose


class Clock(Protocol):
    """Tells both times and maps between them."""

    def wall_now(self) -> WallInstant:
        """Return the machine's time."""
        ...

    def now(self) -> BusinessInstant:
        """Return business time."""
        ...

    def wall_at(self, due: BusinessInstant) -> WallInstant:
        """Return when, at today's pace, the business instant will have come (now if it has)."""
        ...

    def business_at(self, wall: WallInstant) -> BusinessInstant:
        """Return what business time was when the machine's time was this."""
        ...


@dataclass(frozen=True)
class EmailAddress:
    """A mailbox with the name shown beside it."""

    email: str
    name: str = ""


@dataclass(frozen=True)
class EmailMessage:
    """One message to one person, rendered, with our own delivery id in it."""

    delivery_id: str
    to: EmailAddress
    sender: EmailAddress
    subject: str
    text: str
    html: str
    purpose: Purpose
    reply_to: EmailAddress | None = None
    categories: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    invitation: str = ""
    """An iCalendar object with METHOD:REQUEST, which mail programs show with buttons to answer."""


@dataclass(frozen=True)
class DeliveryReceipt:
    """What the provider said when it took a message."""

    provider: str
    provider_message_id: str


LastCheck = Callable[[], None]


def always() -> None:
    """Speak against nothing."""


class EmailSender(Protocol):
    """Hands one message to a provider, once.

    `send` raises TransientProviderError when the provider certainly did not take it and may later,
    PermanentProviderError when it certainly never will, and UncertainDeliveryError when nobody knows.
    """

    name: str
    has_look_up: bool
    settle_seconds: float
    """How long after a call the look-up can be trusted to know of it."""
    call_seconds: float
    """The longest that a call takes, once it has begun."""

    async def send(self, message: EmailMessage, last_check: LastCheck = always) -> DeliveryReceipt:
        """Send, or raise one of the three provider errors.

        `last_check` is called right before the message leaves, after whatever else was waited for, perhaps on
        another thread. What it raises is raised here, and then nothing has left.
        """
        ...

    async def look_up(self, delivery_id: str) -> DeliveryReceipt | None:
        """Return the receipt of an accepted message, None when the provider authoritatively has none.

        Raises UncertainDeliveryError where the provider cannot tell (`has_look_up` is False).
        """
        ...


@dataclass(frozen=True)
class RenderedMessage:
    """One message in words: a subject of one line, plain text always, and the same as HTML."""

    subject: str
    text: str
    html: str


class MessageRenderer(Protocol):
    """Turns a template and what we know of a person into words.

    Context keys: customer (name, plan, segment), contact (first_name, name, email), sender (name, email,
    title), product_name, evidence (sentences by key), links (preferences_url, unsubscribe_url, booking_url,
    billing_url, which is empty but in letters of cases), business_date. An invitation to a meeting also has
    meeting (title, day, time, place, minutes) and links to answer it (accept_url, decline_url, propose_url).
    """

    def names(self) -> tuple[str, ...]:
        """Return the templates that exist, sorted."""
        ...

    def render(self, template: str, locale: str, context: Mapping[str, object]) -> RenderedMessage:
        """Render, in the locale where a translation exists; a missing value raises MessageTemplateError."""
        ...
