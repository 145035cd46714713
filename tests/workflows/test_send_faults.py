"""A provider that misbehaves: what becomes of the message, its step, its touchpoint and its run."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator

import pytest

from domain.delivery_events import DeliveryEvent, DeliveryEventKind
from domain.errors import TransientProviderError, UncertainDeliveryError
from domain.playbook import Playbook
from domain.ports import DeliveryReceipt, EmailMessage, LastCheck, always
from domain.vocabulary import EffectState, Outcome, Purpose, StepState, TaskState, TouchpointState
from integrations.fake_email import FakeEmailSender
from integrations.faults import Fault, FaultPlan, FaultRule
from models.database import Database
from models.provider_events import apply_events, store_events
from models.tables.ledger import EffectRow
from models.tables.playbooks import InterventionRow
from tests.support.loop import Loop, running_loop
from tests.support.runs import one_letter, open_run, start_run
from tests.support.scenario import Scenario
from tests.workflows.conftest import begin

pytestmark = pytest.mark.cadence

TWO_HOURS = dt.timedelta(hours=2)


class Letter:
    """One run with one letter, and what the database says of it."""

    def __init__(self, loop: Loop, scene: Scenario, run_id: uuid.UUID) -> None:
        self.loop, self.scene, self.run_id = loop, scene, run_id

    async def effects(self) -> list[EffectRow]:
        rows = await self.scene.rows(EffectRow)
        return [row for row in rows if row.key.startswith(str(self.run_id))]

    async def state(self) -> tuple[EffectState, int]:
        (effect,) = await self.effects()
        return effect.state, effect.attempts

    async def step(self) -> tuple[StepState, str | None]:
        steps = await self.scene.steps()
        return next((row.state, row.reason) for row in steps if row.step_id == "letter")

    async def run(self) -> InterventionRow:
        return next(row for row in await self.scene.runs() if row.id == self.run_id)

    async def moved_on(self) -> bool:
        return bool((await self.run()).position.get("step") == "rest")

    async def touchpoint(self) -> TouchpointState:
        rows = await self.scene.touchpoints()
        return next(row.state for row in rows if (row.effect_key or "").startswith(str(self.run_id)))


async def write(loop: Loop, document: Playbook | None = None, *, wait: dt.timedelta = TWO_HOURS) -> Letter:
    """Start the run at ten on Monday, and let some time pass."""
    scene = await begin(loop)
    await loop.pass_time(dt.timedelta(hours=2))
    run_id = await open_run(loop.database, document or one_letter(), scene.customer_id, loop.clock.now())
    await start_run(loop.client, run_id)
    await loop.pass_time(wait)
    return Letter(loop, scene, run_id)


@pytest.fixture
async def blind(database: Database) -> AsyncIterator[Loop]:
    """A loop whose provider has no look-up."""
    async with running_loop(database, FakeEmailSender(has_look_up=False)) as started:
        yield started


def meet(loop: Loop, fault: Fault, times: int | None = None) -> None:
    loop.sender.faults.put(FaultRule("", fault, times))


@pytest.mark.parametrize("fault", [Fault.RATE_LIMIT, Fault.UNAVAILABLE, Fault.SERVER_ERROR])
async def test_a_provider_that_cannot_now_is_asked_again_within_moments(loop: Loop, fault: Fault) -> None:
    meet(loop, fault, times=2)
    letter = await write(loop)
    assert await letter.state() == (EffectState.SENT, 3)
    assert (await letter.step())[0] is StepState.DONE
    assert len(loop.sender.accepted) == 1


async def test_a_provider_that_stays_away_puts_the_message_off_by_hours_and_it_arrives_once(
    loop: Loop,
) -> None:
    meet(loop, Fault.UNAVAILABLE, times=6)
    letter = await write(loop)
    assert await letter.step() == (StepState.DEFERRED, "provider_unavailable")
    assert [(d.kind.value, d.reason) for d in await letter.scene.decisions() if d.action == "send_email"] == [
        ("deferral", "provider_unavailable")
    ]
    await loop.pass_time(dt.timedelta(hours=3))
    assert (await letter.step())[0] is StepState.DONE
    assert len(loop.sender.accepted) == 1
    assert await letter.moved_on()


async def test_a_refused_message_fails_its_step_and_the_run_goes_on(loop: Loop) -> None:
    meet(loop, Fault.REFUSE)
    letter = await write(loop)
    assert await letter.step() == (StepState.FAILED, "provider_refused")
    assert await letter.state() == (EffectState.FAILED, 1)
    assert await letter.touchpoint() is TouchpointState.FAILED
    assert await letter.moved_on()


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_DROP, Fault.ACCEPT_THEN_HANG])
async def test_accepted_and_lost_is_found_by_the_look_up(loop: Loop, fault: Fault) -> None:
    meet(loop, fault, times=1)
    letter = await write(loop)
    assert await letter.state() == (EffectState.SENT, 1)
    assert (await letter.step())[0] is StepState.DONE
    assert len(loop.sender.accepted) == 1
    assert await letter.moved_on()


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.BAD_GATEWAY])
async def test_lost_on_the_way_is_not_found_and_leaves_again_under_the_same_delivery_id(
    loop: Loop, fault: Fault
) -> None:
    meet(loop, fault, times=1)
    letter = await write(loop)
    assert await letter.state() == (EffectState.SENT, 2)
    (effect,) = await letter.effects()
    assert [message.delivery_id for message in loop.sender.accepted] == [effect.delivery_id]


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_DROP, Fault.DROP])
async def test_without_a_look_up_a_letter_in_doubt_is_put_to_a_person_and_never_repeated(
    blind: Loop, fault: Fault
) -> None:
    meet(blind, fault, times=1)
    letter = await write(blind)
    assert await letter.step() == (StepState.WAITING, "uncertain")
    assert await letter.state() == (EffectState.UNCERTAIN, 1)
    assert await letter.touchpoint() is TouchpointState.UNCERTAIN
    (task,) = await letter.scene.tasks()
    assert (task.kind, task.state, task.assignee_id) == ("review", TaskState.OPEN, letter.scene.csm_id)
    await blind.live(1.5)
    assert await letter.step() == (StepState.SKIPPED, "uncertain")
    assert await letter.moved_on()
    await blind.live(9)
    assert blind.sender.attempts == 1
    assert (await letter.run()).outcome is Outcome.NO_CHANGE
    (task,) = await letter.scene.tasks()
    assert task.state is TaskState.OPEN, "the question outlives the run"


async def test_without_a_look_up_a_marketing_letter_in_doubt_is_dropped(blind: Loop) -> None:
    meet(blind, Fault.ACCEPT_THEN_DROP, times=1)
    letter = await write(blind, one_letter(Purpose.MARKETING), wait=TWO_HOURS)
    assert await letter.state() == (EffectState.UNCERTAIN, 1)
    assert await letter.step() == (StepState.FAILED, "uncertain")
    assert await letter.moved_on()
    assert await letter.scene.tasks() == []


async def test_without_a_look_up_a_transactional_letter_in_doubt_leaves_again_with_its_delivery_id(
    blind: Loop,
) -> None:
    meet(blind, Fault.ACCEPT_THEN_DROP, times=1)
    letter = await write(blind, one_letter(Purpose.TRANSACTIONAL))
    assert await letter.state() == (EffectState.SENT, 2)
    assert len({message.delivery_id for message in blind.sender.accepted}) == 1
    assert len(blind.sender.accepted) == 2
    assert await letter.moved_on()


async def test_a_transactional_letter_is_not_repeated_without_end(blind: Loop) -> None:
    meet(blind, Fault.ACCEPT_THEN_DROP)
    letter = await write(blind, one_letter(Purpose.TRANSACTIONAL))
    assert await letter.state() == (EffectState.UNCERTAIN, 3)
    assert await letter.step() == (StepState.WAITING, "uncertain")
    assert len(blind.sender.accepted) == 3
    assert len(await letter.scene.tasks()) == 1


async def test_a_recipient_who_leaves_before_the_message_was_taken_is_replaced(loop: Loop) -> None:
    meet(loop, Fault.UNAVAILABLE, times=4)
    letter = await write(loop, wait=dt.timedelta(minutes=30))
    assert await letter.step() == (StepState.DEFERRED, "provider_unavailable")
    await letter.scene.replace_champion("Ben Better", "ben@acme.example", loop.clock.now())
    await loop.pass_time(dt.timedelta(hours=5))
    assert [message.to.email for message in loop.sender.accepted] == ["ben@acme.example"]
    effects = sorted(await letter.effects(), key=lambda row: row.claimed_at)
    assert [row.state for row in effects] == [EffectState.FAILED, EffectState.SENT]
    assert await letter.moved_on()


async def test_a_message_not_yet_taken_is_not_sent_once_its_run_is_over(loop: Loop) -> None:
    meet(loop, Fault.UNAVAILABLE, times=4)
    letter = await write(loop, wait=dt.timedelta(minutes=30))
    await letter.scene.touch(loop.clock.now())
    await loop.live(2)
    assert (await letter.run()).outcome is Outcome.SAVED
    assert loop.sender.accepted == []
    assert (await letter.state())[0] is EffectState.FAILED
    assert await letter.touchpoint() is TouchpointState.FAILED


async def confirm(letter: Letter, kind: DeliveryEventKind = DeliveryEventKind.DELIVERED) -> None:
    """Let the provider's webhook tell of the letter."""
    (effect,) = await letter.effects()
    wall = letter.loop.clock.wall_now()
    event = DeliveryEvent("event-1", kind, effect.delivery_id, "ann@acme.example", wall)
    async with letter.loop.database.transaction() as session:
        await store_events(session, "fake", [event], wall)
        await apply_events(session, wall)


