"""Meetings of runs on a real Postgres: the slot, the answers, and what ends them."""

import asyncio
import datetime as dt
import itertools
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from domain.calendar import OFFICE_HOURS, is_in_window
from domain.delivery_events import InboundEmail
from domain.facts import MeetingFact
from domain.invitations import InvitationReply
from domain.time import BusinessInstant, WallInstant, after
from domain.vocabulary import Direction, EffectState, Outcome, StepState, TaskState
from models.database import Database
from models.effects import settle
from models.endings import RunEnding, end_run
from models.facts import store_facts
from models.inbound_email import receive_email
from models.meeting_answers import answer_meeting, propose_another_time
from models.meeting_changes import MeetingChange, change_meeting
from models.send_claims import Busy, Ready
from models.send_ledger import give_up
from models.sources import Source, connect_source
from models.step_visits import Visit
from models.tables.customers import CustomerRow
from models.tables.facts import MeetingRow
from models.tables.ledger import EffectRow, TouchpointRow
from models.tables.playbooks import InterventionStepRow
from tests.support.asking import ask, ask_and_hold, ask_and_stay
from tests.support.forked import forked
from tests.support.inviting import asked, invitation_of, meetings, rings
from tests.support.scenario import Scenario

pytestmark = pytest.mark.integration

NOON = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))  # a Wednesday
LATER = after(NOON, dt.timedelta(hours=1))
WALL = WallInstant(NOON)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
async def scene(database: Database) -> Scenario:
    return await Scenario(database, NOON).begin()


@pytest.fixture
async def visit(database: Database, scene: Scenario) -> Visit:
    return await invitation_of(database, scene.customer_id, NOON)


async def invited(database: Database, visit: Visit) -> MeetingRow:
    """Claim the invitation and let it leave, and the run wait for the answer."""
    ready = await ask(database, visit, NOON)
    assert isinstance(ready, Ready)
    async with database.transaction() as session:
        await settle(session, ready.effect.key, EffectState.SENT, WALL)
        waiting = update(InterventionStepRow).where(InterventionStepRow.step_id == "invite")
        await session.execute(waiting.values(state=StepState.WAITING, reason="invited"))
    ((meeting, _),) = await meetings(database)
    return meeting


async def meeting(database: Database) -> MeetingRow:
    ((row, _),) = await meetings(database)
    return row


async def say(database: Database, meeting_id: uuid.UUID, answer: str, at: BusinessInstant = LATER) -> bool:
    async with database.transaction() as session:
        return await answer_meeting(session, meeting_id, answer, at, WallInstant(at))  # type: ignore[arg-type]  # a case of the test


async def test_the_claim_writes_the_meeting_that_its_letter_speaks_of(
    database: Database, scene: Scenario, visit: Visit
) -> None:
    ready = await ask(database, visit, NOON)
    assert isinstance(ready, Ready)
    planned = ready.context.meeting
    assert planned is not None
    ((row, invitation),) = await meetings(database)
    assert (row.id, row.scheduled_at, row.external_id) == (
        planned.id,
        planned.starts_at,
        f"{visit.intervention_id}/invite/1",
    )
    assert (row.kind, row.organiser_id, row.customer_id) == ("qbr", scene.csm_id, scene.customer_id)
    assert row.title.startswith("Review with ")
    assert "$" not in row.title
    assert row.scheduled_at >= after(NOON, dt.timedelta(days=3))
    assert is_in_window(row.scheduled_at, OFFICE_HOURS, "UTC")
    assert ready.context.person is not None
    assert invitation.contact_id == ready.context.person.contact_id
    assert planned.organiser is not None
    assert ready.context.reply_to == planned.organiser.email
    assert ready.context.values["sender"]["name"] == "Carl Careful"


async def test_two_workers_that_claim_at_once_make_one_meeting(database: Database, visit: Visit) -> None:
    begun = await asyncio.gather(*(ask(database, visit, NOON) for _ in range(4)))
    assert sum(isinstance(each, Ready) for each in begun) == 1
    assert sum(isinstance(each, Busy) for each in begun) == 3
    assert len(await meetings(database)) == 1


async def test_a_worker_killed_before_its_claim_committed_leaves_no_meeting(
    database: Database, visit: Visit
) -> None:
    with forked(ask_and_hold, database.url, visit, NOON) as doomed:
        await doomed.reached()
        doomed.kill()
    assert await meetings(database) == []
    assert isinstance(await ask(database, visit, LATER), Ready)
    assert len(await meetings(database)) == 1


