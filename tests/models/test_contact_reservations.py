"""The contact budget on a real Postgres: races, slots that change hands, processes that die."""

import asyncio
import datetime as dt
import itertools
import random
import uuid

import pytest
from sqlalchemy import func, select, update

from domain.time import BusinessInstant, after
from domain.vocabulary import DecisionKind, InterventionState, Purpose, StepState
from models.database import Database
from models.send_claims import Busy, Closed, Ready
from models.step_visits import Visit
from models.tables.customers import CustomerRow
from models.tables.ledger import DecisionRow, TouchpointRow
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.tables.reservations import ContactReservationRow
from tests.support.asking import ask, ask_and_hold, ask_and_stay, letter_of
from tests.support.forked import forked
from tests.support.scenario import Scenario

pytestmark = pytest.mark.integration

NOON = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))  # a Wednesday
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
async def scene(database: Database) -> Scenario:
    return await Scenario(database, NOON).begin()


async def step_of(database: Database, visit: Visit) -> InterventionStepRow:
    row = InterventionStepRow
    async with database.transaction() as session:
        query = select(row).where(row.intervention_id == visit.intervention_id, row.step_id == visit.step_id)
        return (await session.execute(query)).scalar_one()


async def slots(database: Database) -> dict[uuid.UUID, BusinessInstant]:
    row = ContactReservationRow
    async with database.transaction() as session:
        held = await session.execute(select(row.intervention_id, row.slot_at))
        return dict(held.all())


async def touched(database: Database) -> list[BusinessInstant]:
    async with database.transaction() as session:
        query = select(TouchpointRow.occurred_at).where(TouchpointRow.effect_key.is_not(None))
        return sorted((await session.scalars(query)).all())


async def told(database: Database, visit: Visit) -> list[tuple[DecisionKind, str, str]]:
    row = DecisionRow
    async with database.transaction() as session:
        query = select(row.kind, row.reason, row.sentence).where(
            row.intervention_id == visit.intervention_id, row.action == "send_email"
        )
        found = await session.execute(query.order_by(row.decided_at))
        return [(kind, reason, sentence) for kind, reason, sentence in found]


SLOTS_OF_A_WEEK = 3


@pytest.mark.parametrize("count", [2, 4, 5])
async def test_of_sends_that_race_for_one_slot_exactly_one_gets_it(
    database: Database, scene: Scenario, count: int
) -> None:
    visits = [await letter_of(database, scene.customer_id, NOON, priority=n) for n in range(count)]
    begun = await asyncio.gather(*(ask(database, visit, NOON) for visit in visits))
    assert sum(isinstance(each, Ready) for each in begun) == 1
    refused = begun.count(Closed("refused", "budget"))
    assert begun.count(Closed("deferred", "budget")) == count - 1 - refused
    assert refused <= max(0, count - 1 - SLOTS_OF_A_WEEK), "only once the week is full of what is worth more"
    assert await touched(database) == [NOON]
    held = sorted((await slots(database)).values())
    assert len(held) == min(count - 1, SLOTS_OF_A_WEEK)
    assert all(later - earlier >= DAY for earlier, later in zip([NOON, *held], held, strict=False))


async def test_a_worthier_message_that_asks_before_the_claim_takes_the_slot(
    database: Database, scene: Scenario
) -> None:
    sent, weak, strong = [
        await letter_of(database, scene.customer_id, NOON, priority=priority) for priority in (50, 10, 90)
    ]
    assert isinstance(await ask(database, sent, NOON), Ready)
    assert await ask(database, weak, after(NOON, HOUR)) == Closed("deferred", "budget")
    slot = (await slots(database))[weak.intervention_id]
    assert slot == after(NOON, DAY)
    assert await ask(database, strong, after(NOON, 2 * HOUR)) == Closed("deferred", "budget")
    held = await slots(database)
    assert held[strong.intervention_id] == slot
    step = await step_of(database, weak)
    assert (step.state, step.reason, step.due_at) == (
        StepState.DEFERRED,
        "displaced",
        held[weak.intervention_id],
    )
    assert held[weak.intervention_id] >= after(slot, DAY)
    kind, reason, sentence = (await told(database, weak))[-1]
    assert (kind, reason) == (DecisionKind.DEFERRAL, "displaced")
    assert "is worth more and took its place" in sentence
    assert isinstance(await ask(database, strong, slot), Ready)
    assert isinstance(await ask(database, weak, held[weak.intervention_id]), Ready)
    assert await slots(database) == {}


