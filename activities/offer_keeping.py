"""What becomes of offers of runs once they are made: used, over, or taken back when their run has ended."""

from temporalio.exceptions import ApplicationError

from activities.billing_calls import OpenBilling
from activities.deeds import Deeds
from activities.discounts import taking_back
from domain.case_vocabulary import OfferState
from domain.errors import EverstayError
from domain.ports import Clock
from domain.vocabulary import EffectState
from models.customer_state import lock_customer
from models.database import Database
from models.deed_places import OfferPlace
from models.effects import settle
from models.kept_offers import KeptOffer, load_kept_offer, note_found, open_run_offers
from models.stored_offers import move_offer

AWAY = (ApplicationError, EverstayError)
"""What keeps one offer from being looked at now; it is again at the next look, as the others are now."""

NOT_MADE = "the provider has not made it, and its run has ended"


class OfferKeeper:
    """Looks at every offer of a run that is not over. The provider is asked: a lost webhook loses nothing."""

    def __init__(self, database: Database, clock: Clock, open_billing: OpenBilling) -> None:
        """Take the system of record, both times, and how the account of a source is opened."""
        self._database, self._clock, self._open = database, clock, open_billing
        self._deeds = Deeds(database, clock, attempt=lambda: 1)

    async def look(self) -> list[str]:
        """Look at each once; return the keys of those that could not be looked at now."""
        async with self._database.transaction() as session:
            keys = await open_run_offers(session)
        missed = []
        for key in keys:
            try:
                await self._look_at(key)
            except AWAY:
                missed.append(key)
        return missed

    async def _look_at(self, key: str) -> None:
        async with self._database.transaction() as session:
            kept = await load_kept_offer(session, key)
        if kept.offer.state is OfferState.GRANTED:
            await self._made(kept)
        else:
            await self._proposed(key, kept)

    async def _made(self, kept: KeptOffer) -> None:
        """Note whether it was used or is over; take it back where its run has not ended well."""
        if kept.payer is None or kept.effect is None:
            return
        async with self._open(kept.payer.source_id) as provider:
            receipt = await provider.find_grant(kept.payer.customer_key, kept.effect.delivery_id)
            if receipt is not None and receipt.is_redeemed:
                await self._move(kept, OfferState.REDEEMED)
            elif kept.offer.expires_at is not None and kept.offer.expires_at <= self._clock.now():
                await self._move(kept, OfferState.EXPIRED)
            elif not kept.is_promised:
                place = OfferPlace(kept.customer_id, kept.visit)
                doing = taking_back(place, provider, kept.payer, kept.offer, self._clock.now())
                await self._deeds.do(doing)

    async def _proposed(self, key: str, kept: KeptOffer) -> None:
        """Find out what became of one that was agreed to and never recorded; close what its run left."""
        effect, payer = kept.effect, kept.payer
        is_made = kept.may_be_made(self._clock.wall_now())
        if is_made is None or (is_made and payer is None):
            return  # somebody is at it, or nobody can be asked now
        if is_made and payer is not None and effect is not None:
            async with self._open(payer.source_id) as provider:
                receipt = await provider.find_grant(payer.customer_key, effect.delivery_id)
            if receipt is not None:
                async with self._database.transaction() as session:
                    now, wall = self._clock.now(), self._clock.wall_now()
                    await note_found(session, key, kept, receipt, now, wall)
                return
        if kept.has_ended:
            await self._close(kept)

    async def _close(self, kept: KeptOffer) -> None:
        """End what a run left behind and no provider has made."""
        effect, is_agreed = kept.effect, kept.offer.decided_at is not None
        if effect is not None and effect.state is EffectState.CLAIMED:
            async with self._database.transaction() as session:
                wall = self._clock.wall_now()
                await settle(session, effect.key, EffectState.FAILED, wall, error=NOT_MADE)
        await self._move(kept, OfferState.WITHDRAWN if is_agreed else OfferState.EXPIRED)

    async def _move(self, kept: KeptOffer, state: OfferState) -> None:
        async with self._database.transaction() as session:
            await lock_customer(session, kept.customer_id)
            await move_offer(session, kept.offer.id, state, self._clock.now())