async def test_a_worker_killed_between_claim_and_send_keeps_the_slot(
    database: Database, visit: Visit
) -> None:
    with forked(ask_and_stay, database.url, visit, NOON) as doomed:
        await doomed.reached()
        doomed.kill()
    ((before, invitation),) = await meetings(database)
    async with database.transaction() as session:
        await session.execute(update(EffectRow).values(lease_until=None))
    again = await ask(database, visit, LATER)
    assert isinstance(again, Ready)
    ((row, kept),) = await meetings(database)
    assert (row.id, row.scheduled_at) == (before.id, before.scheduled_at)
    assert (kept.sequence, invitation.sequence) == (0, 0)
    assert again.context.meeting is not None
    assert again.context.meeting.starts_at == before.scheduled_at


async def test_meetings_of_one_organiser_never_overlap(database: Database, scene: Scenario) -> None:
    for number in range(4):
        mine = await invitation_of(database, scene.customer_id, NOON, minutes=60, purpose="transactional")
        assert isinstance(await ask(database, mine, after(NOON, number * MINUTE)), Ready)
    spans = [(row.scheduled_at, row.scheduled_at + 60 * MINUTE) for row, _ in await meetings(database)]
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))


async def test_somebody_else_gets_an_invitation_of_their_own(
    database: Database, scene: Scenario, visit: Visit
) -> None:
    await ask(database, visit, NOON)
    await scene.replace_champion("Bea Bold", "bea@acme.example", LATER)
    async with database.transaction() as session:
        await session.execute(update(EffectRow).values(lease_until=None))
    again = await ask(database, visit, LATER)
    assert isinstance(again, Ready)
    assert again.context.person is not None
    assert again.context.person.name == "Bea Bold"
    ((row, invitation),) = await meetings(database)
    assert (invitation.contact_id, invitation.sequence) == (again.context.person.contact_id, 1)
    assert row.cancelled_at is None


async def test_a_send_that_is_given_up_cancels_its_meeting(database: Database, visit: Visit) -> None:
    await ask(database, visit, NOON)
    async with database.transaction() as session:
        await give_up(session, visit, LATER)
    assert (await meeting(database)).cancelled_at == LATER
    assert await asked(database) == []


async def test_an_answer_rings_the_run_once_however_often_it_comes(database: Database, visit: Visit) -> None:
    row = await invited(database, visit)
    assert await say(database, row.id, "accepted")
    assert not await say(database, row.id, "accepted")
    row = await meeting(database)
    assert (row.answer, row.answered_at) == ("accepted", LATER)
    assert await rings(database) == 1


async def test_the_last_answer_counts(database: Database, visit: Visit) -> None:
    row = await invited(database, visit)
    for answer in ("declined", "accepted"):
        await say(database, row.id, answer)
    assert (await meeting(database)).answer == "accepted"
    assert await rings(database) == 2


def reply_of(
    row: MeetingRow, answer: str, minutes: int = 0, attendee: str = "ann@acme.example"
) -> InboundEmail:
    stamp = LATER + minutes * MINUTE
    reply = InvitationReply(row.id, attendee, answer, stamp)  # type: ignore[arg-type]  # a case of the test
    return InboundEmail(
        message_id=f"{answer}/{minutes}@acme.example",
        sender_email=attendee,
        recipients=("carl@everstay.example",),
        subject="Accepted: Review",
        text="",
        is_automatic=True,
        reply=reply,
    )


async def receive(database: Database, email: InboundEmail) -> bool:
    async with database.transaction() as session:
        return await receive_email(session, email, LATER, WALL)


async def test_a_calendars_answer_is_an_answer_and_no_letter(database: Database, visit: Visit) -> None:
    row = await invited(database, visit)
    assert await receive(database, reply_of(row, "accepted"))
    assert await receive(database, reply_of(row, "accepted"))
    assert (await meeting(database)).answer == "accepted"
    assert await rings(database) == 1
    async with database.transaction() as session:
        came = select(TouchpointRow.id).where(TouchpointRow.direction == Direction.IN)
        assert (await session.scalars(came)).all() == []


async def test_answers_that_overtake_each_other_count_in_the_order_of_their_giving(
    database: Database, visit: Visit
) -> None:
    row = await invited(database, visit)
    await receive(database, reply_of(row, "accepted", minutes=5))
    await receive(database, reply_of(row, "declined", minutes=1))
    assert (await meeting(database)).answer == "accepted"


async def test_nobody_answers_for_somebody_else(database: Database, visit: Visit) -> None:
    row = await invited(database, visit)
    await receive(database, reply_of(row, "accepted", attendee="eve@acme.example"))
    forged = reply_of(row, "accepted")
    await receive(database, replace(forged, sender_email="eve@acme.example"))
    assert (await meeting(database)).answer is None


