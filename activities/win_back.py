"""How a lost customer is won back: look at the provider, decide, make and take back discounts, write."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.exceptions import ApplicationError

from activities.billing_calls import OpenBilling, asking
from activities.contracts_cases import CaseOrder
from activities.deeds import Deeds
from activities.discounts import Made, discount_order, disputed_of, making, taking_back
from domain.billing import BillingProvider, DiscountOrder, DiscountReceipt
from domain.case_vocabulary import OfferState
from domain.errors import (
    NotFoundError,
    PermanentProviderError,
)
from domain.ports import Clock
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import StepState
from domain.win_back import decide_win_back
from domain.win_back_policy import WinBackPolicy
from domain.win_back_state import GRANT, WITHDRAW
from models.case_letters import CasePost
from models.case_steps import CaseVisit
from models.cases import CaseProgress, StoredCase, read_case
from models.database import Database, Session
from models.deed_places import CasePlace
from models.effects import Effect, find_effect
from models.installation import load_installation
from models.offers import offer_key, offers_of
from models.payers import Payer, find_payer
from models.posts import Post
from models.send_ledger import Become
from models.stored_offers import StoredOffer, note_granted
from models.win_back_letters import win_back_letter
from models.win_back_state import Seen, load_win_back, load_win_back_state
from models.win_backs import progress_of, settle_answers, write_decision

NO_PAYER = "no billing provider that is connected knows the customer any more"
"""What Temporal hears; a provider's own words stay with us."""


@dataclass(frozen=True)
class Before:
    """What the case had before it was looked at."""

    payer: Payer | None
    offers: Sequence[StoredOffer]
    effects: dict[int, Effect]
    """Of the offers that were made, by their number."""
    is_quiet: bool
    """Nobody is written to: nothing is offered."""


class WinBackMotion:
    """Handles customers that have left."""

    def __init__(self, database: Database, clock: Clock, open_billing: OpenBilling) -> None:
        """Take where everything is kept, both times, and who bills."""
        self._database, self._clock, self._open_billing = database, clock, open_billing
        self._deeds = Deeds(database, clock)

    async def look(self, case: StoredCase) -> Seen:
        """Ask the provider which offers were used, and what was disputed."""
        before = await self._before(case)
        if before.payer is None:
            return Seen()
        try:
            async with asking(), self._open_billing(before.payer.source_id) as provider:
                return await self._ask(provider, before.payer, before)
        except (NotFoundError, PermanentProviderError):  # nobody to ask: the case goes on without offers
            return Seen()

    async def _ask(self, provider: BillingProvider, payer: Payer, before: Before) -> Seen:
        used = [
            one.id
            for number, one in enumerate(before.offers, start=1)
            if one.state is OfferState.GRANTED and await _is_used(provider, payer, before.effects.get(number))
        ]
        if before.is_quiet:
            return Seen(used=frozenset(used))
        return Seen(
            can_grant=True,
            used=frozenset(used),
            disputed_payments=await disputed_of(provider, payer),
        )

    async def _before(self, case: StoredCase) -> Before:
        async with self._database.transaction() as session:
            row = await load_win_back(session, case.id)
            offers = await offers_of(session, case.id)
            effects = {
                number: await find_effect(session, CaseVisit(case.id, GRANT, number).origin)
                for number in range(1, len(offers) + 1)
            }
            made = {number: effect for number, effect in effects.items() if effect is not None}
            is_quiet = row.is_held_out or row.returned_at is not None
            return Before(await find_payer(session, case.customer_id), offers, made, is_quiet)

    async def decide(
        self, session: Session, case: StoredCase, seen: Seen, now: BusinessInstant, _wall: WallInstant
    ) -> CaseProgress:
        """Decide what comes next, and write what it changes."""
        policy = WinBackPolicy.model_validate(case.policy)
        await settle_answers(session, case, policy.offers.valid_days, now)
        state = await load_win_back_state(session, case, seen, now)
        decision = decide_win_back(state, policy, now)
        await write_decision(session, case, state, decision, now)
        return progress_of(decision, case.memory)

    async def perform(self, order: CaseOrder) -> str:
        """Have a discount made, or take one back that was not used."""
        async with self._database.transaction() as session:
            case = await read_case(session, order.case_id)
            payer = await find_payer(session, case.customer_id)
            offers = await offers_of(session, case.id)
            product = (await load_installation(session)).product_name
        if payer is None or order.occurrence > len(offers):
            raise ApplicationError(NO_PAYER, non_retryable=True)
        visit = CaseVisit(order.case_id, order.step, order.occurrence)
        place, offer = CasePlace(visit), offers[order.occurrence - 1]
        async with self._open_billing(payer.source_id) as provider:
            if order.kind == WITHDRAW:
                return await self._deeds.do(taking_back(place, provider, payer, offer, self._clock.now()))
            return await self._deeds.do(making(place, provider, _making(visit, payer, offer, product)))

    def post(self, order: CaseOrder) -> Post:
        """Return the letter of an order."""
        return CasePost(CaseVisit(order.case_id, order.step, order.occurrence), win_back_letter)


async def _is_used(provider: BillingProvider, payer: Payer, effect: Effect | None) -> bool:
    if effect is None:
        return False
    receipt = await provider.find_grant(payer.customer_key, effect.delivery_id)
    return receipt is not None and receipt.is_redeemed


def _making(visit: CaseVisit, payer: Payer, offer: StoredOffer, product: str) -> Made:
    """Return the discount of an offer: the same order at each attempt."""

    def order(delivery_id: str) -> DiscountOrder:
        return discount_order(offer, payer, product, delivery_id)

    async def wanted(session: Session, _now: BusinessInstant) -> str | None:
        return await _against_making(session, visit.case_id, offer.id)

    async def record(session: Session, receipt: DiscountReceipt) -> None:
        await note_granted(session, offer_key(visit), receipt, payer.source_id)

    return Made(payer, order, wanted, record, Become(StepState.DONE))


async def _against_making(session: Session, case_id: uuid.UUID, offer_id: uuid.UUID) -> str | None:
    """Say what speaks against a discount that is about to be made."""
    if (await load_win_back(session, case_id)).returned_at is not None:
        return "came_back"
    mine = next(one for one in await offers_of(session, case_id) if one.id == offer_id)
    return None if mine.state is OfferState.PROPOSED else "offer_is_over"
