"""The holders of cards in a demo: whose card is refused, who mends it after which letter, who comes back."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from domain.case_vocabulary import CaseKind
from domain.time import BusinessInstant, after
from integrations.simulators.stripe.payer_client import Held, PayerClient, Unpaid
from ml.simulation.archetypes import Archetype
from ml.simulation.cards import Card
from ml.simulation.payer_habits import (
    answer_to,
    card_of,
    mends_anyway_at,
    pays_at_once,
    returns_after,
    will_be_refused,
)
from ml.simulation.payers import payers_of
from ml.simulation.simulation import Simulation
from models.demo_people import ReceivedMail
from workers.demo.billing import first_card

OK = "ok"
DRAFT = dt.timedelta(hours=1)
"""Between the end of a period and its charge."""
DAY = dt.timedelta(days=1)
COMES_BACK_AFTER = dt.timedelta(hours=12)
"""So long after a letter who comes back does so."""


@dataclass
class Holder:
    """One customer who pays by card, and what is under way with the card."""

    key: str
    is_story: bool
    """Whether failing to pay is its story; others only have a bad month."""
    fingerprint: str
    customer: str = ""
    """Who they are at Stripe."""
    result: str = OK
    """What the card says to the next charge."""
    cards: int = 1
    card: Card | None = None
    """The card while it is refused, or will be at the end of the period."""
    owes: str | None = None
    """The invoice that is owed since a charge was refused."""
    has_mended: bool = False
    """Another card has been entered since."""
    mends_at: BusinessInstant | None = None
    letters: int = 0
    returns_at: BusinessInstant | None = None
    """When somebody who has left subscribes again."""


class DemoPayments:
    """Plays the holders at the simulated Stripe. Everything that chance decides hangs on the seed."""

    def __init__(self, stripe: PayerClient, simulation: Simulation) -> None:
        """Take the account and the simulation in which payers live."""
        self._stripe, self._simulation = stripe, simulation
        self._seed = simulation.config.seed
        self._holders = {
            key: Holder(key, one.customer.archetype is Archetype.FAILING_PAYMENT, first_card(key))
            for key, one in payers_of(simulation.config).items()
        }

    async def live(self, now: BusinessInstant) -> None:
        """Let every holder do what is due."""
        held = await self._stripe.held()
        for key, holder in self._holders.items():
            if key in held:
                await self._look(holder, held[key], now)

    async def read(self, mail: ReceivedMail, now: BusinessInstant) -> None:
        """Let a holder read a letter about a payment, or about coming back."""
        holder = self._holders.get(mail.customer)
        if holder is None or mail.case is None:
            return
        if mail.case is CaseKind.WIN_BACK:
            has_code = await self._stripe.code_of(holder.customer) is not None
            if returns_after(self._seed, holder.key, mail.template or "", has_code=has_code):
                holder.returns_at = _earliest((holder.returns_at, after(now, COMES_BACK_AFTER)))
            return
        holder.letters += 1
        mends = answer_to(self._seed, holder.key, mail.template or "", holder.letters, now)
        holder.mends_at = _earliest((holder.mends_at, mends))

    async def _look(self, holder: Holder, held: Held, now: BusinessInstant) -> None:
        holder.customer = held.customer
        if held.is_gone:
            await self._after_the_end(holder, held, now)
        elif held.unpaid is not None:
            if holder.card is not None:
                await self._owing(holder, holder.card, held.unpaid, now)
        elif not held.is_being_billed:
            if holder.owes is not None:
                self._settled(holder)
            await self._expect(holder, held)

    async def _after_the_end(self, holder: Holder, held: Held, now: BusinessInstant) -> None:
        """Tell the simulation of who was cut off; let who wants to come back subscribe again."""
        if not self._simulation.has_left(holder.key):
            self._simulation.cut_off(holder.key)
        if holder.returns_at is not None and now >= holder.returns_at:
            await self._stripe.subscribe_again(held, await self._stripe.code_of(holder.customer))
            await self._enter_card(holder)
            self._settled(holder)
            self._simulation.subscribe_again(holder.key)

    async def _owing(self, holder: Holder, card: Card, unpaid: Unpaid, now: BusinessInstant) -> None:
        """Let the card be as its model says, until its holder wants to mend it."""
        if holder.owes is None:
            holder.owes = unpaid.id
            anyway = None if holder.is_story else mends_anyway_at(self._seed, holder.key, unpaid.failed_at)
            holder.mends_at = _earliest((holder.mends_at, card.mended_at, anyway))
        if holder.has_mended:
            return
        if holder.mends_at is None or now < holder.mends_at:
            await self._script(holder, OK if card.approves(now) else card.decline.code)
            return
        await self._enter_card(holder)
        holder.has_mended = True
        if pays_at_once(self._seed, holder.key, unpaid.failed_at):
            await self._stripe.pay(unpaid)

    async def _expect(self, holder: Holder, held: Held) -> None:
        """Decide before a period ends what its charge will come to."""
        refused = (
            self._simulation.meets_trouble_by(holder.key, (held.period_ends - DAY).date())
            if holder.is_story
            else will_be_refused(self._seed, holder.key, held.period_ends)
        )
        holder.card = card_of(self._seed, holder.key, after(held.period_ends, DRAFT)) if refused else None
        await self._script(holder, OK if holder.card is None else holder.card.decline.code)

    def _settled(self, holder: Holder) -> None:
        holder.owes, holder.card, holder.mends_at, holder.returns_at = None, None, None, None
        holder.has_mended, holder.letters = False, 0
        if holder.is_story:
            self._simulation.pays(holder.key)

    async def _script(self, holder: Holder, result: str) -> None:
        if holder.result != result:
            holder.result = result
            await self._stripe.script_card(holder.fingerprint, result)

    async def _enter_card(self, holder: Holder) -> None:
        holder.cards += 1
        holder.fingerprint, holder.result = f"{holder.key}-card-{holder.cards}", OK
        await self._stripe.enter_card(holder.customer, holder.fingerprint)


def _earliest(instants: Iterable[BusinessInstant | None]) -> BusinessInstant | None:
    return min((one for one in instants if one is not None), default=None)
