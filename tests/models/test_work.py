import datetime as dt
import uuid

import pytest
from sqlalchemy import select

from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.time import WallInstant, business
from domain.vocabulary import HeadsUpState, NoticeKind, TaskOutcome, TaskState
from models.database import Database
from models.heads_ups import acknowledge_heads_up, close_heads_up, reassign_heads_up, snooze_heads_up
from models.tables.ledger import OutboxRow
from models.tables.scoring import SignalRow
from models.tables.work import HeadsUpRow, TaskRow
from models.work import complete_task, reassign_task, reopen_task, snooze_task
from tests.support.sample_rows import NOW, Sample, fill

pytestmark = pytest.mark.integration
WALL = WallInstant(dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC))
LATER = business(NOW + dt.timedelta(days=3))


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=20)


async def a_task(database: Database, state: TaskState = TaskState.OPEN) -> TaskRow:
    async with database.transaction() as session:
        query = select(TaskRow).where(TaskRow.state == state).order_by(TaskRow.due_at, TaskRow.id)
        return (await session.scalars(query.limit(1))).one()


async def a_warning(database: Database) -> HeadsUpRow:
    async with database.transaction() as session:
        return (await session.scalars(select(HeadsUpRow).order_by(HeadsUpRow.id).limit(1))).one()


async def notices(database: Database, customer_id: uuid.UUID) -> list[tuple[NoticeKind, dict[str, str]]]:
    async with database.transaction() as session:
        query = select(OutboxRow).where(OutboxRow.customer_id == customer_id).order_by(OutboxRow.id)
        return [(row.kind, row.payload) for row in await session.scalars(query)]


async def test_finishing_a_task_records_who_and_what_and_tells_the_workflow(
    database: Database, sample: Sample
) -> None:
    task, jonas = await a_task(database), sample.users["jonas"]
    async with database.transaction() as session:
        await complete_task(session, task.id, TaskOutcome.REACHED, " Spoke with Hanna ", jonas, NOW, WALL)
    async with database.transaction() as session:
        done = (await session.scalars(select(TaskRow).where(TaskRow.id == task.id))).one()
    assert (done.state, done.outcome, done.note) == (TaskState.DONE, TaskOutcome.REACHED, "Spoke with Hanna")
    assert (done.closed_at, done.closed_by_id) == (NOW, jonas)
    kind, payload = (await notices(database, task.customer_id))[-1]
    assert kind is NoticeKind.TASK_DONE
    assert payload == {
        "task_id": str(task.id),
        "intervention_id": str(task.intervention_id),
        "outcome": "reached",
    }


async def test_the_first_human_action_on_a_signal_is_kept(database: Database, sample: Sample) -> None:
    task = await a_task(database)
    for at in (NOW, LATER):
        async with database.transaction() as session:
            await snooze_task(session, task.id, business(at + dt.timedelta(days=1)), None, at, WALL)
    async with database.transaction() as session:
        query = select(SignalRow.first_human_action_at).where(SignalRow.customer_id == task.customer_id)
        assert set(await session.scalars(query)) == {NOW}


async def test_a_task_is_finished_once(database: Database, sample: Sample) -> None:
    task = await a_task(database)
    async with database.transaction() as session:
        await complete_task(session, task.id, TaskOutcome.RESOLVED, None, None, NOW, WALL)
    with pytest.raises(ConflictError, match="finished in the meantime"):
        async with database.transaction() as session:
            await complete_task(session, task.id, TaskOutcome.REACHED, None, None, NOW, WALL)
    assert len(await notices(database, task.customer_id)) == 1


async def test_a_task_of_an_ended_run_is_neither_finished_nor_taken_back(
    database: Database, sample: Sample
) -> None:
    task = await a_task(database, TaskState.CANCELLED)
    with pytest.raises(ConflictError, match="cancelled"):
        async with database.transaction() as session:
            await complete_task(session, task.id, TaskOutcome.REACHED, None, None, NOW, WALL)
    with pytest.raises(ConflictError, match="has ended"):
        async with database.transaction() as session:
            await reopen_task(session, task.id, NOW, WALL)


async def test_undo_opens_a_finished_task_again_as_if_nothing_had_been_said(
    database: Database, sample: Sample
) -> None:
    task = await a_task(database)
    async with database.transaction() as session:
        await complete_task(session, task.id, TaskOutcome.REACHED, "x", sample.users["tom"], NOW, WALL)
        await reopen_task(session, task.id, NOW, WALL)
    again = await a_task(database)
    assert (again.id, again.outcome, again.note, again.closed_at) == (task.id, None, None, None)


@pytest.mark.parametrize("days", [-1, 0, 91])
async def test_a_snooze_ends_in_the_next_ninety_days(database: Database, sample: Sample, days: int) -> None:
    task, until = await a_task(database), business(NOW + dt.timedelta(days=days))
    with pytest.raises(InvalidInputError, match="next 90 days"):
        async with database.transaction() as session:
            await snooze_task(session, task.id, until, None, NOW, WALL)


async def test_work_is_handed_only_to_those_who_may_do_it(database: Database, sample: Sample) -> None:
    task = await a_task(database)
    for nobody in (sample.users["vera"], uuid.uuid4()):
        with pytest.raises(InvalidInputError, match="active colleague"):
            async with database.transaction() as session:
                await reassign_task(session, task.id, nobody, NOW, WALL)
    async with database.transaction() as session:
        await reassign_task(session, task.id, sample.users["priya"], NOW, WALL)
    assert (await a_task(database)).assignee_id == sample.users["priya"]


async def test_what_does_not_exist_is_not_found(database: Database, sample: Sample) -> None:
    with pytest.raises(NotFoundError):
        async with database.transaction() as session:
            await complete_task(session, uuid.uuid4(), TaskOutcome.REACHED, None, None, NOW, WALL)
    with pytest.raises(NotFoundError):
        async with database.transaction() as session:
            await acknowledge_heads_up(session, uuid.uuid4(), NOW)


async def test_a_warning_is_seen_put_off_handed_over_and_closed_once(
    database: Database, sample: Sample
) -> None:
    warning = await a_warning(database)
    async with database.transaction() as session:
        await snooze_heads_up(session, warning.id, LATER, NOW)
        await acknowledge_heads_up(session, warning.id, NOW)
        await reassign_heads_up(session, warning.id, sample.users["tom"], NOW)
    handed = await a_warning(database)
    assert (handed.owner_id, handed.state, handed.snoozed_until) == (
        sample.users["tom"],
        HeadsUpState.OPEN,
        None,
    )
    async with database.transaction() as session:
        await close_heads_up(session, warning.id, "spoke with them", NOW)
    with pytest.raises(ConflictError, match="spoke with them"):
        async with database.transaction() as session:
            await acknowledge_heads_up(session, warning.id, NOW)
