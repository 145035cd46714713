"""The step `offer` after a person's yes: the code is made at the customer's billing provider exactly once."""

from dataclasses import dataclass

from temporalio import activity

from activities.billing_calls import NO_ANSWER, OpenBilling
from activities.deeds import PUT_OFF, Deeds
from activities.delays import ask_again_soon
from activities.discounts import Made, discount_order, disputed_of, making
from domain.billing import BillingProvider, DiscountOrder, DiscountReceipt
from domain.case_vocabulary import OfferState
from domain.errors import (
    NotFoundError,
    PermanentProviderError,
    TransientProviderError,
    UncertainDeliveryError,
)
from domain.guard import Defer
from domain.ports import Clock
from domain.run_offers import GRANTED
from domain.time import BusinessInstant, after
from domain.vocabulary import StepState
from models.database import Database, Session
from models.deed_places import RunPlace
from models.effects import find_effect
from models.installation import load_installation
from models.payers import Payer, find_payer
from models.playbooks import PlaybookShelf
from models.run_offers import against_run_offer, grant_without_code, run_offer_key
from models.send_ledger import Become
from models.step_context import put_off
from models.step_records import Became, LoadedVisit, load_visit
from models.stored_offers import StoredOffer, note_granted, offer_by

NO_BILLING = "no billing provider that is connected knows the customer"
AWAY_FOR_GOOD = "their billing provider cannot be reached for good"


@dataclass(frozen=True)
class _Before:
    """What is known of the offer before anybody is asked."""

    offer: StoredOffer
    payer: Payer | None
    product: str
    is_begun: bool
    """An attempt has claimed it, and may have reached the provider."""


class OfferPerformer:
    """Makes the discount of one visit, or says plainly that it is granted without a code."""

    def __init__(
        self, database: Database, clock: Clock, shelf: PlaybookShelf, open_billing: OpenBilling
    ) -> None:
        """Take the system of record, both times, the playbooks, and how the account of a source is opened."""
        self._database, self._clock, self._shelf, self._open = database, clock, shelf, open_billing
        self._deeds = Deeds(database, clock)

    async def perform(self, loaded: LoadedVisit) -> Became:
        """Have it made; safe to repeat at any point."""
        before = await self._before(loaded)
        if before.payer is None:
            return await self._without_code(loaded, before, NO_BILLING)
        try:
            async with self._open(before.payer.source_id) as provider:
                disputed = await disputed_of(provider, before.payer)
                await self._make(loaded, before, before.payer, provider, disputed)
        except (TransientProviderError, UncertainDeliveryError) as error:  # of a question: it changed nothing
            return self._later(loaded, error)
        except (NotFoundError, PermanentProviderError):
            return await self._without_code(loaded, before, AWAY_FOR_GOOD)
        async with self._database.transaction() as session:
            row = await load_visit(session, loaded.visit, self._shelf)
        return Became(row.state, row.reason, due_at=row.due_at)

    def _later(self, loaded: LoadedVisit, error: TransientProviderError | UncertainDeliveryError) -> Became:
        """Ask again soon, a few times; then put the step off by business time."""
        ask_again_soon(error, NO_ANSWER, activity.info().attempt)
        until = after(self._clock.now(), PUT_OFF)
        return put_off(loaded, Defer(until, "provider_unavailable"), str(error).rstrip("."))

    async def _before(self, loaded: LoadedVisit) -> _Before:
        async with self._database.transaction() as session:
            return _Before(
                await offer_by(session, run_offer_key(loaded.visit)),
                await find_payer(session, loaded.customer_id),
                (await load_installation(session)).product_name,
                await find_effect(session, loaded.visit.origin) is not None,
            )

    async def _make(
        self,
        loaded: LoadedVisit,
        before: _Before,
        payer: Payer,
        provider: BillingProvider,
        disputed: int,
    ) -> None:
        offer, key = before.offer, run_offer_key(loaded.visit)

        def order(delivery_id: str) -> DiscountOrder:
            return discount_order(offer, payer, before.product, delivery_id)

        async def wanted(session: Session, now: BusinessInstant) -> str | None:
            mine = await offer_by(session, key)
            is_late = mine.expires_at is not None and mine.expires_at <= now
            if is_late or mine.state is not OfferState.PROPOSED:
                return "offer_is_over"
            against = await against_run_offer(
                session, loaded.customer_id, now, except_for=key, disputed_payments=disputed
            )
            return against.reason if against is not None else None

        async def record(session: Session, receipt: DiscountReceipt) -> None:
            await note_granted(session, key, receipt, payer.source_id)

        sentence = f"Granted “{offer.title}”, with a code of the customer's own at {provider.name}."
        become = Become(StepState.DONE, GRANTED, sentence=sentence)
        place = RunPlace(loaded.visit, self._shelf)
        await self._deeds.do(making(place, provider, Made(payer, order, wanted, record, become)))

    async def _without_code(self, loaded: LoadedVisit, before: _Before, why: str) -> Became:
        """Grant it as it is; where a code may have been made already, that is found out first."""
        if before.is_begun:
            raise NotFoundError(what="billing provider of a discount in doubt", key=loaded.visit.origin)
        async with self._database.transaction() as session:
            await grant_without_code(session, run_offer_key(loaded.visit))
        sentence = f"Granted “{before.offer.title}” without a code: {why}. Take it off the price by hand."
        return Became(StepState.DONE, GRANTED, sentence, detail={"without_code": why})
