"""Letters and charges while providers misbehave and workers are killed: none twice, none lost."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from integrations.simulators.control_client import SimulatorControl
from settings import Settings
from tests.e2e.kills import records
from tests.e2e.kills.effect_site import EffectSite
from tests.e2e.kills.killer import kill_workers, well_for
from tests.e2e.kills.portfolio import DAY_SECONDS, open_portfolio
from tests.e2e.kills.records import Histories, count, rows
from tests.e2e.kills.stack import PROGRAM
from tests.support.homes import temporary_home
from tests.support.simulators import until_true
from tests.workers.embedded.support import fresh_settings
from workers.bench.effect_faults import break_mail
from workers.clock_refresh import keep_fresh
from workers.embedded.control import start_detached, stop_running
from workers.embedded.runtime import locate

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class FaultOptions:
    """How much is sent and charged, and how often somebody is killed."""

    sends: int
    invoices: int
    """As many at each of the points: each is charged up to three times by us, less often where doubts take up
    the days of its schedule."""
    retries: int
    """So many charges of ours there are at least."""
    kills: int
    times_at_each_point: int
    day_seconds: float
    calm_seconds: float = 2.0
    settle_seconds: float = 300.0
    hidden: int = 6
    """So many letters leave while the mail provider neither tells nor answers."""
    pace_seconds: float = 0.4
    """Between one letter's run and the next."""
    seed: int = 11


SHORT = FaultOptions(sends=60, invoices=14, retries=15, kills=3, times_at_each_point=1, day_seconds=10.0)
LONG = FaultOptions(
    sends=2_000,
    invoices=354,
    retries=500,
    kills=30,
    times_at_each_point=6,
    pace_seconds=0.2,
    day_seconds=30.0,
    hidden=200,
    settle_seconds=1_800.0,
)
POINTS = ("before_charge", "after_charge", "before_send", "after_send")
NO_DESK = "http://127.0.0.1:9/"
QUIET_LOOKS = 4
SETTLED = {"sent", "confirmed"}
MAIL = {"email", "internal_email"}
CASES_OPEN = "SELECT count(*) FROM cases WHERE state <> 'ended'"
CASES = "SELECT workflow_id, outcome::text FROM cases"
CHARGES = """
SELECT invoices.external_id, effects.state::text, count(*)
FROM effects JOIN dunnings ON dunnings.case_id::text = split_part(effects.key, '/', 2)
JOIN invoices ON invoices.id = dunnings.invoice_id
WHERE effects.kind = 'payment' GROUP BY 1, 2
"""
LETTERS_OF_RUNS = """
SELECT count(DISTINCT split_part(key, '/', 1)) FROM effects
WHERE kind = 'email' AND key NOT LIKE 'case/%' AND state IN ('sent', 'confirmed')
"""
UNCERTAIN = "SELECT count(*) FROM effects WHERE state = 'uncertain'"
NOT_APPLIED = "SELECT count(*) FROM provider_events WHERE applied_at IS NULL"
QUESTIONS = "SELECT count(*) FROM tasks WHERE effect_key LIKE '%/uncertain' AND state = 'open'"


@dataclass(frozen=True)
class Ended:
    """What each side has written down once all is over."""

    options: FaultOptions
    killed: Counter[str]
    effects: list[tuple[Any, ...]]
    mailbox: Counter[str]
    charges: Counter[str]
    """Of each invoice, without the provider's own one."""
    ours: Counter[str]
    """Of each invoice, by the ledger."""
    doubted: set[str]
    shown: int
    """So many effects were uncertain before the mail provider told its news at last."""
    cases: dict[str, str]
    workflows: dict[str, WorkflowExecutionStatus | None]
    histories: Histories
    wall_seconds: float


@pytest.fixture
def stack() -> Iterator[Settings]:
    """A stack of the test's own, which starts at once whatever was killed."""
    with pytest.MonkeyPatch.context() as environment, temporary_home() as home:
        environment.setenv("EVERSTAY_WEBHOOK_PRIVATE_ADDRESSES", "true")
        environment.setenv("EVERSTAY_LOG_LEVEL", "warning")
        settings = fresh_settings(home)
        start_detached(settings, lambda _: None, program=PROGRAM)
        try:
            yield locate(settings)
        finally:
            stop_running(settings)


