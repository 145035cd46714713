"""Editing live: what a publication does to runs that are open, and what it never does."""

import asyncio
import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from domain.edit_impact import HERD, Choices, Effect, OnOpen
from domain.playbook import Playbook
from domain.time import BusinessInstant
from domain.vocabulary import InterventionState, StepState, TaskState
from models.database import Database
from models.playbook_edits import begin_edit, finish_edits, preview_edit, publish_edit
from models.playbook_yaml import write_yaml
from models.playbooks import (
    Author,
    PlaybookShelf,
    Published,
    StaleEditError,
    load_library,
    publish,
    read_stored,
)
from models.tables.ledger import DecisionRow, OutboxRow
from models.tables.playbooks import (
    InterventionRow,
    InterventionStepRow,
    PlaybookEditRow,
    PlaybookRow,
    PlaybookVersionRow,
)
from models.tables.work import TaskRow
from tests.support.portfolio import FixedClock
from tests.support.sample_rows import NOW, Sample, fill
from tests.support.walks import pause, recipe, task

pytestmark = pytest.mark.integration
CLOCK = FixedClock(NOW)
ME = Author()
DAY = dt.timedelta(days=1)


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session)


def waiting(span: str = "10d", **more: Any) -> Playbook:
    return recipe(task(id="call"), pause(span, id="rest"), task(id="review"), key="edited", **more)


async def open_runs(
    database: Database, sample: Sample, playbook: Playbook, *, days_ago: float = 5, count: int = 3
) -> list[uuid.UUID]:
    """Publish it and open runs that wait in `rest`."""
    entered = BusinessInstant(NOW - DAY * days_ago)
    ids = [uuid.uuid5(uuid.NAMESPACE_OID, f"{playbook.key}/{place}") for place in range(count)]
    async with database.transaction() as session:
        published = await publish(session, playbook, NOW, ME)
        position = {
            "step": "rest",
            "entered_at": entered.isoformat(),
            "due_at": (entered + DAY * 10).isoformat(),
            "visits": {"call": 1, "rest": 1},
        }
        rows: list[dict[str, Any]] = [
            {
                "id": run_id,
                "customer_id": sample.customers[place % len(sample.customers)],
                "playbook_key": playbook.key,
                "version_id": published.version_id,
                "reason": f"a test {place}",
                "causes": [],
                "state": InterventionState.RUNNING,
                "position": position,
                "planned_at": entered,
                "started_at": entered,
                "expected_wake_at": entered + DAY * 10,
            }
            for place, run_id in enumerate(ids)
        ]
        await session.execute(insert(InterventionRow), rows)
        await session.execute(insert(InterventionStepRow), [_row(one) for one in ids])
    return ids


def _row(run_id: uuid.UUID) -> dict[str, Any]:
    return {
        "id": uuid.uuid5(run_id, "rest"),
        "intervention_id": run_id,
        "step_id": "rest",
        "occurrence": 1,
        "kind": "wait",
        "state": StepState.WAITING,
        "detail": {},
        "started_at": NOW,
    }


async def runs(database: Database) -> dict[uuid.UUID, Any]:
    async with database.transaction() as session:
        row = InterventionRow
        query = select(row.id, row.position, row.state, row.outcome, PlaybookVersionRow.version).join(
            PlaybookVersionRow, PlaybookVersionRow.id == row.version_id
        )
        found = (await session.execute(query.where(row.playbook_key == "edited"))).all()
    return {one.id: one for one in found}


async def decided(database: Database) -> list[Any]:
    async with database.transaction() as session:
        row = DecisionRow
        query = select(row.intervention_id, row.reason, row.sentence, row.evidence)
        return list((await session.execute(query.where(row.action == "edit_run"))).all())


async def rung(database: Database) -> list[uuid.UUID]:
    async with database.transaction() as session:
        row = OutboxRow
        return list(await session.scalars(select(row.customer_id).where(row.kind == "playbook_edited")))


async def test_a_shortened_delay_takes_effect_at_once_and_counts_from_when_the_wait_began(
    database: Database, sample: Sample
) -> None:
    ids = await open_runs(database, sample, waiting())
    async with database.transaction() as session:
        seen = await preview_edit(session, PlaybookShelf(), waiting("7d"), NOW)
    assert seen.counts[Effect.RETIMED] == seen.runs == 3
    assert seen.lines[0].impact.was_due == NOW + DAY * 5
    assert seen.lines[0].impact.will_be_due == NOW + DAY * 2
    _published, counts = await publish_edit(database, CLOCK, waiting("7d"), Choices(OnOpen.MIGRATE), ME)
    assert counts == {"migrate": 3}
    assert {one.version for one in (await runs(database)).values()} == {2}
    assert len(await decided(database)) == len(set(await rung(database))) == len(ids)


async def test_a_herd_that_a_shortened_delay_would_release_is_spread_over_hours(
    database: Database, sample: Sample
) -> None:
    await open_runs(database, sample, waiting(), count=HERD + 5)
    await publish_edit(database, CLOCK, waiting("1d"), Choices(OnOpen.MIGRATE), ME)
    found = [dt.datetime.fromisoformat(one.position["due_at"]) for one in (await runs(database)).values()]
    assert min(found) >= NOW
    assert len(set(found)) == HERD + 5
    assert max(found) - min(found) > dt.timedelta(hours=1)


async def test_a_deleted_step_exits_nobody_who_stands_in_it(database: Database, sample: Sample) -> None:
    await open_runs(database, sample, waiting())
    without = recipe(task(id="call"), task(id="review"), key="edited")
    _published, counts = await publish_edit(database, CLOCK, without, Choices(OnOpen.MIGRATE), ME)
    assert counts == {"pin": 3}
    assert {(one.version, one.outcome) for one in (await runs(database)).values()} == {(1, None)}
    told = await decided(database)
    assert {one.reason for one in told} == {"pinned"}
    assert all("is gone" in one.sentence for one in told)


