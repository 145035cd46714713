"""The page where an invited person answers, and the other ways in which an answer comes."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from domain.invitations import Invitation, PlannedMeeting
from domain.links import LinkMaker
from domain.ports import EmailAddress
from domain.time import BusinessInstant, after, business
from domain.vocabulary import Role
from integrations.invitations import CalendarInvitations
from integrations.simulators.sendgrid.reactions import reply_to
from models.clock import start_clock, wall_now
from models.database import Database
from models.tables.facts import MeetingRow
from tests.support.asking import ask
from tests.support.inviting import asked, invitation_of, meetings, rings
from tests.support.scenario import Scenario
from tests.support.web import (
    SIGNING_KEY,
    Client,
    csrf_in,
    provider_key,
    sign_in,
    someone,
    web_client,
    web_settings,
)

pytestmark = pytest.mark.integration

NOON = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))  # a Wednesday
LINKS = LinkMaker("", SIGNING_KEY)


@dataclass(frozen=True)
class Guest:
    """The invited person and their link."""

    meeting_id: uuid.UUID
    contact_id: uuid.UUID
    run_id: uuid.UUID
    starts_at: BusinessInstant

    @property
    def url(self) -> str:
        return LINKS.meeting(self.meeting_id, self.contact_id)


@pytest.fixture
async def guest(database: Database) -> Guest:
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=NOON)
    scene = await Scenario(database, NOON).begin()
    visit = await invitation_of(database, scene.customer_id, NOON)
    await ask(database, visit, NOON)
    ((row, invitation),) = await meetings(database)
    return Guest(row.id, invitation.contact_id, visit.intervention_id, row.scheduled_at)


@pytest.fixture
async def client(guest: Guest, database_url: str) -> AsyncIterator[Client]:
    async with web_client(web_settings(database_url)) as opened:
        yield opened


async def meeting(database: Database) -> MeetingRow:
    ((row, _),) = await meetings(database)
    return row


async def press(client: Client, guest: Guest, answer: str, **more: str) -> httpx.Response:
    return await client.post(guest.url, data={"answer": answer, **more})


@pytest.mark.parametrize("answer", ["", "accepted", "declined", "another_time", "nonsense"])
async def test_a_scanner_that_follows_links_changes_nothing(
    client: Client, database: Database, guest: Guest, answer: str
) -> None:
    shown = await client.get(f"{guest.url}?answer={answer}")
    assert shown.status_code == 200
    assert "Yes, I will be there" in shown.text
    assert (await meeting(database)).answer is None
    assert await rings(database) == 0
    assert await asked(database) == []


async def test_pressing_a_button_twice_answers_once(client: Client, database: Database, guest: Guest) -> None:
    for _ in range(2):
        assert "see you then" in (await press(client, guest, "accepted")).text
    assert (await meeting(database)).answer == "accepted"
    assert await rings(database) == 1
    assert "you have accepted" in (await client.get(guest.url)).text


async def test_who_declined_may_still_accept(client: Client, database: Database, guest: Guest) -> None:
    for answer in ("declined", "accepted"):
        assert (await press(client, guest, answer)).status_code == 200
    assert (await meeting(database)).answer == "accepted"


async def test_a_wish_for_another_time_reaches_the_organiser(
    client: Client, database: Database, guest: Guest
) -> None:
    assert (await press(client, guest, "another_time", wish="Friday at ten")).status_code == 200
    (task,) = await asked(database)
    assert "Friday at ten" in task.body
    assert (await meeting(database)).answer is None


@pytest.mark.parametrize("token", ["nonsense", f"{uuid.UUID(int=1).hex}{uuid.UUID(int=2).hex}-forged"])
async def test_a_forged_link_names_no_invitation(client: Client, token: str) -> None:
    assert (await client.get(f"/meeting/{token}")).status_code == 404
    assert (await client.post(f"/meeting/{token}", data={"answer": "accepted"})).status_code == 404


async def test_a_link_for_mail_preferences_answers_no_invitation(client: Client, guest: Guest) -> None:
    assert (await client.get(f"/meeting/{LINKS.token(guest.contact_id)}")).status_code == 404


async def test_an_answer_that_is_none_is_refused(client: Client, database: Database, guest: Guest) -> None:
    assert (await press(client, guest, "perhaps")).status_code == 422
    assert (await meeting(database)).answer is None


def answered(guest: Guest, partstat: str, attendee: str = "ann@acme.example") -> bytes:
    """What a calendar answers."""
    planned = PlannedMeeting(guest.meeting_id, "Review", guest.starts_at, 30, 0, "UTC", None)
    carl, ann = EmailAddress("carl@everstay.example", "Carl"), EmailAddress(attendee, "Ann")
    invitation = Invitation(planned, carl, ann, carl, "Review", "https://everstay.example/", NOON)
    return reply_to(CalendarInvitations().write(invitation), partstat)


async def post_reply(client: Client, body: bytes, sender: str = "Ann Able <Ann@acme.example>") -> int:
    form: dict[str, tuple[str | None, str | bytes] | tuple[str, bytes, str]] = {
        "headers": (None, "Message-ID: <r1@acme.example>\nAuto-Submitted: auto-generated\n"),
        "from": (None, sender),
        "to": (None, "carl@everstay.example"),
        "subject": (None, "Accepted: Review"),
        "text": (None, "Ann has accepted."),
        "attachment1": ("invite.ics", body, "text/calendar; method=REPLY"),
    }
    request = client.build_request("POST", "/webhooks/sendgrid/inbound", files=form)
    request.headers.update(provider_key().headers(await request.aread()))
    return (await client.send(request)).status_code


@pytest.mark.parametrize(
    ("partstat", "answer"), [("ACCEPTED", "accepted"), ("DECLINED", "declined"), ("TENTATIVE", "tentative")]
)
async def test_a_calendars_answer_comes_by_mail(
    client: Client, database: Database, guest: Guest, partstat: str, answer: str
) -> None:
    for _ in range(2):
        assert await post_reply(client, answered(guest, partstat)) == 204
    assert (await meeting(database)).answer == answer
    assert await rings(database) == 1


async def test_a_stranger_cannot_answer_by_mail(client: Client, database: Database, guest: Guest) -> None:
    assert await post_reply(client, answered(guest, "ACCEPTED"), "Eve <eve@evil.example>") == 204
    assert (
        await post_reply(client, answered(guest, "ACCEPTED", "eve@evil.example"), "eve@evil.example") == 204
    )
    assert await post_reply(client, b"BEGIN:VCALENDAR\r\nnonsense") == 204
    assert (await meeting(database)).answer is None


async def test_our_people_say_it_on_the_page_of_the_run(
    client: Client, database: Database, guest: Guest
) -> None:
    user = await someone(database, Role.CSM)
    await sign_in(client, user.email)
    page = await client.get(f"/runs/{guest.run_id}")
    assert "no answer yet" in page.text
    moved = business(after(guest.starts_at, dt.timedelta(days=1)))
    for form in (
        {"act": "accepted"},
        {"act": "moved", "starts_at": f"{moved:%Y-%m-%dT%H:%M}"},
        {"act": "held"},
    ):
        token = csrf_in(await client.get(f"/runs/{guest.run_id}"))
        sent = await client.post(f"/meetings/{guest.meeting_id}", data={**form, "_csrf_token": token})
        assert sent.status_code == 200, sent.text
    row = await meeting(database)
    assert (row.answer, row.scheduled_at) == ("accepted", moved)
    assert row.held_at is not None


async def test_a_time_that_has_passed_is_refused_in_words(
    client: Client, database: Database, guest: Guest
) -> None:
    await sign_in(client, (await someone(database, Role.CSM)).email)
    token = csrf_in(await client.get(f"/runs/{guest.run_id}"))
    form = {"act": "moved", "starts_at": "2020-01-01T10:00", "_csrf_token": token}
    page = await client.post(f"/meetings/{guest.meeting_id}", data=form, follow_redirects=True)
    assert "choose a time ahead" in page.text
    assert (await meeting(database)).scheduled_at == guest.starts_at
