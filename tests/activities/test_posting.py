"""What happens to a claimed letter before it leaves, and the headers that it leaves with."""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from activities.contracts import SendEmailResult
from activities.posting import Posting
from domain.delivery_events import DeliveryEvent, DeliveryEventKind
from domain.time import BusinessInstant, WallInstant
from domain.topics import TOPICS
from domain.vocabulary import EffectState, Motion, Purpose, StepState, TouchpointState
from integrations.fake_email import FakeEmailSender
from models.database import Database
from models.opt_outs import OPTIONAL, OWN_PAGE, record_consent
from models.playbooks import PlaybookShelf
from models.provider_events import apply_events, store_events
from models.tables.customers import ContactRow
from models.tables.ledger import EffectRow, TouchpointRow
from models.topic_choices import choose_topics
from tests.support.asking import letter_of
from tests.support.posting import LETTERHEAD, InterruptedPost, StandingClock
from tests.support.scenario import Scenario

pytestmark = pytest.mark.integration
NOON = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))  # a Wednesday
WALL = WallInstant(NOON)
Then = Callable[[AsyncSession], Awaitable[object]]


@pytest.fixture
async def scene(database: Database) -> Scenario:
    return await Scenario(database, NOON).begin()


async def send(
    scene: Scenario, sender: FakeEmailSender, then: Then | None = None, purpose: Purpose = Purpose.LIFECYCLE
) -> SendEmailResult:
    visit = await letter_of(scene.database, scene.customer_id, NOON, purpose=purpose)
    posting = Posting(scene.database, StandingClock(NOON), sender, LETTERHEAD)
    return await posting.deliver(InterruptedPost(visit, PlaybookShelf(), then))


async def somebody(session: AsyncSession) -> uuid.UUID:
    return (await session.execute(select(ContactRow.id))).scalar_one()


def provider_says(kind: DeliveryEventKind) -> Then:
    async def says(session: AsyncSession) -> None:
        event = DeliveryEvent(uuid.uuid4().hex, kind, "", "ann@acme.example", WALL)
        await store_events(session, "sendgrid", [event], WALL)
        await apply_events(session, WALL)

    return says


async def opts_out(session: AsyncSession) -> None:
    choices = [(purpose, False) for purpose in OPTIONAL]
    await record_consent(session, await somebody(session), choices, OWN_PAGE, NOON, NOON, WALL)


async def refuses_the_topic(session: AsyncSession) -> None:
    wanted = set(TOPICS) - {Motion.RETENTION}
    await choose_topics(session, await somebody(session), wanted, NOON, WALL)


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        pytest.param(provider_says(DeliveryEventKind.BOUNCED), "suppressed", id="bounce"),
        pytest.param(provider_says(DeliveryEventKind.REPORTED_SPAM), "suppressed", id="spam report"),
        pytest.param(provider_says(DeliveryEventKind.UNSUBSCRIBED), "no_consent", id="unsubscribe"),
        pytest.param(opts_out, "no_consent", id="own page"),
        pytest.param(refuses_the_topic, "topic_opted_out", id="topic"),
    ],
)
async def test_what_a_person_or_mailbox_says_between_claim_and_send_stops_the_send(
    scene: Scenario, then: Then, reason: str
) -> None:
    sender = FakeEmailSender()
    assert await send(scene, sender, then) == SendEmailResult("refused", reason)
    assert sender.attempts == 0
    (effect,), (touchpoint,) = await scene.rows(EffectRow), await scene.rows(TouchpointRow)
    assert (effect.state, touchpoint.state) == (EffectState.FAILED, TouchpointState.FAILED)
    (step,) = await scene.steps()
    assert (step.state, step.reason) == (StepState.SKIPPED, reason)


async def test_who_refused_the_topic_before_the_claim_gets_none_on_it(scene: Scenario) -> None:
    async with scene.database.transaction() as session:
        await refuses_the_topic(session)
    sender = FakeEmailSender()
    assert await send(scene, sender) == SendEmailResult("refused", "topic_opted_out")
    assert sender.attempts == 0


@pytest.mark.parametrize("then", [opts_out, refuses_the_topic])
async def test_what_must_be_said_leaves_in_spite_of_opting_out(scene: Scenario, then: Then) -> None:
    sender = FakeEmailSender()
    assert await send(scene, sender, then, Purpose.TRANSACTIONAL) == SendEmailResult("sent")
    assert len(sender.accepted) == 1


@pytest.mark.parametrize("purpose", OPTIONAL)
async def test_every_optional_letter_carries_one_click_for_its_own_class(
    scene: Scenario, purpose: Purpose
) -> None:
    sender = FakeEmailSender()
    await send(scene, sender, purpose=purpose)
    (letter,) = sender.accepted
    address = letter.headers["List-Unsubscribe"].strip("<>")
    assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = address.removeprefix("https://vendor.example/unsubscribe/")
    async with scene.database.transaction() as session:
        assert LETTERHEAD.links.unsubscribe_of(token) == (await somebody(session), purpose)


async def test_a_transactional_letter_promises_no_way_out(scene: Scenario) -> None:
    sender = FakeEmailSender()
    await send(scene, sender, purpose=Purpose.TRANSACTIONAL)
    (letter,) = sender.accepted
    assert not [name for name in letter.headers if name.startswith("List-Unsubscribe")]