async def test_a_message_that_is_claimed_cannot_be_displaced(database: Database, scene: Scenario) -> None:
    weak, strong = [await letter_of(database, scene.customer_id, NOON, priority=each) for each in (1, 99)]
    assert isinstance(await ask(database, weak, NOON), Ready)
    assert await ask(database, strong, after(NOON, HOUR)) == Closed("deferred", "budget")
    assert (await step_of(database, weak)).reason is None


async def test_whoever_gives_way_past_its_usefulness_is_refused_and_told_by_whom(
    database: Database, scene: Scenario
) -> None:
    first, strong = [await letter_of(database, scene.customer_id, NOON, priority=each) for each in (50, 90)]
    short = await letter_of(database, scene.customer_id, NOON, priority=1, window="30h")
    await ask(database, first, NOON)
    await ask(database, short, after(NOON, HOUR))
    await ask(database, strong, after(NOON, HOUR))
    step = await step_of(database, short)
    assert (step.state, step.reason) == (StepState.SKIPPED, "displaced")
    assert step.finished_at is not None
    assert (await told(database, short))[-1][:2] == (DecisionKind.REFUSAL, "displaced")
    assert short.intervention_id not in await slots(database)


async def test_a_deferral_past_its_usefulness_is_dropped_with_that_reason(
    database: Database, scene: Scenario
) -> None:
    first = await letter_of(database, scene.customer_id, NOON)
    short = await letter_of(database, scene.customer_id, NOON, window="20h")
    await ask(database, first, NOON)
    assert await ask(database, short, after(NOON, HOUR)) == Closed("refused", "no_longer_useful")
    assert (await told(database, short))[-1][:2] == (DecisionKind.REFUSAL, "no_longer_useful")


@pytest.mark.parametrize("state", [InterventionState.ENDED, InterventionState.PAUSED])
async def test_a_run_that_ends_or_rests_holds_no_slot(
    database: Database, scene: Scenario, state: InterventionState
) -> None:
    first, strong, weak = [
        await letter_of(database, scene.customer_id, NOON, priority=each) for each in (50, 90, 10)
    ]
    await ask(database, first, NOON)
    await ask(database, strong, after(NOON, HOUR))
    async with database.transaction() as session:
        run = update(InterventionRow).where(InterventionRow.id == strong.intervention_id)
        await session.execute(run.values(state=state))
    await ask(database, weak, after(NOON, HOUR))
    assert (await slots(database))[weak.intervention_id] == after(NOON, DAY)


async def test_a_public_holiday_where_the_customer_is_is_a_day_off(
    database: Database, scene: Scenario
) -> None:
    async with database.transaction() as session:
        await session.execute(update(CustomerRow).values(country="Germany", time_zone="Europe/Berlin"))
    good_friday = BusinessInstant(dt.datetime(2026, 4, 3, 10, tzinfo=dt.UTC))
    visit = await letter_of(database, scene.customer_id, good_friday)
    assert await ask(database, visit, good_friday) == Closed("deferred", "day_off")
    assert (await slots(database))[visit.intervention_id].date() == dt.date(2026, 4, 7)  # after Easter Monday


async def test_transactional_mail_takes_no_slot_and_displaces_nobody(
    database: Database, scene: Scenario
) -> None:
    first, waits = [await letter_of(database, scene.customer_id, NOON) for _ in range(2)]
    bill = await letter_of(database, scene.customer_id, NOON, priority=100, purpose=Purpose.TRANSACTIONAL)
    await ask(database, first, NOON)
    await ask(database, waits, after(NOON, HOUR))
    before = await slots(database)
    assert isinstance(await ask(database, bill, after(NOON, DAY)), Ready)
    assert await slots(database) == before


