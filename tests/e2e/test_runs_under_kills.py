"""Workers are killed at random, again and again: every run ends with an outcome, nothing is done twice."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from sqlalchemy import Select
from temporalio.client import WorkflowExecutionStatus

from models.demo_report import most_emails_per_customer_day
from settings import Settings
from tests.e2e.kills import records
from tests.e2e.kills.killer import kill_workers
from tests.e2e.kills.portfolio import Portfolio, open_portfolio
from tests.e2e.kills.provider import Provider
from tests.e2e.kills.records import Histories, Mailbox, count, rows
from tests.e2e.kills.stack import PROGRAM
from tests.support.homes import temporary_home
from tests.support.simulators import Receiver, running_receiver
from tests.workers.embedded.support import fresh_settings
from workers.clock_refresh import keep_fresh
from workers.embedded.control import start_detached, stop_running
from workers.embedded.parts import WORKERS
from workers.embedded.runtime import locate

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class KillOptions:
    """How long it goes on, and over how many."""

    customers: int
    kills: int
    day_seconds: float
    told_per_second: int
    provider_seconds: float = 3.0
    """How long the provider takes to answer: who is killed meanwhile leaves a call in doubt."""
    desk_seconds: float = 3.0
    """The same for the endpoint; it is a minute before such a call is taken up again."""
    calm_seconds: float = 5.0
    settle_seconds: float = 240.0
    seed: int = 7


SHORT = KillOptions(customers=20, kills=5, day_seconds=2.5, told_per_second=1, desk_seconds=0.1)
LONG = KillOptions(customers=300, kills=200, day_seconds=4.0, told_per_second=2, settle_seconds=900.0)
"""Half of what is told opens signals: about one run begins each second."""
QUIET_LOOKS = 4
SHARE_WITH_WEBHOOKS = 0.5
MAIL, WEBHOOK = {"email", "internal_email"}, "webhook"
OUTCOMES_OF_A_RUN = {"saved", "no_change"}


@dataclass(frozen=True)
class Ended:
    """Everything that anybody has written down once all is over."""

    options: KillOptions
    killed: list[str]
    outcomes: dict[str, str]
    effects: list[tuple[Any, ...]]
    mailbox: Mailbox
    desk: Receiver
    histories: Histories
    seconds_of_kills: float
    wall_seconds: float


@pytest.fixture
def stack() -> Iterator[Settings]:
    """A stack of the test's own, whose endpoints may be on this machine."""
    with pytest.MonkeyPatch.context() as environment, temporary_home() as home:
        environment.setenv("EVERSTAY_WEBHOOK_PRIVATE_ADDRESSES", "true")
        environment.setenv("EVERSTAY_LOG_LEVEL", "warning")
        settings = fresh_settings(home)
        start_detached(settings, lambda _: None, program=PROGRAM)
        try:
            yield locate(settings)
        finally:
            stop_running(settings)


@contextlib.asynccontextmanager
async def running_beside(portfolio: Portfolio, options: KillOptions) -> AsyncIterator[None]:
    """Let signals come and go meanwhile."""
    live = portfolio.live(random.Random(options.seed), options.told_per_second)
    task = asyncio.create_task(live)
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def settled(portfolio: Portfolio, query: str | Select[tuple[int]], seconds: float) -> None:
    """Wait until a query finds nothing, some times in a row."""
    deadline, quiet = time.monotonic() + seconds, 0
    while quiet < QUIET_LOOKS:
        left = await count(portfolio.database, query)
        quiet = quiet + 1 if left == 0 else 0
        assert time.monotonic() < deadline, f"{left} left of: {query}"
        await asyncio.sleep(0.25)


async def kill_while_there_is_life(stack: Settings, portfolio: Portfolio, options: KillOptions) -> list[str]:
    """Return the victims, in their order."""
    chance, killed = random.Random(options.seed), []
    async with running_beside(portfolio, options):
        victims = kill_workers(stack.home, chance, options.kills, options.calm_seconds)
        async with Provider(stack.simulators_url, options.provider_seconds) as provider:
            async for victim in victims:
                killed.append(victim)
                await provider.tell(of_its_messages=chance.random() < SHARE_WITH_WEBHOOKS)
    return killed


async def let_all_end(portfolio: Portfolio, options: KillOptions) -> None:
    """Open nothing more, wait for every outcome, and let time stand still."""
    await portfolio.calm()
    await settled(portfolio, records.RUNS_OPEN, options.settle_seconds)
    await settled(portfolio, records.UNDER_WAY, options.settle_seconds)
    await portfolio.stop_time()
    await settled(portfolio, records.UNDER_WAY, options.settle_seconds)


