import datetime as dt
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from domain.case_vocabulary import CaseKind
from domain.time import BusinessInstant, after, start_of_day
from integrations.simulators.server import SimulatorOptions
from integrations.simulators.stripe.account import STRIPE_KEY
from integrations.simulators.stripe.payer_client import PayerClient
from ml.simulation.payers import payers_of
from ml.simulation.portfolio import SampleConfig
from ml.simulation.simulation import Simulation
from models.demo_people import ReceivedMail
from tests.support.simulators import running_simulators
from workers.demo.billing import Move
from workers.demo.payments import DemoPayments

START = dt.date(2026, 9, 7)
CARDS = SampleConfig(40, START, 30, seed=2, card_share=0.5)
BAD_MONTH, STORY = "C-0029", "C-0021"
"""One who mends it in the same week and presses the button, and one whom only a letter moves to that."""
LOOK = dt.timedelta(hours=4)


@asynccontextmanager
async def moved(folder: Path) -> AsyncIterator[tuple[str, PayerClient, Simulation]]:
    """Run a simulated Stripe to which the payers of a portfolio have been moved."""
    simulation, move = Simulation(CARDS), Move(CARDS)
    move.sort(CARDS.history_start, simulation.introductions())
    for day, facts in simulation.history():
        move.sort(day, facts)
    async with running_simulators(SimulatorOptions(home=folder, port=0)) as url, PayerClient(url) as stripe:
        await move.carry_out(stripe, CARDS)
        yield url, stripe, simulation


async def live(
    stripe: PayerClient, simulation: Simulation, payments: DemoPayments, days: int
) -> BusinessInstant:
    """Let so many days pass, in which nobody charges anything but Stripe, once."""
    now = start_of_day(simulation.next_day)
    for _ in range(days):
        for _ in range(6):
            await stripe.set_clock(now)
            await payments.live(now)
            now = after(now, LOOK)
        simulation.live({})
    return now


def letter(customer: str, template: str, case: CaseKind, at: BusinessInstant) -> ReceivedMail:
    """Return a letter of a case, as its reader finds it."""
    return ReceivedMail(uuid.uuid4(), "d-1", customer, None, None, at, template, case)


async def cards_of(url: str, customer: str) -> list[str]:
    """Return the fingerprints of a customer's cards, the newest first."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {STRIPE_KEY}"}
        found = await http.get(f"/stripe/v1/customers/{customer}/payment_methods", headers=headers)
    return [one["card"]["fingerprint"] for one in found.json()["data"]]


async def test_payers_are_at_stripe_with_what_the_sample_says_they_pay(tmp_path: Path) -> None:
    async with moved(tmp_path) as (_, stripe, simulation):
        held = await stripe.held()
        here = {one.key for one in simulation.fates() if one.left_on is None}
        begun = {one.key for one in simulation.portfolio.customers if one.started_on < START}
        assert held.keys() == payers_of(CARDS).keys() & here & begun
        assert not any(one.is_gone or one.unpaid for one in held.values())
        assert all(start_of_day(START) < one.period_ends for one in held.values())
        assert await stripe.recovered() == (0, 0)


async def test_a_bad_month_is_mended_by_its_holder_and_a_story_waits_for_letters(tmp_path: Path) -> None:
    async with moved(tmp_path) as (url, stripe, simulation):
        payments = DemoPayments(stripe, simulation)
        now = await live(stripe, simulation, payments, 14)
        held = await stripe.held()
        charges = await stripe.control("GET", "/charges")
        refused = {one["customer"] for one in charges if one["status"] == "failed"}
        assert {held[BAD_MONTH].customer, held[STORY].customer} <= refused
        assert held[BAD_MONTH].unpaid is None
        assert await stripe.recovered() == (1, held[BAD_MONTH].amount_minor)
        assert await cards_of(url, held[BAD_MONTH].customer) == [f"{BAD_MONTH}-card-2", f"{BAD_MONTH}-card-1"]
        assert held[STORY].unpaid is not None
        assert await cards_of(url, held[STORY].customer) == [f"{STORY}-card-1"]
        for _ in range(20):
            await payments.read(letter(STORY, "payment-firm", CaseKind.DUNNING, now), now)
        await live(stripe, simulation, payments, 3)
        assert (await stripe.held())[STORY].unpaid is None
        assert await cards_of(url, held[STORY].customer) == [f"{STORY}-card-2", f"{STORY}-card-1"]
        assert not simulation.is_in_trouble(STORY), "who has paid is no longer in trouble"


async def test_who_is_cut_off_has_left_and_comes_back_by_a_letter(tmp_path: Path) -> None:
    async with moved(tmp_path) as (_, stripe, simulation):
        payments = DemoPayments(stripe, simulation)
        now = await live(stripe, simulation, payments, 1)
        key, lost = next(iter((await stripe.held()).items()))
        await stripe.end(lost, None)
        await payments.live(now)
        assert simulation.has_left(key)
        for number in range(1, 30):
            await payments.read(letter(key, f"win-back-{number}", CaseKind.WIN_BACK, now), now)
        await live(stripe, simulation, payments, 2)
        back = (await stripe.held())[key]
        assert not back.is_gone
        assert (back.customer, back.amount_minor) == (lost.customer, lost.amount_minor)
        assert back.subscription != lost.subscription
        assert not simulation.has_left(key)
