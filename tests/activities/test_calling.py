import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import update
from temporalio.exceptions import ApplicationError

from activities.fences import OVERTAKEN
from domain.errors import PermanentProviderError, TransientProviderError
from domain.outgoing_webhooks import WebhookCall
from domain.time import WallInstant
from domain.vocabulary import EffectState, StepState
from models.database import Database
from models.endpoints import get_endpoint
from models.installation import start_effects, stop_effects
from models.tables.ledger import EffectRow
from models.tables.playbooks import PlaybookRow
from models.webhook_calls import MOST_ATTEMPTS
from tests.support.endpoints import ASK, KEY, PUBLIC, TELL, FakePoster, add_endpoint, caller
from tests.support.steps import Standing, stand_at

pytestmark = pytest.mark.integration


class KilledError(BaseException):
    """As a kill: nobody catches it."""


def raising(error: BaseException) -> Callable[[], None]:
    def then() -> None:
        raise error

    return then


def away(retry_after: float | None = None) -> Callable[[], None]:
    return raising(TransientProviderError(provider="It", reason="503", retry_after=retry_after))


@pytest.fixture
async def standing(database: Database) -> Standing:
    await add_endpoint(database)
    return await stand_at(database, ASK)


async def test_an_endpoint_is_told_who_it_is_about_and_the_run_waits_for_its_answer(
    standing: Standing,
) -> None:
    poster = FakePoster()
    result = await standing.perform(caller(standing, poster))
    assert (result.state, result.reason) == ("waiting", "callback")
    said = poster.said
    data = said["data"]
    assert said["type"] == "everstay.step"
    assert said["timestamp"] == standing.clock.now().isoformat()
    assert data["customer"] == {
        "id": str(standing.scene.customer_id),
        "external_id": "acme",
        "name": "Acme",
    }
    assert data["body"] == {"said": "Acme is at risk"}
    assert data["callback_url"].startswith(f"{PUBLIC}/webhooks/callbacks/")
    assert data["answer_by"] == "2026-03-05T10:00:00+00:00"
    (effect,) = await standing.effects()
    assert (effect.key, effect.state) == (f"{standing.run_id}/it/1/{KEY}", EffectState.SENT)


async def test_without_a_timeout_the_step_is_done_once_the_endpoint_took_it(database: Database) -> None:
    await add_endpoint(database)
    standing, poster = await stand_at(database, TELL), FakePoster()
    assert (await standing.perform(caller(standing, poster))).state == "done"
    assert "callback_url" not in poster.said["data"]


async def test_an_attempt_whose_record_was_lost_posts_nothing_again(standing: Standing) -> None:
    poster = FakePoster()
    await standing.perform(caller(standing, poster))
    async with standing.database.transaction() as session:  # as if killed before the step's record
        await session.execute(update(EffectRow).values(lease_until=None))
    await standing.finish(StepState.STARTED, "")
    assert (await standing.perform(caller(standing, poster))).state == "waiting"
    assert len(poster.calls) == 1


async def test_killed_between_claim_and_answer_it_is_posted_again_under_the_same_id(
    standing: Standing,
) -> None:
    poster = FakePoster(raising(KilledError()))
    with pytest.raises(KilledError):
        await standing.perform(caller(standing, poster))
    poster.then = lambda: None
    with pytest.raises(ApplicationError, match="another attempt") as busy:
        await standing.perform(caller(standing, poster), attempt=2)
    assert busy.value.next_retry_delay is not None
    standing.clock.pass_by(busy.value.next_retry_delay + dt.timedelta(seconds=1))
    assert (await standing.perform(caller(standing, poster), attempt=3)).state == "waiting"
    first, second = poster.calls
    assert first.delivery_id == second.delivery_id
    (effect,) = await standing.effects()
    assert (effect.attempts, effect.state) == (2, EffectState.SENT)


async def test_an_endpoint_that_is_away_is_asked_again_by_its_own_word_and_then_put_off(
    standing: Standing,
) -> None:
    poster = FakePoster(away(retry_after=7))
    for attempt in (1, 2, 3):
        with pytest.raises(ApplicationError, match="cannot take") as later:
            await standing.perform(caller(standing, poster), attempt)
        assert later.value.next_retry_delay == dt.timedelta(seconds=7)
    result = await standing.perform(caller(standing, poster), attempt=4)
    row = await standing.row()
    assert (result.state, row.reason) == ("deferred", "endpoint_unavailable")
    assert row.due_at == standing.clock.now() + dt.timedelta(hours=4)
    assert len({call.delivery_id for call in poster.calls}) == 1


