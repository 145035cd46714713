"""The simulated Stripe of a demo: customers are moved to it, and what they buy and end is told to it."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from domain.billing import FinalAction
from domain.dunning_policy import DunningPolicy, Notices, RetrySchedule
from domain.facts import Fact
from domain.time import BusinessInstant
from domain.win_back_policy import WinBackPolicy
from integrations.simulators.stripe.account import WEBHOOK_SECRET
from integrations.simulators.stripe.payer_client import KEY, PayerClient
from ml.simulation.life import at
from ml.simulation.payers import BILLED_AT, Begin, End, Moving, Order, payers_of
from ml.simulation.portfolio import SampleConfig
from models.database import Session
from models.dunning_policies import save_dunning_policy
from models.win_back_policy import save_win_back_policy
from settings import Settings
from workers.connecting import ConnectOrder, connect_provider

STRIPE = "stripe"
TOKEN, SECRET = "SIMULATED_STRIPE_TOKEN", "SIMULATED_STRIPE_SECRET"
PULL_EVERY = "1m"
HEARD = (
    "customer.created", "customer.subscription.created", "customer.subscription.updated",
    "customer.subscription.deleted", "invoice.finalized", "invoice.paid", "invoice.payment_failed",
    "invoice.voided", "invoice.marked_uncollectible", "payment_method.attached",
)  # fmt: skip
"""Of what we are told by webhook: each of them changes something here."""
DUNNING = DunningPolicy(
    retries=RetrySchedule(within_days=10),
    notices=Notices(after_days=(1, 4, 8)),
    grace_days=4,
    final_action=FinalAction.CANCEL,
)
"""Shorter than the default, so that cases of two months reach every stage."""
WIN_BACK = WinBackPolicy(days=(1, 4, 10, 20, 40), offer_from=2)


class CardBilling:
    """Carries orders out, one after the other."""

    def __init__(self, stripe: PayerClient, config: SampleConfig) -> None:
        """Take the account, and who pays by card."""
        self._stripe = stripe
        self._customers = {key: payer.customer for key, payer in payers_of(config).items()}

    async def carry_out(self, orders: Sequence[Order]) -> None:
        """Do at Stripe what is ordered; of who has nothing there any more, nothing can be changed."""
        held = await self._stripe.held() if any(not isinstance(one, Begin) for one in orders) else {}
        for order in orders:
            running = held.get(order.key)
            if isinstance(order, Begin):
                await self._begin(order)
            elif running is None or running.is_gone:
                continue
            elif isinstance(order, End):
                await self._stripe.end(running, order.reason)
            elif order.mrr_minor != running.amount_minor:
                await self._stripe.resize(running, self._customers[order.key].plan, order.mrr_minor)

    async def _begin(self, order: Begin) -> None:
        customer = self._customers[order.key]
        company: dict[str, Any] = {
            "name": customer.name,
            "email": customer.contacts[1].email,
            "amount": order.mrr_minor,
            "currency": "usd",
            "plan": customer.plan,
            "card": {"fingerprint": first_card(order.key)},
            "metadata": {KEY: order.key},
        }
        await self._stripe.control("POST", "/companies", company)


def first_card(key: str) -> str:
    """Return the fingerprint of the card with which a customer begins."""
    return f"{key}-card-1"


class Move:
    """The month before the first live day, in which payers are moved to Stripe."""

    def __init__(self, config: SampleConfig) -> None:
        """Begin with nobody moved."""
        self._moving = Moving(config)
        self._days: list[tuple[dt.date, list[Order]]] = []

    def sort(self, day: dt.date, facts: Sequence[Fact]) -> list[Fact]:
        """Keep a day's orders for Stripe, and return what the sample's source tells."""
        told, orders = self._moving.sort(day, facts)
        if orders:
            self._days.append((day, orders))
        return told

    async def carry_out(self, stripe: PayerClient, config: SampleConfig) -> None:
        """Live the days again at an empty account, whose clock then stands at the first live day."""
        await stripe.control("POST", "/reset")
        billing = CardBilling(stripe, config)
        for day, orders in self._days:
            await stripe.set_clock(at(day, BILLED_AT))
            await billing.carry_out(orders)
        await stripe.set_clock(at(config.start, 0))


async def connect(settings: Settings, stripe: PayerClient) -> None:
    """Connect Stripe on the demo's clock, with us as the one who retries, and have it tell of its events."""
    await connect_provider(
        ConnectOrder(
            provider=STRIPE,
            name="Stripe",
            token_env=TOKEN,
            webhook_secret_env=SECRET,
            base_url=f"{settings.simulators_url}/stripe",
            every=PULL_EVERY,
            options=("retries=everstay", "clock=business"),
            customers=False,
            check=False,
        )
    )
    told = {"url": f"{settings.local_url}/webhooks/{STRIPE}", "secret": WEBHOOK_SECRET}
    await stripe.control("PUT", "/webhook", {**told, "enabled_events": list(HEARD)})


async def put_policies(session: Session, now: BusinessInstant) -> None:
    """Put dunning and win-back policies in force that fit two months."""
    await save_dunning_policy(session, DUNNING, None, now)
    await save_win_back_policy(session, WIN_BACK, None, now)
