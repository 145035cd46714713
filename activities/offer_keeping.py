"""What becomes of offers of runs once they are made: used, over, or taken back when their run has ended."""

from temporalio.exceptions import ApplicationError

from activities.billing_calls import OpenBilling
from activities.deeds import Deeds
from activities.discounts import taking_back
from domain.case_vocabulary import OfferState
from domain.errors import EverstayError
from domain.kept_offers import Making, end_of_granted, end_of_proposed, is_promised, making_of
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
            end = end_of_granted(
                is_redeemed=receipt is not None and receipt.is_redeemed,
                expires_at=kept.offer.expires_at,
                is_promised=is_promised(has_ended=kept.has_ended, outcome=kept.outcome),
                now=self._clock.now(),
            )
            if end is OfferState.WITHDRAWN:
                place = OfferPlace(kept.customer_id, kept.visit)
                doing = taking_back(place, provider, kept.payer, kept.offer, self._clock.now())
                await self._deeds.do(doing)
            elif end is not None:
                await self._move(kept, end)

    async def _proposed(self, key: str, kept: KeptOffer) -> None:
        """Find out what became of one that was agreed to and never recorded; close what its run left."""
        effect = kept.effect
        making = Making.NOT_MADE
        if effect is not None:
            making = making_of(effect.state, effect.lease_until, self._clock.wall_now())
        if making is Making.UNDER_WAY or (making is Making.UNKNOWN and kept.payer is None):
            return  # somebody is at it, or nobody can be asked now
        if making is Making.UNKNOWN and await self._is_found(key, kept):
            return
        end = end_of_proposed(has_ended=kept.has_ended, is_agreed=kept.offer.decided_at is not None)
        if end is not None:
            await self._close(kept, end)

    async def _is_found(self, key: str, kept: KeptOffer) -> bool:
        """Ask the provider, and note what it has made."""
        assert kept.payer is not None  # noqa: S101 - the caller has seen both
        assert kept.effect is not None  # noqa: S101 - for the type checker
        async with self._open(kept.payer.source_id) as provider:
            receipt = await provider.find_grant(kept.payer.customer_key, kept.effect.delivery_id)
        if receipt is None:
            return False
        async with self._database.transaction() as session:
            await note_found(session, key, kept, receipt, self._clock.now(), self._clock.wall_now())
        return True

    async def _close(self, kept: KeptOffer, end: OfferState) -> None:
        """End what a run left behind and no provider has made."""
        effect = kept.effect
        if effect is not None and effect.state is EffectState.CLAIMED:
            async with self._database.transaction() as session:
                wall = self._clock.wall_now()
                await settle(session, effect.key, EffectState.FAILED, wall, error=NOT_MADE)
        await self._move(kept, end)

    async def _move(self, kept: KeptOffer, state: OfferState) -> None:
        async with self._database.transaction() as session:
            await lock_customer(session, kept.customer_id)
            await move_offer(session, kept.offer.id, state, self._clock.now())
