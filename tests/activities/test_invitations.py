"""An invitation through the real activity and the simulated provider, with a kill before it left."""

import datetime as dt
from pathlib import Path
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from temporalio.testing import ActivityEnvironment

from activities.contracts import SendEmailInput
from activities.letters import Letterhead
from activities.messaging import MessagingActivities
from domain.links import LinkMaker
from domain.ports import EmailAddress
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import StepState
from integrations.invitations import CalendarInvitations, read_reply
from integrations.jinja_renderer import JinjaMessageRenderer
from integrations.simulators.sendgrid.reactions import reply_to
from integrations.simulators.server import SimulatorOptions
from models.clock import open_clock, start_clock, wall_now
from models.database import Database
from models.meeting_answers import take_reply
from models.playbooks import PlaybookShelf
from models.runs import load_run
from tests.support.asking import ask_and_stay
from tests.support.forked import forked
from tests.support.inviting import invitation_of, meetings
from tests.support.mail_worker import simulated
from tests.support.scenario import Scenario
from tests.support.simulators import running_simulators
from workers.library import LIBRARY

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NOON = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))  # a Wednesday


async def test_a_kill_between_claim_and_send_keeps_the_slot_and_sends_once(
    database: Database, tmp_path: Path
) -> None:
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=NOON)
    scene = await Scenario(database, NOON).begin()
    visit = await invitation_of(database, scene.customer_id, NOON)
    with forked(ask_and_stay, database.url, visit, NOON) as doomed:
        await doomed.reached()
        doomed.kill()
    ((planned, _),) = await meetings(database)
    links = LinkMaker("https://everstay.example", "a secret of the tests")
    team = EmailAddress("team@everstay.example", "Team")
    letterhead = Letterhead(JinjaMessageRenderer(LIBRARY / "templates"), links, team, CalendarInvitations())
    async with running_simulators(SimulatorOptions(home=tmp_path, port=0)) as simulator:
        clock = await open_clock(database)
        messaging = MessagingActivities(database, clock, PlaybookShelf(), simulated(simulator), letterhead)
        for _ in range(2):
            result = await ActivityEnvironment().run(
                messaging.send_email, SendEmailInput(visit.intervention_id, visit.step_id, visit.occurrence)
            )
            assert result.state == "sent"
        async with httpx.AsyncClient(base_url=simulator, trust_env=False) as http:
            [held] = (await http.get("/_mailbox")).json()["messages"]
    event: Any
    (event,) = Calendar.from_ical(held["calendar"]).walk("VEVENT")
    assert (str(event["UID"]), event["DTSTART"].dt) == (str(planned.id), planned.scheduled_at)
    assert str(event["ORGANIZER"]) == "mailto:carl@everstay.example"
    assert held["from_name"] == "Carl Careful"
    assert [each.state for each in await scene.steps()] == [StepState.DONE]

    reply = read_reply(reply_to(held["calendar"], "ACCEPTED"))
    assert reply is not None
    async with database.transaction() as session:
        assert await take_reply(session, reply, held["to_email"], NOON, WallInstant(NOON))
        view = (await load_run(session, visit.intervention_id, PlaybookShelf(), NOON)).view
    told = view.meeting_of(visit.step_id, visit.occurrence)
    assert told is not None
    assert told.answer == "accepted"