async def test_an_endpoint_that_asks_for_an_hour_is_put_off_at_once(standing: Standing) -> None:
    assert (await standing.perform(caller(standing, FakePoster(away(3600))))).state == "deferred"


async def test_some_day_a_call_is_given_up_and_the_run_goes_on(standing: Standing) -> None:
    poster = FakePoster(away())
    await standing.perform(caller(standing, poster), attempt=4)
    async with standing.database.transaction() as session:
        await session.execute(update(EffectRow).values(attempts=MOST_ATTEMPTS))
    result = await standing.perform(caller(standing, poster), attempt=4)
    assert (result.state, result.reason) == ("failed", "endpoint_unreachable")


class Overtaken(FakePoster):
    """While it posts, the lease ends and another attempt takes over; then it fails in its own way."""

    def __init__(self, standing: Standing, then: Callable[[], None]) -> None:
        super().__init__(then)
        self._standing = standing

    async def post(self, call: WebhookCall) -> int:
        async with self._standing.database.transaction() as session:
            await session.execute(update(EffectRow).values(attempts=MOST_ATTEMPTS + 1))
        return await super().post(call)


@pytest.mark.parametrize("attempts", [0, MOST_ATTEMPTS - 1])
async def test_an_attempt_that_was_overtaken_says_nothing_of_the_later_one(
    standing: Standing, attempts: int
) -> None:
    with pytest.raises(KilledError):
        await standing.perform(caller(standing, FakePoster(raising(KilledError()))))
    async with standing.database.transaction() as session:
        await session.execute(update(EffectRow).values(attempts=attempts, lease_until=None))
    refused = PermanentProviderError(provider="It", reason="it answered 400")
    then = away() if attempts else raising(refused)
    with pytest.raises(ApplicationError, match=OVERTAKEN):
        await standing.perform(caller(standing, Overtaken(standing, then)), attempt=2)
    (effect,) = await standing.effects()
    assert effect.state is EffectState.CLAIMED


@pytest.mark.parametrize("is_gone", [False, True])
async def test_a_refusal_ends_the_step_and_an_endpoint_that_is_gone_is_disabled(
    standing: Standing,
    is_gone: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    refused = PermanentProviderError(provider="It", reason="it answered 4xx", is_gone=is_gone)
    result = await standing.perform(caller(standing, FakePoster(raising(refused))))
    assert (result.state, result.reason) == ("failed", "endpoint_refused")
    assert "it answered 4xx" in (await standing.sentences())[-1]
    async with standing.database.transaction() as session:
        assert ((await get_endpoint(session, KEY)).disabled_at is not None) is is_gone


async def test_an_unknown_endpoint_fails_with_its_name(database: Database) -> None:
    standing, poster = await stand_at(database, ASK), FakePoster()
    result = await standing.perform(caller(standing, poster))
    assert (result.state, result.reason, poster.calls) == ("failed", "unknown_endpoint", [])
    assert KEY in (await standing.sentences())[-1]


async def test_nothing_is_posted_while_effects_are_stopped_or_the_playbook_is_not_released(
    standing: Standing,
) -> None:
    poster, now = FakePoster(), standing.clock.now()
    async with standing.database.transaction() as session:
        await stop_effects(session, now)
    assert (await standing.perform(caller(standing, poster))).reason == "effects_stopped"
    async with standing.database.transaction() as session:
        await start_effects(session, now, standing.clock.wall_now())
        await session.execute(update(PlaybookRow).values(released_at=None))
    assert (await standing.perform(caller(standing, poster))).reason == "observing"
    row = await standing.row()
    assert (row.state, row.due_at) == (StepState.DEFERRED, now + dt.timedelta(days=1))
    assert poster.calls == []


async def test_an_attempt_that_slept_through_its_lease_posts_nothing(standing: Standing) -> None:
    poster = FakePoster()
    performer = caller(standing, poster)
    began = standing.clock.wall_now

    def late() -> WallInstant:
        standing.clock.pass_by(dt.timedelta(seconds=20))
        return began()

    standing.clock.wall_now = late  # type: ignore[method-assign]  # a clock that jumps at each look
    with pytest.raises(ApplicationError, match="lease"):
        await standing.perform(performer)
    assert poster.calls == []