async def test_a_letter_in_doubt_that_the_provider_confirms_lets_its_run_go_on(blind: Loop) -> None:
    meet(blind, Fault.ACCEPT_THEN_DROP, times=1)
    letter = await write(blind)
    assert await letter.step() == (StepState.WAITING, "uncertain")
    await confirm(letter)
    assert await blind.ring() == 1
    await blind.pass_time(dt.timedelta(minutes=1))
    assert await letter.step() == (StepState.DONE, "confirmed")
    assert await letter.state() == (EffectState.CONFIRMED, 1)
    assert await letter.touchpoint() is TouchpointState.DELIVERED
    assert [task.state for task in await letter.scene.tasks()] == [TaskState.CANCELLED]
    assert await letter.moved_on()


class SlowToTell(FakeEmailSender):
    """A provider that takes the message, tells by webhook at once, and breaks the connection."""

    told: Letter | None = None

    async def send(self, message: EmailMessage, last_check: LastCheck = always) -> DeliveryReceipt:
        receipt = await super().send(message, last_check)
        if self.told is not None and self.attempts == 1:
            await confirm(self.told)
            raise UncertainDeliveryError(provider=self.name, reason="the connection broke")
        return receipt


@pytest.mark.parametrize("has_look_up", [True, False])
async def test_word_from_the_provider_that_comes_before_the_answer_is_believed(
    database: Database, *, has_look_up: bool
) -> None:
    sender = SlowToTell(has_look_up=has_look_up)
    async with running_loop(database, sender) as loop:
        scene = await begin(loop)
        await loop.pass_time(TWO_HOURS)
        run_id = await open_run(loop.database, one_letter(), scene.customer_id, loop.clock.now())
        letter = sender.told = Letter(loop, scene, run_id)
        await start_run(loop.client, run_id)
        await loop.pass_time(TWO_HOURS)
        assert await letter.state() == (EffectState.CONFIRMED, 1)
        assert (await letter.step())[0] is StepState.DONE
        assert await letter.moved_on()
        assert await scene.tasks() == []
        assert len(sender.accepted) == 1


