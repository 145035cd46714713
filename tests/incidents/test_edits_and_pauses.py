"""Editing and pausing what is under way: late timers, locked documents, people who are skipped."""

import datetime as dt

import pytest

from domain.vocabulary import InterventionState, PauseScope, SignalKind, StepState
from models.hands import Hand
from models.installation import observe_again, release
from models.resources.playbooks import archive
from models.resting import end_rest, order_rest
from tests.support.journeys import adopt, call, journey, letter, recipe, rest
from tests.support.loop import Loop
from tests.support.scenario import Scenario

pytestmark = pytest.mark.cadence
DAY = dt.timedelta(days=1)


async def test_a_shortened_wait_is_over_when_the_new_version_says_and_not_at_the_old_wake(
    loop: Loop, scene: Scenario
) -> None:
    run = await journey(loop, scene, recipe(rest("long", "30d"), call("call"), rest("last", "20d")))
    await loop.live(4)
    assert await run.at() == "long"
    await run.publish(recipe(rest("long", "7d"), call("call"), rest("last", "20d")))
    assert await run.at() == "long", "seven days have not passed"
    await loop.live(4)
    visit = (await run.visits())["long"]
    assert visit.state is StepState.DONE
    assert visit.started_at is not None
    assert visit.finished_at is not None
    assert 7 * DAY <= visit.finished_at - visit.started_at < 8 * DAY
    assert [task.title for task in await scene.tasks()] == ["Call Acme"]


async def test_steps_variants_and_connections_can_be_taken_out_of_what_is_under_way(
    loop: Loop, scene: Scenario
) -> None:
    variants = [{"name": "question", "next": "ask"}, {"name": "hint", "next": "tip"}]
    old = recipe(
        rest("breathe", "3d"),
        {"id": "which", "experiment": {"variants": variants}},
        letter("ask") | {"next": "rest"},
        letter("tip"),
        rest("rest", "9d"),
    )
    run = await journey(loop, scene, old)
    await loop.live(1)
    await run.publish(recipe(rest("breathe", "3d"), call("call"), rest("rest", "9d")))
    await loop.live(4)
    assert list(await run.visits()) == ["breathe", "call", "rest"]
    assert loop.sender.accepted == []
    assert [task.title for task in await scene.tasks()] == ["Call Acme"]


async def test_whoever_comes_to_a_message_in_a_pause_neither_skips_it_nor_leaves(
    loop: Loop, scene: Scenario
) -> None:
    run = await journey(loop, scene, recipe(letter("letter"), rest("rest", "9d")), resting=True)
    await loop.live(3)
    assert (await run.row()).state is InterventionState.PAUSED
    assert (await run.visits(), loop.sender.accepted) == ({}, [])
    await run.have_go_on()
    assert await run.became("letter") == (StepState.DONE, None)
    assert (await run.at(), len(loop.sender.accepted)) == ("rest", 1)


async def test_whoever_comes_to_qualify_in_a_pause_is_taken_up_when_it_ends(
    loop: Loop, scene: Scenario
) -> None:
    trigger = {"signals": ["limit_proximity"]}
    document = recipe(call("call"), rest("rest", "9d"), key="near-the-limit", trigger=trigger)
    await adopt(loop, document)
    hand = Hand("Ada Osei", None, loop.clock.now(), loop.clock.wall_now())
    async with loop.database.transaction() as session:
        pause = await order_rest(session, PauseScope.PLAYBOOK, document.key, None, "a holiday", hand)
    await scene.open_signal(SignalKind.LIMIT_PROXIMITY, loop.clock.now())
    await loop.live(3)
    assert await scene.runs() == []
    hand = Hand("Ada Osei", None, loop.clock.now(), loop.clock.wall_now())
    async with loop.database.transaction() as session:
        await end_rest(session, pause, hand)
    assert await loop.ring() == 1
    await loop.decided(scene.customer_id)
    assert [run.playbook_key for run in await scene.runs()] == ["near-the-limit"]


async def test_a_message_that_fell_due_in_a_pause_leaves_when_the_pause_ends(
    loop: Loop, scene: Scenario
) -> None:
    run = await journey(loop, scene, recipe(letter("letter"), letter("again"), rest("rest", "9d")))
    assert (await run.visits())["again"].state is StepState.DEFERRED
    await run.have_rest()
    await loop.live(3)
    due = (await run.visits())["again"].due_at
    assert due is not None
    assert due < loop.clock.now(), "its time came in the pause"
    assert len(loop.sender.accepted) == 1
    await run.have_go_on()
    assert (await run.visits())["again"].state is StepState.DONE
    assert len(loop.sender.accepted) == 2


async def test_a_playbook_that_is_withdrawn_and_released_again_goes_on_where_its_runs_stood(
    loop: Loop, scene: Scenario
) -> None:
    document = recipe(rest("breathe", "2d"), letter("letter"), rest("rest", "9d"))
    run = await journey(loop, scene, document)
    await loop.live(1)
    async with loop.database.transaction() as session:
        await observe_again(session, playbook_key=document.key)
    await loop.live(3)
    assert await run.became("letter") == (StepState.DEFERRED, "observing")
    async with loop.database.transaction() as session:
        await release(session, loop.clock.now(), loop.clock.wall_now(), playbook_key=document.key)
    await run.hear()
    assert (await run.visits())["letter"].state is StepState.DONE
    assert (await run.at(), len(loop.sender.accepted)) == ("rest", 1)


async def test_a_playbook_that_is_archived_lets_its_runs_come_to_their_end(
    loop: Loop, scene: Scenario
) -> None:
    goal = {"when": "touchpoint", "window": "20d"}
    document = recipe(call("call"), rest("breathe", "2d"), letter("letter"), rest("rest", "3d"), goal=goal)
    run = await journey(loop, scene, document)
    async with loop.database.transaction() as session:
        await archive(session, document.key, loop.clock.now())
    await loop.live(8)
    assert (await run.ending())[0] is InterventionState.ENDED
    assert len(loop.sender.accepted) == 1
    assert {task.state.value for task in await scene.tasks()} == {"cancelled"}