async def test_another_time_is_one_task_and_no_answer(
    database: Database, scene: Scenario, visit: Visit
) -> None:
    row = await invited(database, visit)
    for wish in ("Friday", "Friday", "Monday  please"):
        async with database.transaction() as session:
            await propose_another_time(session, row.id, wish, LATER)
    (task,) = await asked(database)
    assert (task.assignee_id, task.state, task.intervention_id) == (scene.csm_id, TaskState.OPEN, None)
    assert "“Monday please”" in task.body
    assert (await meeting(database)).answer is None
    assert await rings(database) == 0


async def test_our_people_move_a_meeting_and_say_that_it_was_held(
    database: Database, scene: Scenario, visit: Visit
) -> None:
    row = await invited(database, visit)
    await say(database, row.id, "declined")
    moved = after(row.scheduled_at, dt.timedelta(days=1))
    for change in (MeetingChange(starts_at=moved), MeetingChange(was_held=True, by_id=scene.csm_id)):
        for _ in range(2):
            async with database.transaction() as session:
                await change_meeting(session, row.id, change, moved if change.was_held else LATER, WALL)
    row = await meeting(database)
    assert (row.scheduled_at, row.held_at, row.answer) == (moved, moved, None)
    (touch,) = [each for each in await scene.touchpoints() if each.channel == "meeting"]
    assert (touch.occurred_at, touch.user_id) == (moved, scene.csm_id)
    (customer,) = await scene.rows(CustomerRow)
    assert customer.last_touch_at == moved


async def end(database: Database, scene: Scenario, visit: Visit) -> None:
    ending = RunEnding(visit.intervention_id, scene.customer_id, Outcome.SAVED, "the causes are gone")
    async with database.transaction() as session:
        await end_run(session, ending, LATER)


async def test_a_run_that_ends_while_it_waits_has_a_person_call_the_meeting_off(
    database: Database, scene: Scenario, visit: Visit
) -> None:
    await invited(database, visit)
    await end(database, scene, visit)
    assert (await meeting(database)).cancelled_at == LATER
    (task,) = await asked(database)
    assert (task.assignee_id, task.state) == (scene.csm_id, TaskState.OPEN)
    assert "Call off" in task.title


async def test_a_meeting_that_nobody_heard_of_is_cancelled_in_silence(
    database: Database, scene: Scenario, visit: Visit
) -> None:
    await ask(database, visit, NOON)
    async with database.transaction() as session:
        await session.execute(update(EffectRow).values(lease_until=None))
    await end(database, scene, visit)
    assert (await meeting(database)).cancelled_at == LATER
    assert await asked(database) == []


async def test_an_accepted_meeting_outlives_its_run(
    database: Database, scene: Scenario, visit: Visit
) -> None:
    row = await invited(database, visit)
    await say(database, row.id, "accepted")
    await end(database, scene, visit)
    assert (await meeting(database)).cancelled_at is None


async def test_a_late_word_of_the_sender_does_not_end_the_wait_for_the_answer(
    database: Database, visit: Visit, scene: Scenario
) -> None:
    await invited(database, visit)
    await ask(database, visit, LATER)
    (step,) = [each for each in await scene.steps() if each.step_id == "invite"]
    assert (step.state, step.reason) == (StepState.WAITING, "invited")


async def test_the_calendar_that_tells_of_our_meeting_tells_of_the_same_one(
    database: Database, scene: Scenario, visit: Visit
) -> None:
    row = await invited(database, visit)
    async with database.transaction() as session:
        await connect_source(session, Source("cal", "Calendar", "calendar", ("meetings",), NOON))
    told = calendar_fact(row, answer="accepted", answered_at=LATER)
    held = calendar_fact(row, answer="accepted", answered_at=LATER, held_at=row.scheduled_at)
    for fact in (told, told, held, held):
        async with database.transaction() as session:
            await store_facts(session, "cal", [fact], received_at=WallInstant(LATER))
    async with database.transaction() as session:
        rows = (await session.scalars(select(MeetingRow))).all()
    assert [(one.id, one.answer, one.held_at) for one in rows] == [(row.id, "accepted", row.scheduled_at)]
    assert await rings(database) == 2


def calendar_fact(row: MeetingRow, **told: object) -> MeetingFact:
    return MeetingFact.model_validate(
        {
            "key": f"{row.id}/acme.example",
            "known_at": LATER,
            "customer": "mailto:ann@acme.example",
            "kind": "qbr",
            "title": row.title,
            "scheduled_at": row.scheduled_at,
            **told,
        }
    )
