"""An attempt that comes late neither sends beside a later one nor speaks for it."""

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import update
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.contracts import SendEmailResult
from activities.delays import QUICK_RETRIES
from activities.fences import OVERTAKEN
from activities.posting import NOT_TAKEN, TOO_LATE, Posting
from domain.errors import EverstayError, PermanentProviderError, TransientProviderError
from domain.ports import DeliveryReceipt, EmailMessage, LastCheck, always
from domain.time import BusinessInstant, after
from domain.vocabulary import EffectState, StepState
from integrations.fake_email import FakeEmailSender
from models.database import Database
from models.effects import LEASE
from models.playbooks import PlaybookShelf
from models.posts import RunPost
from models.tables.ledger import EffectRow
from tests.support.asking import letter_of
from tests.support.posting import LETTERHEAD, StandingClock
from tests.support.scenario import Scenario

pytestmark = pytest.mark.integration
NOON = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))  # a Wednesday
SECOND = dt.timedelta(seconds=1)


class Desk:
    """One letter, and attempts at it on a clock that a test moves."""

    def __init__(self, scene: Scenario, post: RunPost) -> None:
        self.scene, self.post, self.clock = scene, post, StandingClock(NOON)

    async def attempt(self, sender: FakeEmailSender, number: int = 1) -> SendEmailResult:
        posting, environment = (
            Posting(self.scene.database, self.clock, sender, LETTERHEAD),
            ActivityEnvironment(),
        )
        environment.info = replace(environment.info, attempt=number)
        return await environment.run(posting.deliver, self.post)

    async def effect(self) -> EffectRow:
        (effect,) = await self.scene.rows(EffectRow)
        assert isinstance(effect, EffectRow)
        return effect

    async def someone_else_tries(self) -> None:
        """Claim it again, as an attempt does that found this one's lease over."""
        self.clock.at = after(self.clock.at, LEASE)
        again = {"attempts": EffectRow.attempts + 1, "claimed_at": self.clock.at}
        async with self.scene.database.transaction() as session:
            await session.execute(update(EffectRow).values(again | {"lease_until": self.clock.at + LEASE}))


@pytest.fixture
async def desk(database: Database) -> Desk:
    scene = await Scenario(database, NOON).begin()
    visit = await letter_of(database, scene.customer_id, NOON)
    return Desk(scene, RunPost(visit, PlaybookShelf()))


class SlowToBegin(FakeEmailSender):
    """All of its connections are busy for some seconds; then a call takes up to eight."""

    call_seconds = 8.0

    def __init__(self, desk: Desk, waits: dt.timedelta) -> None:
        super().__init__()
        self._desk, self._waits = desk, waits

    async def send(self, message: EmailMessage, last_check: LastCheck = always) -> DeliveryReceipt:
        self._desk.clock.at = after(self._desk.clock.at, self._waits)
        return await super().send(message, last_check)


async def test_a_letter_leaves_only_while_its_lease_covers_the_call(desk: Desk) -> None:
    late = SlowToBegin(desk, dt.timedelta(seconds=7))
    with pytest.raises(ApplicationError, match=TOO_LATE):
        await desk.attempt(late)
    assert late.attempts == 0
    assert (await desk.effect()).state is EffectState.CLAIMED
    desk.clock.at = after(desk.clock.at, LEASE)
    in_time = SlowToBegin(desk, dt.timedelta(seconds=6))
    assert await desk.attempt(in_time) == SendEmailResult("sent")
    assert (await desk.effect()).attempts == 2


class Lagging(FakeEmailSender):
    """Its look-up is a minute behind."""

    settle_seconds = 60.0
    looked_up = 0

    async def look_up(self, delivery_id: str) -> DeliveryReceipt | None:
        self.looked_up += 1
        return await super().look_up(delivery_id)


async def test_a_look_up_is_believed_once_it_knows_of_what_left_at_the_end_of_the_lease(desk: Desk) -> None:
    sender = Lagging()
    with pytest.raises(ApplicationError, match=TOO_LATE):
        await desk.attempt(SlowToBegin(desk, LEASE))
    desk.clock.at = after(NOON, LEASE + dt.timedelta(seconds=59))
    with pytest.raises(ApplicationError, match="another attempt") as put_off:
        await desk.attempt(sender)
    assert (put_off.value.next_retry_delay, sender.looked_up) == (SECOND, 0)
    desk.clock.at = after(desk.clock.at, SECOND)
    assert await desk.attempt(sender) == SendEmailResult("sent")
    assert (sender.looked_up, sender.attempts) == (1, 1)


class Overtaken(FakeEmailSender):
    """While it is asked about one attempt, another is made, taken, and lost as well."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk, self.asked = desk, 0

    async def look_up(self, delivery_id: str) -> DeliveryReceipt | None:
        self.asked += 1
        found = await super().look_up(delivery_id)
        if self.asked == 1:
            await self._desk.someone_else_tries()
            self._receipts[delivery_id] = DeliveryReceipt(self.name, "taken meanwhile")
            self._desk.clock.at = after(self._desk.clock.at, LEASE)
        return found


async def test_word_on_an_earlier_attempt_allows_no_repeat_of_a_later_one(desk: Desk) -> None:
    with pytest.raises(ApplicationError, match=TOO_LATE):
        await desk.attempt(SlowToBegin(desk, LEASE))
    sender = Overtaken(desk)
    assert await desk.attempt(sender) == SendEmailResult("sent", "found")
    assert (sender.asked, sender.attempts) == (2, 0)


class AnswersLate(FakeEmailSender):
    """Says no when another attempt is at it already."""

    def __init__(self, desk: Desk, error: EverstayError) -> None:
        super().__init__()
        self._desk, self._answer = desk, error

    async def send(self, message: EmailMessage, last_check: LastCheck = always) -> DeliveryReceipt:
        last_check()
        del message
        await self._desk.someone_else_tries()
        raise self._answer


@pytest.mark.parametrize(
    ("error", "number", "heard"),
    [
        (TransientProviderError(provider="fake", reason="429"), 1, NOT_TAKEN),
        (TransientProviderError(provider="fake", reason="429"), QUICK_RETRIES, OVERTAKEN),
        (PermanentProviderError(provider="fake", reason="400"), 1, OVERTAKEN),
    ],
    ids=["not now", "not now, and put off", "never"],
)
async def test_a_late_no_leaves_the_later_attempt_its_claim(
    desk: Desk, error: EverstayError, number: int, heard: str
) -> None:
    with pytest.raises(ApplicationError, match=heard):
        await desk.attempt(AnswersLate(desk, error), number)
    effect, (step,) = await desk.effect(), await desk.scene.steps()
    assert step.state is StepState.STARTED
    assert (effect.state, effect.attempts, effect.error) == (EffectState.CLAIMED, 2, None)
    assert effect.lease_until == desk.clock.at + LEASE
