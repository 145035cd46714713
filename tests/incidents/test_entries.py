"""Entering a playbook: once too often, twice at a time, on an old version, for each person anew."""

from collections.abc import Mapping

import pytest
from sqlalchemy import select

from domain.edit_impact import Choices, OnOpen
from domain.playbook import Playbook
from domain.vocabulary import DecisionKind, InterventionState, Outcome, Purpose, SignalKind, StepState
from models.playbook_edits import publish_edit
from models.playbooks import Author
from models.tables.playbooks import InterventionRow, PlaybookVersionRow
from tests.support.facts import contact
from tests.support.journeys import adopt, call, letter, recipe, rest
from tests.support.loop import Loop
from tests.support.scenario import Scenario

pytestmark = pytest.mark.cadence
KEY = "near-the-limit"
LIMIT, SURGE = SignalKind.LIMIT_PROXIMITY, SignalKind.USAGE_SURGE
"""Signals of which no shipped playbook speaks."""


def limit(*steps: Mapping[str, object], **more: object) -> Playbook:
    """A playbook that both signals open, and nothing but its own steps ends."""
    trigger = {"signals": [LIMIT.value, SURGE.value]}
    return recipe(*steps, key=KEY, trigger=trigger, goal={"when": "touchpoint", "window": "30d"}, **more)


async def runs_of(scene: Scenario) -> list[InterventionRow]:
    return [run for run in await scene.runs() if run.playbook_key == KEY]


async def test_a_run_that_ends_while_its_cause_still_holds_is_not_begun_again_at_once(
    loop: Loop, scene: Scenario
) -> None:
    await adopt(loop, limit(call("call"), rest("rest", "2d"), cooldown="10d"))
    await scene.open_signal(LIMIT, loop.clock.now())
    await loop.ring()
    await loop.live(11)
    assert [run.outcome for run in await runs_of(scene)] == [Outcome.NO_CHANGE]
    refused = [
        one.reason
        for one in await scene.decisions()
        if one.kind is DecisionKind.REFUSAL and one.subject == KEY
    ]
    assert refused == ["cooldown"], "and it says once why there is no other"
    await loop.live(2.5)
    assert len(await runs_of(scene)) == 2, "a cause that lasts is taken up again when the cooldown is over"


async def test_whoever_enters_again_in_mid_run_has_one_run_and_one_schedule(
    loop: Loop, scene: Scenario
) -> None:
    await adopt(loop, limit(rest("breathe", "3d"), letter("letter"), rest("rest", "7d")))
    await scene.open_signal(LIMIT, loop.clock.now())
    await loop.ring()
    await loop.live(1)
    await scene.resolve_signal(LIMIT, loop.clock.now())
    await scene.open_signal(LIMIT, loop.clock.now())
    await scene.open_signal(SURGE, loop.clock.now())
    await loop.ring()
    await loop.live(0.5)
    (run,) = await runs_of(scene)
    waiting = [(row.step_id, row.due_at) for row in await scene.steps() if row.state is StepState.WAITING]
    assert [step for step, _due in waiting] == ["breathe"]
    assert run.expected_wake_at == waiting[0][1], "the first entry's wait goes on as it was"
    await loop.live(4)
    assert len(loop.sender.accepted) == 1
    assert [one.id for one in await runs_of(scene)] == [run.id]


async def test_the_next_run_is_of_the_published_version_and_not_of_the_one_that_ended(
    loop: Loop, scene: Scenario
) -> None:
    await adopt(loop, limit(call("call", "Old words"), rest("rest", "2d"), cooldown="1d"))
    await scene.open_signal(LIMIT, loop.clock.now())
    await loop.ring()
    await loop.live(1)
    edited = limit(call("call", "New words"), rest("rest", "9d"), cooldown="1d")
    await publish_edit(loop.database, loop.clock, edited, Choices(OnOpen.PIN), Author())
    await loop.live(3.5)
    first, second = await runs_of(scene)
    assert (first.state, second.state) == (InterventionState.ENDED, InterventionState.RUNNING)
    async with loop.database.transaction() as session:
        row = PlaybookVersionRow
        found = await session.execute(select(row.id, row.version).where(row.playbook_key == KEY))
        numbers = {one.id: one.version for one in found}
    assert (numbers[first.version_id], numbers[second.version_id]) == (1, 2)
    words = {task.intervention_id: task.title for task in await scene.tasks()}
    assert (words[first.id], words[second.id]) == ("Old words", "New words")


async def test_a_company_is_one_subject_however_many_of_its_people_there_are(
    loop: Loop, scene: Scenario
) -> None:
    people = [
        contact(
            f"person-{number}",
            known_at=scene.now,
            since=scene.now,
            email=f"person-{number}@acme.example",
            roles=("end_user",),
            consents=tuple(Purpose),
        )
        for number in range(12)
    ]
    await scene.hear(*people, now=loop.clock.now())
    await adopt(loop, limit(letter("letter"), rest("rest", "7d")))
    await scene.open_signal(LIMIT, loop.clock.now())
    await loop.ring()
    await loop.live(3)
    assert len(await runs_of(scene)) == 1
    assert [one.to.email for one in loop.sender.accepted] == ["ann@acme.example"]