async def kill_all_along(site: EffectSite, options: FaultOptions) -> Counter[str]:
    """Kill at each point of a charge and of a send, then workers at random while letters leave."""
    killed: Counter[str] = Counter()
    for _ in range(options.times_at_each_point):
        await site.owe(options.invoices // options.times_at_each_point)
        for point in POINTS:
            await site.kill_at(point)
            killed[point] += 1
    left = options.sends - site.begun - options.hidden
    home, chance = site.settings.home, random.Random(options.seed)
    async for victim in kill_workers(home, chance, options.kills, options.calm_seconds):
        await site.listen(is_on=killed.total() % 2 == 0)
        killed[victim] += 1
        await site.begin_runs(left // options.kills)
    await site.listen(is_on=True)
    await site.begin_runs(options.sends - options.hidden - site.begun)
    # Letters of cases must arrive: of those, what nobody can tell of is sent again.
    await until_true(partial(all_cases_ended, site), options.settle_seconds)
    await site.hide_mail()
    await site.begin_runs(options.hidden)
    return killed


async def all_cases_ended(site: EffectSite) -> bool:
    """Tell whether no case is open."""
    return await count(site.portfolio.database, CASES_OPEN) == 0


async def until_quiet(site: EffectSite, seconds: float) -> None:
    """Wait until every run and case has ended, and nothing is under way or unheard."""
    database, deadline, quiet = site.portfolio.database, time.monotonic() + seconds, 0
    while quiet < QUIET_LOOKS:
        left = [await count(database, one) for one in (records.RUNS_OPEN, CASES_OPEN, records.UNDER_WAY)]
        quiet = 0 if any(left) else quiet + 1
        assert time.monotonic() < deadline, f"runs, cases, effects still open: {left}"
        await asyncio.sleep(0.5)


async def run_all(stack: Settings, options: FaultOptions) -> tuple[EffectSite, Ended]:
    """Do it, and read what was written down by each."""
    began = time.monotonic()
    portfolio = await open_portfolio(stack, options.sends, options.day_seconds, NO_DESK)
    fresh = asyncio.create_task(keep_fresh(portfolio.clock, portfolio.database))
    try:
        async with SimulatorControl(stack.simulators_url) as control:
            site = EffectSite(stack, portfolio, control, options.pace_seconds)
            await well_for(stack.home, options.calm_seconds)
            await site.connect(DAY_SECONDS / options.day_seconds)
            await break_half(control, range(options.sends - options.hidden))
            await break_half(control, range(options.sends - options.hidden, options.sends))
            killed = await kill_all_along(site, options)
            await until_quiet(site, options.settle_seconds)
            shown = await count(portfolio.database, UNCERTAIN)
            await site.tell_everything()
            await until_true(site.all_is_told, options.settle_seconds)
            await until_true(partial(all_is_applied, site), options.settle_seconds)
            await until_quiet(site, options.settle_seconds)
            return site, await read(site, options, killed, shown, began)
    finally:
        fresh.cancel()
        await asyncio.gather(fresh, return_exceptions=True)


async def break_half(control: SimulatorControl, numbers: range) -> None:
    """Let the first letter to every second of these customers meet a fault, each kind from the first on."""
    await break_mail(control, [f"ann@customer-{number:03}." for number in numbers[::2]])


async def all_is_applied(site: EffectSite) -> bool:
    """Tell whether everything that was told has had its consequences."""
    return await count(site.portfolio.database, NOT_APPLIED) == 0


async def read(
    site: EffectSite, options: FaultOptions, killed: Counter[str], shown: int, began: float
) -> Ended:
    """Return what ledger, mailbox, provider and histories say."""
    database, client = site.portfolio.database, site.portfolio.client
    by_ledger = await rows(database, CHARGES)
    ours = Counter({invoice: times for invoice, state, times in by_ledger if state in SETTLED})
    return Ended(
        options,
        killed,
        await rows(database, records.EFFECTS),
        Counter(await site.control.deliveries()),
        await charges_of_ours(site),
        ours,
        {invoice for invoice, state, _ in by_ledger if state == "uncertain"},
        shown,
        dict(await rows(database, CASES)),
        await workflows_of_cases(client),
        await records.read_histories(client),
        time.monotonic() - began,
    )


async def charges_of_ours(site: EffectSite) -> Counter[str]:
    """Return how often each unpaid invoice was charged, beside the provider's own charge."""
    owed = {one.invoice for one in site.owed}
    charged = Counter(one for one in await site.control.charges() if one in owed)
    return charged - Counter(owed)


async def workflows_of_cases(client: Client) -> dict[str, WorkflowExecutionStatus | None]:
    """Return how each case's workflow stands."""
    return {one.id: one.status async for one in client.list_workflows() if one.id.startswith("dunning/")}


def no_letter_twice_none_lost(ended: Ended) -> None:
    """The provider holds each letter once, and just those that the ledger calls sent or cannot tell of."""
    twice = {delivery for delivery, times in ended.mailbox.items() if times > 1}
    assert [effect for effect in ended.effects if effect[1] in twice] == []
    assert twice == set()
    letters = {delivery: state for _, delivery, kind, state, _ in ended.effects if kind in MAIL}
    assert set(letters.values()) <= SETTLED | {"failed", "uncertain"}
    sent = {delivery for delivery, state in letters.items() if state in SETTLED}
    doubted = {delivery for delivery, state in letters.items() if state == "uncertain"}
    assert set(ended.mailbox) - doubted == sent


def no_charge_twice_none_lost(ended: Ended) -> None:
    """Each invoice was charged as often as the ledger says; beyond that only where it cannot tell."""
    assert ended.charges.total() >= ended.options.retries
    sure = set(ended.ours) | set(ended.charges) - ended.doubted
    assert {one: ended.charges[one] for one in sure} == {one: ended.ours[one] for one in sure}


async def the_rest_agrees(site: EffectSite, ended: Ended) -> None:
    """Every run has its letter, every case its ending in both histories, every doubt its question."""
    database, options = site.portfolio.database, ended.options
    uncertain = sum(state == "uncertain" for _, _, _, state, _ in ended.effects)
    assert await count(database, QUESTIONS) == uncertain
    assert 0 < uncertain < ended.shown, "what was never taken stays in doubt; news settles what was"
    assert await count(database, LETTERS_OF_RUNS) >= options.sends - uncertain
    assert len(ended.cases) == options.invoices
    assert ended.workflows == dict.fromkeys(ended.cases, WorkflowExecutionStatus.COMPLETED)
    assert {name for name in ended.histories.counts if name.endswith("failed")} == set()
    assert await rows(database, records.DECIDED_TWICE) == []


def figures(ended: Ended) -> dict[str, object]:
    """What a proof reports."""
    return {
        **asdict(ended.options),
        "killed": dict(ended.killed),
        "letters": ended.mailbox.total(),
        "charges": ended.charges.total(),
        "uncertain_until_told": ended.shown,
        "effects": dict(Counter(f"{kind} {state}" for _, _, kind, state, _ in ended.effects)),
        "tried_again": sum(attempts > 1 for *_, attempts in ended.effects),
        "cases": dict(Counter(ended.cases.values())),
        "histories": dict(ended.histories.counts),
        "wall_seconds": round(ended.wall_seconds, 1),
    }


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(SHORT, marks=pytest.mark.timeout(600), id="short"),
        pytest.param(LONG, marks=pytest.mark.proof, id="long"),
    ],
)
async def test_effects_under_faults_happen_once_and_none_is_lost(
    stack: Settings, options: FaultOptions, record_property: Callable[[str, object], None]
) -> None:
    site, ended = await run_all(stack, options)
    try:
        for name, value in figures(ended).items():
            record_property(name, value)
        assert set(ended.killed) >= set(POINTS), "somebody died at each point"
        assert ended.killed.total() == len(POINTS) * options.times_at_each_point + options.kills
        no_letter_twice_none_lost(ended)
        no_charge_twice_none_lost(ended)
        await the_rest_agrees(site, ended)
    finally:
        await site.portfolio.database.close()