class NotEnabled(FakeEmailSender):
    """A provider whose look-up turns out not to be there."""

    async def look_up(self, delivery_id: str) -> DeliveryReceipt | None:
        raise UncertainDeliveryError(provider=self.name, reason=f"403 on asking for {delivery_id}")


async def test_a_look_up_that_is_not_enabled_is_no_look_up(database: Database) -> None:
    sender = NotEnabled(faults=FaultPlan([FaultRule("", Fault.ACCEPT_THEN_DROP, 1)]))
    async with running_loop(database, sender) as loop:
        letter = await write(loop)
        assert await letter.step() == (StepState.WAITING, "uncertain")
        assert (len(sender.accepted), len(await letter.scene.tasks())) == (1, 1)


class Unreachable(FakeEmailSender):
    """A provider whose look-up does not answer for a while."""

    silent = 20

    async def look_up(self, delivery_id: str) -> DeliveryReceipt | None:
        self.silent -= 1
        if self.silent > 0:
            raise TransientProviderError(provider=self.name, reason="no answer")
        return await super().look_up(delivery_id)


async def test_a_look_up_that_does_not_answer_is_asked_again_after_hours(database: Database) -> None:
    sender = Unreachable(faults=FaultPlan([FaultRule("", Fault.ACCEPT_THEN_DROP, 1)]))
    async with running_loop(database, sender) as loop:
        letter = await write(loop)
        assert await letter.step() == (StepState.DEFERRED, "provider_unavailable")
        await loop.pass_time(dt.timedelta(hours=4))
        assert (await letter.step())[0] is StepState.DONE
        assert await letter.state() == (EffectState.SENT, 1)
        assert len(sender.accepted) == 1


async def test_a_letter_in_doubt_is_not_repeated_for_a_run_that_is_over(database: Database) -> None:
    """The provider has nothing, and by the time we know, nobody wants the letter any more."""
    sender = Unreachable(faults=FaultPlan([FaultRule("", Fault.DROP, 1)]))
    async with running_loop(database, sender) as loop:
        letter = await write(loop)
        await letter.scene.touch(loop.clock.now())
        await loop.live(1)
        assert (await letter.run()).outcome is Outcome.SAVED
        assert sender.accepted == []
