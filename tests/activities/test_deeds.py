import datetime as dt
from collections.abc import Callable

import pytest
from temporalio.exceptions import ApplicationError

from activities.deeds import MOST_ATTEMPTS
from activities.delays import QUICK_RETRIES
from domain.errors import PermanentProviderError, TransientProviderError, UncertainDeliveryError
from domain.vocabulary import EffectState, StepState
from models.database import Database
from models.effects import LEASE
from models.installation import stop_effects
from tests.support.cases import OpenCase, Till, open_one

pytestmark = pytest.mark.integration


class KilledError(BaseException):
    """As a kill: nobody catches it."""


def raising(error: BaseException) -> Callable[[], None]:
    def then() -> None:
        raise error

    return then


AWAY = raising(TransientProviderError(provider="till", reason="429", retry_after=3))
NO_ANSWER = raising(UncertainDeliveryError(provider="till", reason="no answer in time"))


@pytest.fixture
async def case(database: Database) -> OpenCase:
    return await open_one(database)


async def test_a_deed_is_done_once_and_recorded_with_its_receipt(case: OpenCase) -> None:
    till = Till()
    assert await case.do(till) == "done"
    assert await case.do(till) == "confirmed"
    (effect,) = await case.effects()
    assert till.taken == [effect.delivery_id]
    assert effect.key == f"case/{case.case_id}/charge/1/in_1"
    assert (effect.kind, effect.provider_message_id, effect.state) == (
        "payment", "receipt", EffectState.CONFIRMED,
    )  # fmt: skip
    assert case.recorded == ["taken"]
    assert (await case.record()).state is StepState.DONE


@pytest.mark.parametrize("takes_first", [True, False])
async def test_killed_on_either_side_of_the_provider_it_is_repeated_under_the_same_id(
    case: OpenCase, *, takes_first: bool
) -> None:
    till = Till(raising(KilledError()), takes_first)
    with pytest.raises(KilledError):
        await case.do(till)
    with pytest.raises(ApplicationError, match="another attempt"):
        await case.do(till)
    await case.lose_the_lease()
    till.then = lambda: None
    assert await case.do(till) == "done"
    assert len(till.taken) == 1
    (effect,) = await case.effects()
    assert effect.attempts == 2


@pytest.mark.parametrize("takes_first", [True, False])
async def test_what_the_provider_has_forgotten_is_looked_up_before_it_is_repeated(
    case: OpenCase, *, takes_first: bool
) -> None:
    till = Till(raising(KilledError()), takes_first)
    with pytest.raises(KilledError):
        await case.do(till)
    case.clock.pass_by(dt.timedelta(hours=20))
    with pytest.raises(KilledError):  # the second attempt dies as well, while the id is still known
        await case.do(till)
    case.clock.pass_by(dt.timedelta(hours=20))
    till.memory.clear()
    till.then = lambda: None
    assert await case.do(till) == "done"
    assert len(till.taken) == 1


@pytest.mark.parametrize("takes_first", [True, False])
async def test_what_is_in_doubt_when_the_case_ends_is_found_out_and_never_done_then(
    case: OpenCase, *, takes_first: bool
) -> None:
    till = Till(raising(KilledError()), takes_first)
    with pytest.raises(KilledError):
        await case.do(till)
    await case.end()
    await case.lose_the_lease()
    till.then = lambda: None
    assert await case.do(till) == ("done" if takes_first else "skipped")
    assert len(till.taken) == int(takes_first)
    (effect,) = await case.effects()
    assert effect.state is (EffectState.CONFIRMED if takes_first else EffectState.FAILED)


async def test_nothing_is_done_once_the_case_has_ended_or_something_speaks_against_it(
    case: OpenCase,
) -> None:
    case.against = "disputed"
    assert await case.do(Till()) == "skipped"
    assert (await case.record()).reason == "disputed"
    assert await case.effects() == []


async def test_a_stopped_installation_puts_it_off_and_does_it_later(case: OpenCase) -> None:
    async with case.database.transaction() as session:
        await stop_effects(session, case.clock.now())
    till = Till()
    assert await case.do(till) == "deferred"
    record = await case.record()
    assert (record.state, record.reason, till.taken) == (StepState.DEFERRED, "effects_stopped", [])
    assert record.due_at is not None


async def test_an_installation_that_observes_charges_nobody(database: Database) -> None:
    case, till = await open_one(database, released=False), Till()
    assert await case.do(till) == "deferred"
    assert (await case.record()).reason == "observing"
    assert till.taken == []


async def test_a_provider_that_is_away_is_asked_again_by_its_own_word_and_then_put_off(
    case: OpenCase,
) -> None:
    till = Till(AWAY, takes_first=False)
    for attempt in range(1, QUICK_RETRIES):
        with pytest.raises(ApplicationError) as later:
            await case.do(till, attempt)
        assert later.value.next_retry_delay == dt.timedelta(seconds=3)
    assert await case.do(till, QUICK_RETRIES) == "deferred"
    assert (await case.record()).reason == "provider_unavailable"
    till.then = lambda: None
    assert await case.do(till) == "done"


async def test_a_provider_that_is_away_while_a_charge_is_in_doubt_is_waited_for_and_no_person_is_asked(
    case: OpenCase,
) -> None:
    till = Till(raising(KilledError()))
    with pytest.raises(KilledError):
        await case.do(till)
    till.then, till.takes_first = AWAY, False
    for attempt in range(1, MOST_ATTEMPTS + 2):
        await case.lose_the_lease()
        if attempt < QUICK_RETRIES:
            with pytest.raises(ApplicationError) as later:
                await case.do(till, attempt)
            assert later.value.next_retry_delay == LEASE + dt.timedelta(seconds=1)
        else:
            assert await case.do(till, attempt) == "deferred"
    (effect,) = await case.effects()
    assert (effect.state, await case.tasks()) == (EffectState.CLAIMED, [])
    await case.lose_the_lease()
    till.then = lambda: None
    assert await case.do(till) == "done"
    assert len(till.taken) == 1


async def test_a_refusal_for_good_ends_the_step_with_the_providers_words(case: OpenCase) -> None:
    refusal = PermanentProviderError(provider="till", reason="there is no such invoice")
    assert await case.do(Till(raising(refusal), takes_first=False)) == "failed"
    (effect,) = await case.effects()
    assert (effect.state, (await case.record()).reason) == (EffectState.FAILED, "provider_refused")


async def test_a_doubt_that_does_not_end_is_put_to_a_person_with_the_evidence(case: OpenCase) -> None:
    till = Till(NO_ANSWER)
    for attempt in range(1, MOST_ATTEMPTS):
        with pytest.raises(ApplicationError, match="nobody knows yet"):
            await case.do(till, attempt)
        await case.lose_the_lease()
    assert await case.do(till, MOST_ATTEMPTS) == "uncertain"
    (effect,) = await case.effects()
    (task,) = await case.tasks()
    assert effect.state is EffectState.UNCERTAIN
    assert len(till.taken) == 1
    assert effect.delivery_id in task.body
    assert (task.case_id, task.kind, task.assignee_id) == (case.case_id, "review", case.scene.csm_id)
    record = await case.record()
    assert record.stands_open(case.clock.now())
    assert record.due_at is not None
    assert not record.stands_open(record.due_at)
