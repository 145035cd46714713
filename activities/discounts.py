"""How a discount is made at the billing provider and taken back: for cases and for runs alike."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from activities.deeds import Doing
from domain.billing import BillingProvider, DiscountOrder, DiscountReceipt
from domain.case_vocabulary import OfferState
from domain.offers import AMOUNT
from domain.step_offers import shape_of
from domain.time import BusinessInstant
from domain.vocabulary import EffectState, StepState
from models.database import Session
from models.deed_places import Place
from models.deeds import Deed, Outcome, Wanted
from models.effects import Effect
from models.payers import Payer
from models.send_ledger import Become
from models.stored_offers import StoredOffer, move_offer


@dataclass(frozen=True)
class Made:
    """What is to be made for whom, and what that changes."""

    payer: Payer
    order: Callable[[str], DiscountOrder]
    """Says what is asked for under a delivery id: the same at each attempt."""
    wanted: Wanted
    record: Callable[[Session, DiscountReceipt], Awaitable[None]]
    become: Become
    """What the step has become once it is made."""


def making(place: Place, provider: BillingProvider, made: Made) -> Doing[DiscountReceipt]:
    """Return how a discount is made once."""
    payer, terms = made.payer, made.order("")

    async def call(delivery_id: str) -> DiscountReceipt:
        return await provider.grant(made.order(delivery_id))

    async def look_up(effect: Effect) -> DiscountReceipt | None:
        return await provider.find_grant(payer.customer_key, effect.delivery_id)

    async def record(session: Session, _effect: Effect, receipt: DiscountReceipt) -> None:
        await made.record(session, receipt)

    def judge(receipt: DiscountReceipt) -> Outcome:
        become = replace(made.become, detail={"receipt": receipt.key})
        return Outcome(EffectState.CONFIRMED, become, receipt.key)

    deed = Deed(place, "discount", payer.customer_key, provider.name, _payload(terms))
    return Doing(deed, made.wanted, call, look_up, provider.remembers_for, judge, record)


def _payload(terms: DiscountOrder) -> dict[str, object]:
    """Return what makes it the same discount at each attempt."""
    amount = {} if terms.amount_minor is None else {"amount": terms.amount_minor, "currency": terms.currency}
    return {
        "percent": terms.percent,
        "months": terms.months,
        "expires_at": str(terms.expires_at),
        **amount,
    }


def taking_back(
    place: Place, provider: BillingProvider, payer: Payer, offer: StoredOffer, now: BusinessInstant
) -> Doing[bool]:
    """Return how an unused discount is ended; to end it twice does no harm."""

    async def call(delivery_id: str) -> bool:
        await provider.withdraw(offer.provider_key or "", delivery_id)
        return True

    async def look_up(_effect: Effect) -> bool | None:
        return None

    async def wanted(_session: Session, _now: BusinessInstant) -> str | None:
        return None

    async def record(session: Session, _effect: Effect, _done: bool) -> None:  # noqa: FBT001  a result
        await move_offer(session, offer.id, OfferState.WITHDRAWN, now)

    deed = Deed(place, "withdrawal", payer.customer_key, provider.name, {"offer": offer.provider_key})
    sentence = f"Took back “{offer.title}”, which was not used."
    done = Outcome(EffectState.CONFIRMED, Become(StepState.DONE, sentence=sentence))
    return Doing(deed, wanted, call, look_up, provider.remembers_for, lambda _done: done, record)


async def disputed_of(provider: BillingProvider, payer: Payer) -> int:
    """Return how many of the newest invoices were disputed."""
    found = [await provider.invoice(key) for key in payer.invoices]
    return sum(one is not None and one.is_disputed for one in found)


def discount_order(offer: StoredOffer, payer: Payer, product: str, delivery_id: str) -> DiscountOrder:
    """Return what is asked of the provider: a share for some months, or an amount off one invoice."""
    amount_minor = offer.cost_minor if AMOUNT in offer.evidence else None
    shape = shape_of(offer.kind, offer.percent, offer.months, amount_minor)
    return DiscountOrder(
        delivery_id=delivery_id,
        customer_key=payer.customer_key,
        name=f"{product}: {offer.title}",
        percent=shape.percent,
        amount_minor=shape.amount_minor,
        currency=offer.currency or "" if shape.amount_minor is not None else "",
        months=shape.months,
        expires_at=offer.expires_at,
        metadata={"everstay_offer": str(offer.id)},
    )
