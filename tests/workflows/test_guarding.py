"""What holds a message back at the last moment, and what lets it go."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator

import pytest

from domain.time import BusinessInstant
from domain.vocabulary import InterventionState, RiskTier, SignalKind, StepState
from models.database import Database
from models.installation import release, start_effects, stop_effects
from tests.support.loop import Loop, running_loop
from tests.support.runs import one_letter, open_run, start_run
from tests.support.scenario import Scenario
from tests.workflows.conftest import begin

pytestmark = pytest.mark.cadence

HOUR = dt.timedelta(hours=1)


async def decline(loop: Loop, scene: Scenario) -> None:
    """Let the usage fall, which plans a letter for the day after tomorrow."""
    await scene.open_signal(SignalKind.USAGE_DROP, loop.clock.now())
    await scene.set_tier(RiskTier.HIGH, now=loop.clock.now())
    await loop.ring()


async def step(scene: Scenario, step_id: str = "check-in") -> tuple[StepState, str | None]:
    rows = await scene.steps()
    return next((row.state, row.reason) for row in rows if row.step_id == step_id)


async def refusals(scene: Scenario) -> list[tuple[str, str]]:
    return [(one.action, one.reason) for one in await scene.decisions() if one.kind.value == "refusal"]


async def test_who_opts_out_in_mid_run_gets_nothing_more_and_the_run_goes_on(
    loop: Loop, scene: Scenario
) -> None:
    await decline(loop, scene)
    await loop.live(1)
    await scene.opt_out(loop.clock.now())
    await loop.live(3)
    assert loop.sender.accepted == []
    assert await step(scene) == (StepState.SKIPPED, "no_consent")
    assert ("send_email", "no_consent") in await refusals(scene)
    assert (await scene.runs())[0].state is InterventionState.RUNNING


async def test_the_switch_stops_every_effect_and_lets_go_at_once(loop: Loop, scene: Scenario) -> None:
    await decline(loop, scene)
    async with loop.database.transaction() as session:
        await stop_effects(session, loop.clock.now())
    await loop.live(2.25)
    assert await step(scene) == (StepState.DEFERRED, "effects_stopped")
    assert loop.sender.accepted == []
    async with loop.database.transaction() as session:
        assert await start_effects(session, loop.clock.now(), loop.clock.wall_now()) == 1
    await loop.ring()
    await loop.pass_time(dt.timedelta(minutes=1))
    assert (await step(scene))[0] is StepState.DONE
    assert len(loop.sender.accepted) == 1


async def test_the_holdout_is_refused_once_with_a_reason(loop: Loop) -> None:
    scene = await begin(loop, holdout=True)
    await decline(loop, scene)
    for _ in range(3):
        await scene.changed(loop.clock.now())
        await loop.live(1)
    assert await scene.runs() == []
    assert await refusals(scene) == [("start_run", "holdout")]


async def test_two_runs_that_ask_at_the_same_moment_send_one_letter_and_put_the_other_off(
    loop: Loop, scene: Scenario
) -> None:
    await loop.pass_time(2 * HOUR)
    runs = [await letter(loop, scene, f"letter-{number}") for number in (1, 2)]
    for run_id in runs:
        await start_run(loop.client, run_id)
    await loop.pass_time(HOUR)
    assert len(loop.sender.accepted) == 1
    found = {(row.state, row.reason) for row in await scene.steps() if row.step_id == "letter"}
    assert found == {(StepState.DONE, None), (StepState.DEFERRED, "budget")}
    await loop.live(2)
    sent = [
        dt.datetime.fromisoformat(one.headers["X-Everstay-Business-Time"]) for one in loop.sender.accepted
    ]
    assert len(sent) == 2
    assert sent[1] - sent[0] >= dt.timedelta(hours=24)
    assert sent[0].date() != sent[1].date()


async def letter(loop: Loop, scene: Scenario, key: str) -> uuid.UUID:
    return await open_run(loop.database, one_letter(key=key), scene.customer_id, loop.clock.now())


@pytest.fixture
async def observing(database: Database) -> AsyncIterator[Loop]:
    """A new installation, which nobody has released."""
    async with running_loop(database, released=False) as started:
        yield started


async def test_a_new_installation_plans_and_says_so_and_acts_once_released(observing: Loop) -> None:
    scene = await begin(observing)
    await decline(observing, scene)
    await observing.live(4)
    (run,) = await scene.runs()
    assert (run.state, run.started_at) == (InterventionState.PLANNED, None)
    assert await scene.steps() == []
    planned = [one for one in await scene.decisions() if one.action == "start_run"]
    assert [one.kind.value for one in planned] == ["observed"]
    async with observing.database.transaction() as session:
        assert await release(session, observing.clock.now(), observing.clock.wall_now(), per_day=1) == 1
    await observing.live(4)
    (run,) = await scene.runs()
    assert run.state is InterventionState.RUNNING
    assert len(observing.sender.accepted) == 1


async def test_a_release_at_a_rate_of_none_a_day_starts_nothing(observing: Loop) -> None:
    scene = await begin(observing)
    await decline(observing, scene)
    await observing.live(1)
    async with observing.database.transaction() as session:
        await release(session, observing.clock.now(), observing.clock.wall_now(), per_day=0)
    await observing.live(3)
    assert (await scene.runs())[0].state is InterventionState.PLANNED


BERLIN_SATURDAY = BusinessInstant(dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC))
"""The day before Berlin's clocks go forward: Monday's office opens at 07:00 UTC, Friday's did at 08:00."""


async def test_a_letter_written_at_the_weekend_of_the_clock_change_arrives_in_monday_mornings_office_hours(
    database: Database,
) -> None:
    async with running_loop(database, begins=BERLIN_SATURDAY) as loop:
        scene = await begin(loop, time_zone="Europe/Berlin")
        await start_run(loop.client, await letter(loop, scene, "letter-1"))
        await loop.pass_time(HOUR)
        assert await step(scene, "letter") == (StepState.DEFERRED, "quiet_hours")
        due = next(row.due_at for row in await scene.steps() if row.step_id == "letter")
        assert due is not None
        opening = dt.datetime(2026, 3, 30, 7, tzinfo=dt.UTC)
        assert opening <= due < opening + 3 * HOUR
        await loop.live(2)
        (sent,) = loop.sender.accepted
        at = dt.datetime.fromisoformat(sent.headers["X-Everstay-Business-Time"])
        assert due <= at < due + HOUR