async def test_a_process_that_is_killed_before_its_reservation_is_written_holds_nothing(
    database: Database, database_url: str, scene: Scenario
) -> None:
    first, dies, lives = [
        await letter_of(database, scene.customer_id, NOON, priority=each) for each in (50, 90, 10)
    ]
    await ask(database, first, NOON)
    with forked(ask_and_hold, database_url, dies, after(NOON, HOUR)) as process:
        await process.reached()
        waiting = asyncio.create_task(ask(database, lives, after(NOON, HOUR)))
        process.kill()
        assert await waiting == Closed("deferred", "budget")
    assert await slots(database) == {lives.intervention_id: after(NOON, DAY)}


async def test_a_process_that_is_killed_between_reservation_and_claim_keeps_its_slot_and_bars_nobody_for_ever(
    database: Database, database_url: str, scene: Scenario
) -> None:
    first, dies, lives = [
        await letter_of(database, scene.customer_id, NOON, priority=each) for each in (50, 90, 10)
    ]
    await ask(database, first, NOON)
    with forked(ask_and_stay, database_url, dies, after(NOON, HOUR)) as process:
        await process.reached()
        process.kill()
    slot = (await slots(database))[dies.intervention_id]
    assert await ask(database, lives, slot) == Closed("deferred", "budget")
    late = after(slot, HOUR / 2)
    assert isinstance(await ask(database, dies, late), Ready)
    assert isinstance(await ask(database, dies, late), Busy)
    assert len(await touched(database)) == 2


async def test_a_slot_whose_run_never_comes_is_free_after_four_hours(
    database: Database, scene: Scenario
) -> None:
    first, gone, lives = [
        await letter_of(database, scene.customer_id, NOON, priority=each) for each in (50, 90, 10)
    ]
    morning = after(NOON, -3 * HOUR)
    await ask(database, first, morning)
    await ask(database, gone, morning)
    slot = (await slots(database))[gone.intervention_id]
    assert isinstance(await ask(database, lives, after(slot, 2 * HOUR)), Closed)
    other = await letter_of(database, scene.customer_id, NOON, priority=15)
    assert isinstance(await ask(database, other, after(slot, 5 * HOUR)), Ready)


@pytest.mark.parametrize("seed", range(3))
async def test_any_crowd_of_runs_that_ask_at_once_keeps_the_budget_and_every_message_has_an_end(
    database: Database, scene: Scenario, seed: int
) -> None:
    """Everybody who is due asks in a transaction of its own, all at the same time, for two weeks."""
    chance = random.Random(seed)
    wakes: dict[Visit, BusinessInstant] = {}
    for _ in range(14):
        begins = after(NOON, HOUR * chance.randrange(5 * 24))
        priority = chance.choice([10, 20, 20, 90])
        visit = await letter_of(database, scene.customer_id, begins, priority=priority)
        wakes[visit] = begins
    claimed: set[Visit] = set()
    while wakes:
        now = min(wakes.values())
        due = [visit for visit, at in wakes.items() if at == now]
        begun = await asyncio.gather(*(ask(database, visit, now) for visit in due))
        claimed |= {visit for visit, each in zip(due, begun, strict=True) if isinstance(each, Ready)}
        for visit in list(wakes):
            step = await step_of(database, visit)
            if visit in claimed or step.state is StepState.SKIPPED:
                del wakes[visit]
                assert visit in claimed or step.reason in {"budget", "displaced", "no_longer_useful"}
                assert visit in claimed or (await told(database, visit))[-1][0] is DecisionKind.REFUSAL
            elif step.state is StepState.DEFERRED:
                assert step.due_at is not None
                wakes[visit] = max(step.due_at, wakes[visit])
    sent = await touched(database)
    assert len(sent) == len(claimed) > 2
    assert all(later - earlier >= DAY for earlier, later in itertools.pairwise(sent))
    assert all(sum(at <= each < at + 7 * DAY for each in sent) <= 3 for at in sent)
    async with database.transaction() as session:
        left = await session.scalar(select(func.count()).select_from(ContactReservationRow))
    assert left == 0
