"""A run that invites to a meeting, from the claim to what its answer leads to."""

import base64
import datetime as dt
import uuid
from typing import Any

import pytest
from icalendar import Calendar

from domain.time import WallInstant
from domain.vocabulary import HeadsUpState
from integrations.invitations import read_reply
from integrations.sendgrid_sender import mail_body
from integrations.simulators.sendgrid.reactions import reply_to
from models.meeting_answers import answer_meeting, take_reply
from models.tables.facts import MeetingRow
from models.tables.work import HeadsUpRow
from tests.support.inviting import asked, meetings, one_meeting
from tests.support.loop import Loop
from tests.support.runs import open_run, start_run
from tests.support.scenario import Scenario
from tests.workflows.conftest import begin

pytestmark = pytest.mark.cadence

DAY = dt.timedelta(days=1)


class Invited:
    """One run, and what came of its invitation."""

    def __init__(self, loop: Loop, scene: Scenario, run_id: uuid.UUID) -> None:
        self.loop, self.scene, self.run_id = loop, scene, run_id

    async def meeting(self) -> MeetingRow:
        ((row, _),) = await meetings(self.loop.database)
        return row

    async def answer(self, answer: str) -> None:
        row, now = await self.meeting(), self.loop.clock.now()
        async with self.loop.database.transaction() as session:
            await answer_meeting(session, row.id, answer, now, WallInstant(now))  # type: ignore[arg-type]  # a case of the test

    async def step(self) -> str:
        run = next(row for row in await self.scene.runs() if row.id == self.run_id)
        return str(run.position.get("step"))

    async def told(self) -> list[str]:
        rows = await self.scene.rows(HeadsUpRow)
        return [row.title for row in rows if row.state is not HeadsUpState.CLOSED]


@pytest.fixture
async def invited(loop: Loop) -> Invited:
    scene = await begin(loop)
    await loop.pass_time(dt.timedelta(hours=2))
    run_id = await open_run(loop.database, one_meeting(), scene.customer_id, loop.clock.now())
    await start_run(loop.client, run_id)
    await loop.pass_time(dt.timedelta(hours=2))
    return Invited(loop, scene, run_id)


async def test_an_invitation_leaves_once_with_the_meeting_in_it(invited: Invited) -> None:
    (message,) = invited.loop.sender.accepted
    row = await invited.meeting()
    event: Any
    (event,) = Calendar.from_ical(message.invitation).walk("VEVENT")
    assert event["DTSTART"].dt == row.scheduled_at
    assert str(event["UID"]) == str(row.id)
    assert f"{row.scheduled_at:%H:%M}" in message.text
    body = mail_body(message)
    assert base64.b64decode(body["attachments"][0]["content"]).decode() == message.invitation  # type: ignore[index]  # JSON
    assert await invited.step() == "invite"


@pytest.mark.parametrize(("answer", "way"), [("accepted", "yes"), ("declined", "no")])
async def test_an_answer_leads_on_at_once(invited: Invited, answer: str, way: str) -> None:
    await invited.answer(answer)
    await invited.loop.ring()
    await invited.loop.decided(invited.scene.customer_id)
    await invited.loop.pass_time(dt.timedelta(minutes=5))
    assert await invited.step() == "rest"
    assert way in await invited.told()


async def test_the_last_answer_before_the_run_hears_of_it_counts(invited: Invited) -> None:
    await invited.answer("declined")
    await invited.answer("accepted")
    await invited.loop.ring()
    await invited.loop.pass_time(dt.timedelta(minutes=5))
    assert "yes" in await invited.told()


async def test_an_answer_after_the_time_is_known_and_changes_nothing_of_the_run(invited: Invited) -> None:
    await invited.loop.live(6)
    assert await invited.told() == ["silence"]
    await invited.answer("accepted")
    await invited.loop.live(1)
    assert await invited.told() == ["silence"]
    assert (await invited.meeting()).answer == "accepted"
    assert await invited.step() == "rest"


async def test_a_calendars_answer_leads_on(invited: Invited) -> None:
    (message,) = invited.loop.sender.accepted
    reply, now = read_reply(reply_to(message.invitation, "ACCEPTED")), invited.loop.clock.now()
    assert reply is not None
    async with invited.loop.database.transaction() as session:
        assert await take_reply(session, reply, "ann@acme.example", now, WallInstant(now))
    await invited.loop.ring()
    await invited.loop.pass_time(dt.timedelta(minutes=5))
    assert "yes" in await invited.told()


async def test_a_run_that_reaches_its_goal_while_it_waits_has_the_meeting_called_off(
    invited: Invited,
) -> None:
    await invited.scene.touch(invited.loop.clock.now())
    await invited.loop.ring()
    await invited.loop.pass_time(dt.timedelta(minutes=5))
    run = next(row for row in await invited.scene.runs() if row.id == invited.run_id)
    assert run.outcome is not None
    assert (await invited.meeting()).cancelled_at is not None
    (task,) = await asked(invited.loop.database)
    assert task.title.startswith("Call off")
