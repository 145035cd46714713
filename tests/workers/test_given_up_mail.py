"""An endpoint that takes nothing any more is told to each administrator, once each time it is given up."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import delete, insert

from domain.notifications import MailChoice
from domain.vocabulary import EffectState, MessageState, Role
from integrations.faults import Fault, FaultPlan, FaultRule
from models.database import Database
from models.endpoints import disable_endpoint
from models.tables.endpoints import WebhookMessageRow
from models.webhook_calls import disable_gone
from models.webhook_messages import Attempt, DueMessage, claim_messages, record_attempt
from tests.support.endpoints import KEY, URL, add_endpoint
from tests.support.office import HOURS, MINUTES, Office

pytestmark = pytest.mark.integration
PATIENCE = dt.timedelta(days=5)
SUBJECT = f"Endpoint {KEY} is disabled: it takes nothing any more"


@pytest.fixture
async def office(database: Database) -> Office:
    made = Office(database)
    await made.user("ada", Role.ADMIN)
    await made.user("adil", Role.ADMIN)
    await made.user("mia", Role.MANAGER)
    await add_endpoint(database)
    return made


async def fail(office: Office, error: str = "it answered 503", *, is_gone: bool = False) -> None:
    """Post one message, and have it refused."""
    await answered(office, await post(office), error, is_gone=is_gone)


async def post(office: Office) -> DueMessage:
    """Let one message be on its way."""
    wall = office.clock.wall_now()
    row = {
        "id": uuid.uuid4(),
        "endpoint": KEY,
        "type": "signal.opened",
        "data": {},
        "tried": 0,
        "attempts": 0,
    }
    times = {"state": MessageState.WAITING, "created_at": wall, "due_at": wall}
    async with office.database.transaction() as session:
        await session.execute(insert(WebhookMessageRow).values(row | times))
        (message, *_) = await claim_messages(session, KEY, wall, 1)
        return message


async def answered(office: Office, message: DueMessage, error: str | None, *, is_gone: bool = False) -> None:
    """Hear what came of it."""
    status = 204 if error is None else 503
    attempt = Attempt(office.clock.wall_now(), 0.1, status, error, is_gone=is_gone)
    async with office.database.transaction() as session:
        await record_attempt(session, message, attempt, PATIENCE, 0.0)


async def give_up(office: Office) -> None:
    """Let everything fail until the endpoint is disabled."""
    await fail(office)
    office.clock.move(PATIENCE)
    await fail(office, "no connection: refused")


async def test_each_administrator_is_told_once_with_what_they_need(office: Office) -> None:
    await give_up(office)
    assert await office.round() == 2
    assert sorted(office.mails()) == [("ada", SUBJECT), ("adil", SUBJECT)]  # each has an id by chance
    mail = office.sender.accepted[0]
    for body in (mail.text, mail.html):
        assert KEY in body
        assert URL in body
        assert "disabled on 22 November 2026 10:00 UTC" in body
        assert "It has failed since 17 November 2026 10:00 UTC." in body
        assert "no connection: refused" in body
        assert "2 messages wait for it" in body
        assert f"https://everstay.example/endpoints/{KEY}" in body
    for _ in range(3):
        assert await office.later(HOURS) == 0


async def test_an_endpoint_that_is_given_up_again_is_told_again(office: Office) -> None:
    await give_up(office)
    await office.round()
    await add_endpoint(office.database)
    assert await office.later() == 0
    async with office.database.transaction() as session:
        await session.execute(delete(WebhookMessageRow))
    await fail(office, is_gone=True)
    assert await office.later() == 2
    assert len(office.mails()) == 4


@pytest.mark.parametrize("by", ["ada", None], ids=["on the page", "on the command line"])
async def test_what_was_mended_or_switched_off_by_a_person_is_not_told(
    office: Office, by: str | None
) -> None:
    await give_up(office)
    await add_endpoint(office.database)
    assert await office.round() == 0
    await fail(office)
    async with office.database.transaction() as session:
        by_id = office.users[by] if by else None
        await disable_endpoint(session, KEY, "by hand", office.clock.wall_now(), by_id)
    assert await office.later() == 0


async def test_what_was_on_its_way_when_an_endpoint_was_given_up_hides_nothing(office: Office) -> None:
    on_its_way = await post(office)
    await give_up(office)
    await answered(office, on_its_way, None)
    assert await office.round() == 2


async def test_what_fails_on_its_way_when_a_person_disables_an_endpoint_is_not_told(office: Office) -> None:
    on_its_way = await post(office)
    async with office.database.transaction() as session:
        await disable_endpoint(session, KEY, "by hand", office.clock.wall_now(), None)
    await answered(office, on_its_way, "it answered 503")
    assert await office.round() == 0


async def test_an_endpoint_that_is_gone_for_the_calls_of_playbooks_is_told_as_well(office: Office) -> None:
    async with office.database.transaction() as session:
        await disable_gone(session, KEY, office.clock.wall_now())
    assert await office.round() == 2
    mail = office.sender.accepted[0]
    assert "it answered 410 Gone" in mail.text
    assert "0 messages wait for it" in mail.text


async def test_who_has_left_or_never_wants_mail_about_what_is_high_gets_none(office: Office) -> None:
    await office.disable("ada")
    await office.choose("adil", high=MailChoice.NEVER)
    await give_up(office)
    assert await office.round() == 0


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_HANG, Fault.DROP, Fault.UNAVAILABLE])
async def test_a_mail_in_doubt_is_not_sent_twice(office: Office, fault: Fault) -> None:
    await office.disable("adil")
    office.sender.faults = FaultPlan([FaultRule("", fault, 1)])
    await give_up(office)
    assert await office.round() == 0
    await office.later(dt.timedelta(seconds=16))
    await office.later(MINUTES)
    assert office.mails() == [("ada", SUBJECT)]
    (effect,) = await office.effects()
    assert (effect.kind, effect.state) == ("internal_email", EffectState.SENT)


async def test_a_mail_that_could_not_leave_before_the_endpoint_was_mended_does_not_leave(
    office: Office,
) -> None:
    await office.disable("adil")
    office.sender.faults = FaultPlan([FaultRule("", Fault.UNAVAILABLE, 1)])
    await give_up(office)
    assert await office.round() == 0
    await add_endpoint(office.database)
    assert await office.later() == 0
    (effect,) = await office.effects()
    assert effect.state is EffectState.FAILED