async def run_all(stack: Settings, options: KillOptions) -> tuple[Portfolio, Ended]:
    """Do it, and read what was written down by each."""
    began, desk = time.monotonic(), Receiver(seconds=options.desk_seconds)
    async with running_receiver(desk) as url:
        portfolio = await open_portfolio(stack, options.customers, options.day_seconds, url)
        fresh = asyncio.create_task(keep_fresh(portfolio.clock, portfolio.database))
        try:
            killed = await kill_while_there_is_life(stack, portfolio, options)
            seconds_of_kills = time.monotonic() - began
            await let_all_end(portfolio, options)
        finally:
            fresh.cancel()
            await asyncio.gather(fresh, return_exceptions=True)
    await records.until_listed(portfolio.client, options.customers)
    ended = Ended(
        options,
        killed,
        dict(await rows(portfolio.database, records.OUTCOMES)),
        await rows(portfolio.database, records.EFFECTS),
        await records.read_mailbox(stack.simulators_url),
        desk,
        await records.read_histories(portfolio.client),
        seconds_of_kills,
        time.monotonic() - began,
    )
    return portfolio, ended


def every_run_has_ended(ended: Ended) -> None:
    """Each row of a run has an outcome, and its workflow completed with the same."""
    assert set(ended.outcomes.values()) <= OUTCOMES_OF_A_RUN
    assert len(ended.outcomes) >= ended.options.customers
    completed = dict.fromkeys(ended.outcomes, WorkflowExecutionStatus.COMPLETED)
    assert ended.histories.runs == completed
    assert ended.histories.outcomes == ended.outcomes


def no_workflow_failed(ended: Ended) -> None:
    """One workflow goes on for each customer; code failed nowhere, only processes did."""
    customers = ended.histories.customers
    assert customers[WorkflowExecutionStatus.RUNNING] == ended.options.customers
    assert set(customers) <= {WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW}
    assert {name for name in ended.histories.counts if name.endswith("failed")} == set()


def nothing_was_done_twice(ended: Ended) -> None:
    """The provider and the endpoint have each effect once, and just those that our ledger says."""
    doubled = {one: times for one, times in ended.mailbox.deliveries.items() if times > 1}
    assert doubled == {}
    states = Counter(state for _, _, _, state, _ in ended.effects)
    assert set(states) <= {"sent", "confirmed", "failed"}, states
    done = {delivery for _, delivery, kind, state, _ in ended.effects if state != "failed" and kind in MAIL}
    assert set(ended.mailbox.deliveries) == done
    visits = records.calls_by_visit(ended.desk)
    assert all(len(ids) == 1 for ids in visits.values()), "one step was told under two ids"
    told = {name for ids in visits.values() for name in ids}
    called = {one for _, one, kind, state, _ in ended.effects if kind == WEBHOOK and state != "failed"}
    assert told == called


async def the_tables_agree(portfolio: Portfolio, ended: Ended) -> None:
    """Letters by what their readers see, steps, decisions and budgets: all of them once."""
    database = portfolio.database
    assert Counter(await rows(database, records.LETTERS)) == ended.mailbox.letters
    assert await count(database, records.REPEATED_VISITS) == 0
    assert await count(database, records.OPEN_STEPS) == 0
    assert await rows(database, records.DECIDED_TWICE) == []
    assert await count(database, records.STARTED) == len(ended.outcomes)
    async with database.transaction() as session:
        assert await most_emails_per_customer_day(session) <= 1


def figures(ended: Ended) -> dict[str, object]:
    """What a proof reports."""
    calls = [times for ids in records.calls_by_visit(ended.desk).values() for times in ids.values()]
    return {
        **asdict(ended.options),
        "killed": dict(Counter(ended.killed)),
        "runs": dict(Counter(ended.outcomes.values())),
        "letters": ended.mailbox.letters.total(),
        "letters_to_our_own": ended.mailbox.deliveries.total() - ended.mailbox.letters.total(),
        "webhooks": len(calls),
        "webhooks_posted_again": sum(calls) - len(calls),
        "effects_tried_again": sum(attempts > 1 for *_, attempts in ended.effects),
        "effects": dict(Counter(state for _, _, _, state, _ in ended.effects)),
        "histories": dict(ended.histories.counts),
        "seconds_of_kills": round(ended.seconds_of_kills, 1),
        "wall_seconds": round(ended.wall_seconds, 1),
    }


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(SHORT, marks=pytest.mark.timeout(600), id="short"),
        pytest.param(LONG, marks=pytest.mark.proof, id="long"),
    ],
)
async def test_whatever_worker_is_killed_every_run_ends_with_an_outcome_and_no_effect_happens_twice(
    stack: Settings, options: KillOptions, record_property: Callable[[str, object], None]
) -> None:
    portfolio, ended = await run_all(stack, options)
    try:
        for name, value in figures(ended).items():
            record_property(name, value)
        assert set(ended.killed) == set(WORKERS)
        every_run_has_ended(ended)
        no_workflow_failed(ended)
        nothing_was_done_twice(ended)
        await the_tables_agree(portfolio, ended)
    finally:
        await portfolio.database.close()
