"""What we ask of a billing provider: how an invoice stands, one attempt to collect it, what is given away.

Whatever costs money carries a delivery id of ours. The provider takes the same id twice as one request for
`remembers_for`; after that it is asked what became of it, and never blindly asked to do it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from domain.time import BusinessInstant


class Collection(StrEnum):
    """How an invoice is paid: we charge a method on file, or the customer transfers money."""

    CHARGE = "charge"
    TRANSFER = "transfer"


class Retries(StrEnum):
    """Who tries a failed charge again: declared per connection, and checked against the provider."""

    EVERSTAY = "everstay"
    PROVIDER = "provider"


BILLING_PROVIDERS = frozenset({"stripe"})
"""Providers through which an invoice can be collected; others only tell of theirs."""


def retries_of(options: Mapping[str, Any]) -> Retries:
    """Return who retries by a connection's options: the provider, unless it is declared otherwise.

    A ValueError says that the option holds another word.
    """
    return Retries(options.get("retries") or Retries.PROVIDER)


class InvoiceStatus(StrEnum):
    """Where an invoice stands at the provider."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


class FinalAction(StrEnum):
    """What becomes of the subscription when nothing more is tried."""

    KEEP = "keep"
    PAUSE = "pause"
    CANCEL = "cancel"


@dataclass(frozen=True)
class PaymentMethod:
    """What would be charged. Nothing of it goes to Temporal; the key counts attempts per card."""

    key: str
    """The same for the same card or account, also where it was entered twice."""
    brand: str = ""
    last4: str = ""
    country: str = ""
    expires: tuple[int, int] | None = None
    """Year and month."""


@dataclass(frozen=True)
class Decline:
    """Why a charge was refused, in the words of provider, network and issuer."""

    code: str
    advice: str = ""
    """`try_again_later`, `confirm_card_data` or `do_not_try_again`, where the network gave one."""
    network_code: str = ""
    network_advice: str = ""
    """Mastercard's merchant advice code, such as 03 or 21, where there is one."""
    at: BusinessInstant | None = None


@dataclass(frozen=True)
class InvoiceEvidence:
    """One invoice as the provider has it now. Money is in minor units."""

    key: str
    customer_key: str
    status: InvoiceStatus
    collection: Collection
    currency: str
    due_minor: int
    paid_minor: int
    remaining_minor: int
    issued_at: BusinessInstant
    due_at: BusinessInstant
    subscription_key: str | None = None
    subscription_status: str = ""
    attempts: int = 0
    next_attempt_at: BusinessInstant | None = None
    """When the provider itself will try again: whoever retries as well would charge twice."""
    method: PaymentMethod | None = None
    decline: Decline | None = None
    is_disputed: bool = False
    is_paused: bool = False
    """Collection was paused at the provider."""
    pending: bool = False
    """A payment is under way, such as a debit or a transfer that has not settled."""
    pay_url: str = ""
    """A page of the provider where the customer pays this invoice or enters another card."""


@dataclass(frozen=True)
class PaymentResult:
    """What one attempt came to."""

    succeeded: bool
    key: str = ""
    decline: Decline | None = None
    needs_customer: bool = False
    """The issuer asks the customer to confirm (strong authentication)."""
    pending: bool = False
    amount_minor: int = 0
    at: BusinessInstant | None = None


@dataclass(frozen=True)
class DiscountOrder:
    """A discount for one customer: single use, expiring, and worth nothing to anybody else."""

    delivery_id: str
    customer_key: str
    name: str
    percent: float | None = None
    amount_minor: int | None = None
    currency: str = ""
    months: int | None = None
    """How many months it lasts; None is once."""
    expires_at: BusinessInstant | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DiscountReceipt:
    """What the provider made: the code that the customer enters, and the provider's own key."""

    key: str
    code: str
    is_redeemed: bool = False


@dataclass(frozen=True)
class RecoveryLink:
    """A page of the provider on which the customer mends what is wrong."""

    url: str
    expires_at: BusinessInstant | None = None


class BillingProvider(Protocol):
    """One account at a billing provider.

    Every call raises TransientProviderError when it certainly changed nothing and may be repeated,
    PermanentProviderError when it never will, and UncertainDeliveryError when nobody knows. A declined charge
    is no error but a result.
    """

    name: str
    remembers_for: timedelta
    """How long the same delivery id is one request, by wall time."""

    async def check(self) -> str:
        """Say in a sentence what the credentials may do."""
        ...

    async def invoice(self, key: str) -> InvoiceEvidence | None:
        """Return an invoice as it is now, None where there is none."""
        ...

    async def collect(self, invoice_key: str, delivery_id: str) -> PaymentResult:
        """Charge the method on file once."""
        ...

    async def find_collection(self, invoice_key: str, since: BusinessInstant) -> PaymentResult | None:
        """Return what became of an attempt since an instant, None where there was authoritatively none."""
        ...

    async def update_link(self, customer_key: str, return_url: str) -> RecoveryLink:
        """Return a page on which the customer enters another card."""
        ...

    async def end_subscription(self, key: str, action: FinalAction, delivery_id: str, reason: str) -> None:
        """Pause or cancel a subscription whose invoice was not paid; `keep` does nothing."""
        ...

    async def write_off(self, invoice_key: str, delivery_id: str) -> None:
        """Mark an invoice as uncollectible."""
        ...

    async def grant(self, order: DiscountOrder) -> DiscountReceipt:
        """Make a discount that only this customer can use, once."""
        ...

    async def find_grant(self, customer_key: str, delivery_id: str) -> DiscountReceipt | None:
        """Return a discount that was made before, and whether it was used; None where there is none."""
        ...

    async def withdraw(self, receipt_key: str, delivery_id: str) -> None:
        """End a discount that was not used."""
        ...

    async def reactivation_link(
        self,
        customer_key: str,
        subscription_key: str | None,
        discount: DiscountReceipt | None,
        return_url: str,
    ) -> RecoveryLink | None:
        """Return a page on which a former customer subscribes again to what they had.

        The same page as long as it is open and its terms are the same; None where they subscribe already.
        """
        ...
