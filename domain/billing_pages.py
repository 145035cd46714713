"""The page behind a letter of a case: what it shows now, and which ways lead on to the billing provider."""

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.billing import Collection, DiscountReceipt, InvoiceEvidence, InvoiceStatus

LINKS_LIVE = dt.timedelta(days=180)
"""Business time for which a letter's link leads to its page: longer than any case writes and waits."""


class Way(StrEnum):
    """What a button of the page does: it leads to a page that the provider makes at that moment."""

    PAY = "pay"
    CARD = "card"
    RETURN = "return"


@dataclass(frozen=True)
class InvoicePage:
    """An invoice, for somebody who got a letter about it."""

    source_id: str
    """The connection through which it is collected."""
    invoice_key: str
    customer_name: str
    product_name: str
    number: str
    status: InvoiceStatus
    collection: Collection
    remaining_minor: int
    currency: str
    due_on: dt.date
    is_customer: bool
    """They have not left: another card has something to be charged for."""
    can_ask: bool
    """The invoice's provider is connected."""
    is_pending: bool = False
    """A payment is under way; known only once the provider was asked."""

    @property
    def is_owed(self) -> bool:
        """Whether anything is to be paid; what was written off may still be."""
        return self.status in {InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE} and not self.is_pending

    @property
    def ways(self) -> tuple[Way, ...]:
        """What makes sense now, the first one first."""
        if not self.can_ask:
            return ()
        takes_card = self.is_customer and self.collection is Collection.CHARGE
        card = (Way.CARD,) if takes_card and self.status is not InvoiceStatus.VOID else ()
        return (Way.PAY, *card) if self.is_owed else card

    def as_seen(self, found: InvoiceEvidence) -> "InvoicePage":
        """Return the page with what the provider has just said of the invoice."""
        return replace(
            self,
            status=found.status,
            collection=found.collection,
            remaining_minor=found.remaining_minor,
            is_pending=found.pending,
        )


@dataclass(frozen=True)
class PageOffer:
    """What somebody who left was offered, in a letter."""

    title: str
    code: str
    provider_key: str
    ends_on: dt.date | None
    is_open: bool
    """It can be used now."""


@dataclass(frozen=True)
class ReturnPage:
    """The way back, for somebody at a customer that has left."""

    source_id: str | None
    """The connection that can make a checkout, None without one."""
    customer_key: str
    subscription_key: str | None
    customer_name: str
    product_name: str
    is_customer: bool
    """They are back, or never quite left."""
    offer: PageOffer | None = None

    @property
    def ways(self) -> tuple[Way, ...]:
        """What makes sense now."""
        return () if self.is_customer or self.source_id is None else (Way.RETURN,)

    @property
    def receipt(self) -> DiscountReceipt | None:
        """The discount that the checkout is made with."""
        if self.offer is None or not self.offer.is_open:
            return None
        return DiscountReceipt(self.offer.provider_key, self.offer.code)


BillingPage = InvoicePage | ReturnPage


def has_ended(written_on: dt.date, today: dt.date) -> bool:
    """Whether a link of a letter of that day leads nowhere any more."""
    return today - written_on > LINKS_LIVE