async def test_a_restart_counts_visits_on_so_that_no_effect_key_comes_again(
    database: Database, sample: Sample
) -> None:
    ids = await open_runs(database, sample, waiting())
    async with database.transaction() as session:
        row = {
            "id": uuid.uuid4(), "customer_id": sample.customers[0], "intervention_id": ids[0],
            "effect_key": f"{ids[0]}/call/1/task", "kind": "call", "title": "Call", "body": "",
            "severity": "high", "state": TaskState.OPEN, "created_at": NOW, "due_at": NOW,
        }  # fmt: skip
        await session.execute(insert(TaskRow).values(row))
    without = recipe(task(id="call"), task(id="review"), key="edited")
    restart = Choices(OnOpen.MIGRATE, {Effect.STRANDED: OnOpen.RESTART})
    await publish_edit(database, CLOCK, without, restart, ME)
    for one in (await runs(database)).values():
        assert (one.position["step"], one.position["visits"]) == (None, {"call": 1, "rest": 1})
        assert one.version == 2
    async with database.transaction() as session:
        states = set(await session.scalars(select(InterventionStepRow.state).where(
            InterventionStepRow.intervention_id.in_(ids))))  # fmt: skip
        left = await session.scalar(select(TaskRow.state).where(TaskRow.intervention_id == ids[0]))
    assert states == {StepState.CANCELLED}
    assert left is TaskState.CANCELLED


async def test_a_run_that_moved_on_after_the_preview_is_looked_at_again(
    database: Database, sample: Sample
) -> None:
    ids = await open_runs(database, sample, waiting())
    without = recipe(task(id="call"), task(id="review"), key="edited")
    async with database.transaction() as session:
        seen = await preview_edit(session, PlaybookShelf(), without, NOW)
        assert seen.counts[Effect.STRANDED] == 3
        begun = await begin_edit(session, NOW, without, Choices(OnOpen.MIGRATE), ME)
        moved = {"step": "review", "visits": {"call": 1, "rest": 1, "review": 1}}
        query = update(InterventionRow).where(InterventionRow.id == ids[0])
        await session.execute(query.values(position=moved))
    counts = await finish_edits(database, CLOCK)
    assert begun.version_id is not None
    assert counts[begun.version_id] == {"pin": 2, "migrate": 1}


async def test_two_who_publish_at_once_do_not_overwrite_each_other(
    database: Database, sample: Sample
) -> None:
    await open_runs(database, sample, waiting())

    async def edit(span: str) -> object:
        try:
            done = await publish_edit(database, CLOCK, waiting(span), Choices(OnOpen.MIGRATE), ME, seen=1)
        except StaleEditError as error:
            return error
        return done

    first, second = await asyncio.gather(edit("7d"), edit("8d"))
    assert sorted(isinstance(one, StaleEditError) for one in (first, second)) == [False, True]
    assert {one.version for one in (await runs(database)).values()} == {2}


async def test_two_first_publications_at_once_make_two_versions_and_no_error(database: Database) -> None:
    async def first(span: str) -> Published:
        async with database.transaction() as session:
            return await publish(session, waiting(span), NOW, ME)

    found = await asyncio.gather(first("1d"), first("2d"))
    assert sorted(one.version for one in found) == [1, 2]


async def test_publishing_an_old_version_again_rolls_back(database: Database, sample: Sample) -> None:
    await open_runs(database, sample, waiting())
    await publish_edit(database, CLOCK, waiting("7d"), Choices(OnOpen.MIGRATE), ME)
    back, _counts = await publish_edit(database, CLOCK, waiting(), Choices(OnOpen.MIGRATE), ME)
    assert back.version == 3
    assert {one.version for one in (await runs(database)).values()} == {3}
    again, counts = await publish_edit(database, CLOCK, waiting(), Choices(OnOpen.RESTART), ME)
    assert (again.version, again.is_new, counts) == (3, False, {})


async def test_an_edit_that_was_interrupted_is_taken_up_where_it_stopped(
    database: Database, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.playbook_edits.BATCH", 1)
    await open_runs(database, sample, waiting())
    async with database.transaction() as session:
        begun = await begin_edit(session, NOW, waiting("7d"), Choices(OnOpen.MIGRATE), ME)
    results = await asyncio.gather(*(finish_edits(database, CLOCK) for _ in range(3)))
    assert begun.version_id is not None
    assert max(one.get(begun.version_id, {}).get("migrate", 0) for one in results) == 3
    assert len(await decided(database)) == 3
    async with database.transaction() as session:
        assert await session.scalar(select(PlaybookEditRow.finished_at)) == NOW


async def test_the_library_is_not_put_over_what_people_have_edited(database: Database, tmp_path: Any) -> None:
    (tmp_path / "edited.yaml").write_text(write_yaml(waiting()), encoding="utf-8")
    async with database.transaction() as session:
        assert [one.is_new for one in await load_library(session, tmp_path, NOW)] == [True]
        await publish(session, waiting("3d"), NOW, ME)
        assert [one.version for one in await load_library(session, tmp_path, NOW)] == [2]
        assert await session.scalar(select(PlaybookRow.current_version)) == 2


def test_a_stored_document_of_an_older_shape_stays_readable() -> None:
    stored = waiting().model_dump(mode="json", by_alias=True)
    stored["gone"] = 1
    stored["steps"][0]["create_task"]["gone"] = {"x": 1}
    del stored["on_reply"]
    assert read_stored(stored) == waiting()
