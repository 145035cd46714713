"""Drives the business days of a demo: facts each evening, people all day, pace and view beside them."""

import asyncio
import datetime as dt
import time
from collections.abc import Sequence
from itertools import groupby

from domain.facts import Fact
from domain.time import BusinessInstant, WallInstant, start_of_day
from integrations.simulators.sendgrid.mailbox_client import MailboxClient
from integrations.simulators.stripe.payer_client import PayerClient
from ml.simulation.life import TOLD_AT, at
from ml.simulation.payers import Moving
from ml.simulation.simulation import Simulation
from models import demo_live, demo_report
from models.clock import StoredClock, change_rate, postpone, wall_now
from models.database import Database
from workers.demo.billing import CardBilling
from workers.demo.options import DemoOptions
from workers.demo.payments import DemoPayments
from workers.demo.people import DemoPeople
from workers.demo.seed import store
from workers.demo.view import DemoView, Moment
from workers.pace import WINDOW_DAYS, PaceController, PaceLimits

PEOPLE_EVERY = dt.timedelta(hours=4)
VIEW_SECONDS, LOOK_SECONDS = 1.0, 0.5
NIGHT = dt.timedelta(hours=4)
"""After the last day's facts we wait until the night's scoring is over."""
DRAIN_SECONDS = 15.0
DAYS_BUDGET = 1.22
"""A demo that ends may take so many times its shortest days."""
LONGEST_FREE_DAY = 60.0
LONGEST_WARM_UP_SECONDS = 120.0
SHORT, POSTPONE_SECONDS = dt.timedelta(seconds=3), 3.0
"""Postponed while there is still time for every process to hear of it."""


class DemoDays:
    """One demo on a running stack."""

    def __init__(
        self,
        database: Database,
        clock: StoredClock,
        simulation: Simulation,
        options: DemoOptions,
        view: DemoView,
        moving: Moving,
    ) -> None:
        self._database = database
        self._clock = clock
        self._simulation = simulation
        self._options = options
        self._view = view
        self._moving = moving
        self._began = time.monotonic()
        self._pace = PaceController(database, clock, self._limits())

    async def run(self, mailbox: MailboxClient, stripe: PayerClient) -> None:
        """Live all days; without an end, go on for ever."""
        payments = DemoPayments(stripe, self._simulation)
        people = DemoPeople(self._database, self._simulation, mailbox, payments)
        await self._warm_up()
        beside = [self._pace.run(), self._play(people), self._watch()]
        tasks = [asyncio.create_task(job) for job in beside]
        days = asyncio.create_task(self._live(people, CardBilling(stripe, self._simulation.config)))
        try:
            done, _ = await asyncio.wait({days, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for finished in done:
                finished.result()
        finally:
            for task in (days, *tasks):
                task.cancel()
            await asyncio.gather(days, *tasks, return_exceptions=True)
        await self._drain(stripe)

    async def _warm_up(self) -> None:
        """Hold the beginning of business time back until every customer has a workflow and a score."""
        deadline = time.monotonic() + LONGEST_WARM_UP_SECONDS
        while (begin := self._clock.running_since) > wall_now() and time.monotonic() < deadline:
            async with self._database.transaction() as session:
                if await demo_live.is_warm(session):
                    break
                if begin - wall_now() < SHORT:
                    await postpone(session, POSTPONE_SECONDS)
            await self._clock.refresh(self._database)
            self._view.show(await self._moment())
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(max(0.0, (self._clock.running_since - wall_now()).total_seconds()))
        self._began = time.monotonic()

    async def _live(self, people: DemoPeople, billing: CardBilling) -> None:
        while not self._options.ends or self._number(self._simulation.next_day) < self._options.days:
            day = self._simulation.next_day
            await self._until(at(day, TOLD_AT[0]))
            told, orders = self._moving.sort(day, self._simulation.live(people.take_cares()))
            await self._tell(told)
            await billing.carry_out(orders)
            self._pace.limits = self._limits()
        await self._until(BusinessInstant(start_of_day(self._simulation.next_day) + NIGHT))

    async def _tell(self, facts: Sequence[Fact]) -> None:
        """Store each fact when it becomes known."""
        ordered = sorted(facts, key=lambda fact: fact.known_at)
        for known_at, told in groupby(ordered, key=lambda fact: fact.known_at):
            await self._until(known_at)
            await store(self._database, list(told))

    async def _play(self, people: DemoPeople) -> None:
        while True:
            await people.live(self._clock.now())
            await asyncio.sleep(PEOPLE_EVERY.total_seconds() / self._clock.rate)

    async def _watch(self) -> None:
        while True:
            self._view.show(await self._moment())
            await asyncio.sleep(VIEW_SECONDS)

    async def _moment(self) -> Moment:
        now = self._clock.now()
        since = WallInstant(wall_now() - dt.timedelta(seconds=WINDOW_DAYS * self._pace.day_seconds))
        async with self._database.transaction() as session:
            figures = await demo_live.live_figures(session)
            late = await demo_report.lateness(session, self._clock, since)
        return Moment(
            now, self._number(now.date()) + 1, self._options.days, self._pace.day_seconds, figures, late
        )

    async def _drain(self, stripe: PayerClient) -> None:
        """Let business time stand still, and wait until what was begun is settled, at most for a while."""
        async with self._database.transaction() as session:
            await change_rate(session, wall_now(), 0.0, "ended")
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            is_telling = await stripe.is_telling()
            async with self._database.transaction() as session:
                if not is_telling and not await demo_live.count_under_way(session):
                    return
            await asyncio.sleep(0.2)

    async def _until(self, due: BusinessInstant) -> None:
        """Sleep until a business instant, whatever becomes of the pace meanwhile."""
        while (now := self._clock.now()) < due:
            left = (due - now).total_seconds() / self._clock.rate
            await asyncio.sleep(min(left, LOOK_SECONDS) + 0.001)

    def _number(self, day: dt.date) -> int:
        return (day - self._options.start).days

    def _limits(self) -> PaceLimits:
        """Allow no longer days than what lets the demo end within its budget."""
        shortest = self._options.shortest_day
        if not self._options.ends:
            return PaceLimits(shortest, max(LONGEST_FREE_DAY, shortest))
        left = max(1, self._options.days - self._number(self._simulation.next_day))
        budget = self._options.days * shortest * DAYS_BUDGET - (time.monotonic() - self._began)
        return PaceLimits(shortest, max(shortest, budget / left))
