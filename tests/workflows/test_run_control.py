"""People steer runs: what rests listens, what is skipped or sent back does nothing a second time."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import func, select

from api.previews import preview
from domain.errors import ConflictError, InvalidInputError
from domain.vocabulary import InterventionState, Outcome, PauseScope, StepState, TaskState
from models.hands import Hand
from models.previews import load_pending
from models.resting import end_rest, find_rest, order_rest
from models.run_control import restart_run, retry_run, skip_step, stop_run
from models.tables.customers import CustomerRow
from models.tables.facts import MeetingRow
from models.tables.ledger import EffectRow
from models.tables.playbooks import InterventionRow
from tests.support.inviting import invitation_of
from tests.support.loop import Loop
from tests.support.runs import one_letter, open_run, start_run
from tests.support.scenario import Scenario
from tests.support.web import web_settings
from tests.workflows.conftest import begin
from workers.workflow_keeper import carry_out_orders

pytestmark = pytest.mark.cadence
DAY = dt.timedelta(days=1)
BREATHE: dict[str, object] = {"id": "breathe", "wait": {"duration": "3d"}}
LOOK: dict[str, object] = {"id": "look", "notify": {"title": "Look at $customer", "body": "Now."}}
"""What a run comes to last: a wait that nothing follows would be left out."""


def letter(name: str) -> dict[str, object]:
    """A step that writes to the champion."""
    return {"id": name, "send_email": {"template": "stay-in-touch", "to": ["champion"]}}


class Steered:
    """One run, and the hand on it."""

    def __init__(self, loop: Loop, scene: Scenario, run_id: uuid.UUID) -> None:
        self.loop, self.scene, self.run_id = loop, scene, run_id

    @property
    def hand(self) -> Hand:
        return Hand("Ada Osei", None, self.loop.clock.now(), self.loop.clock.wall_now())

    async def row(self) -> InterventionRow:
        return next(row for row in await self.scene.runs() if row.id == self.run_id)

    async def at(self) -> str | None:
        return (await self.row()).position.get("step")

    async def steps(self) -> dict[tuple[str, int], tuple[StepState, str | None]]:
        mine = [row for row in await self.scene.steps() if row.intervention_id == self.run_id]
        return {(row.step_id, row.occurrence): (row.state, row.reason) for row in mine}

    async def effects(self) -> list[str]:
        keys = [row.key for row in await self.scene.rows(EffectRow)]
        return sorted("/".join(key.split("/")[1:3]) for key in keys if key.startswith(str(self.run_id)))

    async def carry_out(self) -> None:
        """Let the relay do its part, and the run look."""
        await self.loop.ring()
        await carry_out_orders(self.loop.client, self.loop.database, self.loop.clock)
        await self.loop.pass_time(dt.timedelta(minutes=5))

    async def rest(self, scope: PauseScope = PauseScope.RUN, key: str | None = None) -> None:
        key = str(self.run_id) if key is None else key
        async with self.loop.database.transaction() as session:
            await order_rest(session, scope, key, None, "they are on holiday", self.hand)
        await self.carry_out()

    async def go_on(self, scope: PauseScope = PauseScope.RUN, key: str | None = None) -> None:
        async with self.loop.database.transaction() as session:
            rest = await find_rest(session, scope, str(self.run_id) if key is None else key, self.hand.now)
            await end_rest(session, rest.id, self.hand)
        await self.carry_out()


async def steered(loop: Loop, *steps: dict[str, object]) -> Steered:
    """Start a run of these steps at ten on Monday."""
    scene = await begin(loop)
    await loop.pass_time(dt.timedelta(hours=2))
    document = one_letter(
        steps=[*steps, LOOK], goal={"when": "renewed", "outcome": "renewed", "window": "90d"}
    )
    run_id = await open_run(loop.database, document, scene.customer_id, loop.clock.now())
    await start_run(loop.client, run_id)
    await loop.pass_time(dt.timedelta(minutes=5))
    return Steered(loop, scene, run_id)


async def test_a_wait_whose_deadline_passes_in_a_rest_has_as_long_to_go_afterwards(loop: Loop) -> None:
    run = await steered(loop, BREATHE, letter("letter"))
    await loop.live(1)
    await run.rest()
    await loop.live(6)
    assert (await run.row()).state is InterventionState.PAUSED
    assert (await run.at(), loop.sender.accepted) == ("breathe", [])
    await run.go_on()
    assert (await run.row()).state is InterventionState.RUNNING
    await loop.live(1.5)
    assert (await run.at(), loop.sender.accepted) == ("breathe", [])
    await loop.live(1.5)
    assert len(loop.sender.accepted) == 1
    said = [one.sentence for one in await run.scene.decisions() if one.action in {"pause", "resume"}]
    assert said == ["Ada Osei had it rest: they are on holiday.", "Ada Osei ended the rest."]


@pytest.mark.parametrize("scope", list(PauseScope))
async def test_an_answer_that_comes_in_a_rest_is_heard_when_it_ends(loop: Loop, scope: PauseScope) -> None:
    ask: dict[str, object] = {"id": "ask", "wait": {"event": "reply", "timeout": "10d", "on_event": "thank"}}
    thank: dict[str, object] = {
        "id": "thank",
        "create_task": {"title": "Thank $customer", "body": "They have answered."},
    }
    run = await steered(loop, ask, thank, BREATHE)
    row = await run.row()
    segment = (await run.scene.rows(CustomerRow))[0].segment.value
    keys = {
        PauseScope.EVERYTHING: "",
        PauseScope.SEGMENT: segment,
        PauseScope.PLAYBOOK: row.playbook_key,
        PauseScope.CUSTOMER: str(row.customer_id),
        PauseScope.RUN: str(row.id),
    }
    await run.rest(scope, keys[scope])
    await run.scene.touch(loop.clock.now(), "reply", direction="in", channel="email", contact="ann")
    await loop.live(2)
    assert (await run.at(), await run.scene.tasks()) == ("ask", [])
    await run.go_on(scope, keys[scope])
    assert (await run.steps())["ask", 1] == (StepState.DONE, "reply")
    assert [task.title for task in await run.scene.tasks()] == ["Thank Acme"]


async def test_a_skipped_step_is_left_out_and_what_comes_after_is_taken(loop: Loop) -> None:
    run = await steered(loop, BREATHE, letter("letter"), {"id": "rest", "wait": {"duration": "30d"}})
    async with loop.database.transaction() as session:
        assert await skip_step(session, run.run_id, run.hand) == "breathe"
    await run.carry_out()
    assert (await run.steps())["breathe", 1] == (StepState.SKIPPED, "skipped by Ada Osei")
    assert len(loop.sender.accepted) == 1
    assert await run.at() == "rest"


async def test_a_letter_that_is_put_off_is_previewed_and_once_skipped_never_leaves(loop: Loop) -> None:
    run = await steered(loop, letter("letter"), letter("again"), BREATHE)
    assert (await run.steps())["again", 1][0] is StepState.DEFERRED
    async with loop.database.transaction() as session:
        pending = await load_pending(session, run.run_id, loop.clock.now())
    assert pending is not None
    shown = preview(web_settings(loop.database.url), pending, loop.clock.now())
    assert (shown.to, shown.problem) == ("Ann Able <ann@acme.example>", "")
    assert "Ann" in shown.text
    assert "unsubscribe/" not in shown.text
    async with loop.database.transaction() as session:
        await skip_step(session, run.run_id, run.hand)
    await run.carry_out()
    await loop.live(5)
    assert (await run.steps())["again", 1] == (StepState.SKIPPED, "skipped by Ada Osei")
    assert await run.effects() == ["letter/1"]


async def test_an_invitation_is_previewed_with_the_slot_that_would_be_proposed(loop: Loop) -> None:
    scene = await begin(loop)
    visit = await invitation_of(loop.database, scene.customer_id, loop.clock.now())
    now = loop.clock.now()
    async with loop.database.transaction() as session:
        pending = await load_pending(session, visit.intervention_id, now)
        assert (await session.scalar(select(func.count()).select_from(MeetingRow))) == 0
    assert pending is not None
    assert pending.context is not None
    assert pending.context.meeting is not None
    assert pending.context.meeting.starts_at >= now + 3 * DAY
    shown = preview(web_settings(loop.database.url), pending, now)
    assert (shown.to, shown.problem) == ("Ann Able <ann@acme.example>", "")
    assert "Review with Acme" in shown.text
    assert "/meeting/" not in shown.text
    assert "proposed now" in shown.note


@pytest.mark.parametrize("step", [None, "letter"])
async def test_a_run_that_is_sent_back_acts_under_new_keys_and_once_each(
    loop: Loop, step: str | None
) -> None:
    call: dict[str, object] = {"id": "call", "create_task": {"title": "Call $customer", "body": "Now."}}
    run = await steered(loop, letter("letter"), call, BREATHE)
    await loop.live(2)
    for _ in range(2):
        async with loop.database.transaction() as session:
            await retry_run(session, run.run_id, run.hand)
        await run.carry_out()
    assert await run.effects() == ["letter/1"]
    async with loop.database.transaction() as session:
        assert await restart_run(session, run.run_id, step, run.hand) == "letter"
    await run.carry_out()
    assert await run.effects() == ["letter/1", "letter/2"]
    assert len(loop.sender.accepted) == 2
    assert (await run.steps())["breathe", 1][0] is StepState.CANCELLED
    states = sorted(task.state for task in await run.scene.tasks())
    assert states == [TaskState.CANCELLED, TaskState.OPEN]
    receipt = next(one for one in await run.scene.decisions() if one.action == "restart_run")
    assert receipt.evidence["cancelled_tasks"] == ["Call Acme"]


async def test_a_run_that_a_person_ends_has_their_outcome_and_its_workflow_ends_with_it(loop: Loop) -> None:
    call: dict[str, object] = {"id": "call", "create_task": {"title": "Call $customer", "body": "Now."}}
    run = await steered(loop, call, BREATHE, letter("letter"))
    async with loop.database.transaction() as session:
        await stop_run(session, run.run_id, Outcome.SAVED, "they have signed", run.hand)
    await run.carry_out()
    row = await run.row()
    assert (row.state, row.outcome) == (InterventionState.ENDED, Outcome.SAVED)
    assert row.outcome_reason == "they have signed (by Ada Osei)"
    assert row.receipt is not None
    assert row.receipt["cancelled_steps"] == ["breathe", "letter", "look"]
    assert await loop.client.get_workflow_handle(f"intervention/{run.run_id}").result() == "saved"
    with pytest.raises(ConflictError, match="has ended"):
        async with loop.database.transaction() as session:
            await retry_run(session, run.run_id, run.hand)


async def test_a_step_that_the_version_lacks_is_refused_with_those_that_it_has(loop: Loop) -> None:
    run = await steered(loop, BREATHE, letter("letter"))
    with pytest.raises(InvalidInputError, match="breathe, letter"):
        async with loop.database.transaction() as session:
            await restart_run(session, run.run_id, "brethe", run.hand)
    assert await run.at() == "breathe"
