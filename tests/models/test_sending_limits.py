"""The limiter on a real Postgres: workers that race, what waits, what passes, and what comes back."""

import asyncio
import datetime as dt
import itertools
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from domain.delivery_events import DeliveryEventKind
from domain.sending import DomainLimits, SendingPolicy, WarmUp
from domain.time import BusinessInstant, WallInstant, after
from domain.vocabulary import DecisionKind, Purpose, StepState
from models.database import Database
from models.policies import put_policy
from models.send_claims import Closed, Ready
from models.sending_limits import ask_limit
from models.sending_policy import load_sending_policy, save_sending_policy
from models.tables.ledger import DecisionRow, EffectRow, ProviderEventRow, TouchpointRow
from models.tables.mail import SendingHourRow
from models.views.sending import load_sending
from tests.support.asking import DOMAIN, ask, letter_of
from tests.support.scenario import Scenario

pytestmark = pytest.mark.integration

NOON = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))  # a Wednesday
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
NUMBERS = itertools.count()


@pytest.fixture
async def scene(database: Database) -> Scenario:
    return await Scenario(database, NOON).begin()


async def limit(database: Database, **limits: Any) -> None:
    policy = SendingPolicy(domains={DOMAIN: DomainLimits(**limits)}, transactional_share=0)
    async with database.transaction() as session:
        await save_sending_policy(session, policy, None, NOON)


async def try_one(
    database: Database, purpose: Purpose, now: BusinessInstant = NOON
) -> BusinessInstant | None:
    """Ask as a claiming transaction does; None is a yes."""
    async with database.transaction() as session:
        late = await ask_limit(session, DOMAIN, purpose, NOON)
    return late.until if late is not None else None


async def test_without_a_policy_nothing_waits_and_nothing_is_counted(database: Database) -> None:
    assert [await try_one(database, Purpose.LIFECYCLE) for _ in range(3)] == [None] * 3
    async with database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(SendingHourRow)) == 0


async def test_of_many_workers_that_ask_at_once_as_many_pass_as_the_cap_says(database: Database) -> None:
    await limit(database, per_hour=4)
    answers = await asyncio.gather(*(try_one(database, Purpose.LIFECYCLE) for _ in range(9)))
    later = sorted(each for each in answers if each is not None)
    assert len(later) == 5
    assert later == [
        NOON + HOUR,
        NOON + HOUR * 1.25,
        NOON + HOUR * 1.5,
        NOON + HOUR * 1.75,
        NOON + 2 * HOUR,
    ]


async def test_transactional_mail_passes_a_full_hour_and_counts(database: Database) -> None:
    await limit(database, per_hour=1)
    assert await try_one(database, Purpose.TRANSACTIONAL) is None
    assert await try_one(database, Purpose.TRANSACTIONAL) is None
    assert await try_one(database, Purpose.MARKETING) == NOON + HOUR


async def test_a_transaction_that_is_rolled_back_counted_nothing(database: Database) -> None:
    await limit(database, per_hour=1)
    async with database.transaction() as session:
        assert await ask_limit(session, DOMAIN, Purpose.LIFECYCLE, NOON) is None
        await session.rollback()
    assert await try_one(database, Purpose.LIFECYCLE) is None


async def test_a_policy_that_nobody_can_read_lets_only_transactional_mail_pass(database: Database) -> None:
    async with database.transaction() as session:
        await put_policy(session, "sending", {"others": "many"}, None, NOON)
    assert await try_one(database, Purpose.TRANSACTIONAL) is None
    assert await try_one(database, Purpose.LIFECYCLE) == NOON + HOUR
    async with database.transaction() as session:
        assert "PUT a whole one" in (await load_sending(session, DOMAIN, NOON)).problem


async def test_a_letter_over_the_cap_waits_with_its_reason_and_leaves_when_its_time_comes(
    database: Database, scene: Scenario
) -> None:
    await limit(database, per_hour=1)
    assert await try_one(database, Purpose.LIFECYCLE) is None
    visit = await letter_of(database, scene.customer_id, NOON)
    assert await ask(database, visit, NOON) == Closed("deferred", "sending_limit")
    (step,) = await scene.steps()
    assert (step.state, step.reason, step.due_at) == (StepState.DEFERRED, "sending_limit", NOON + HOUR)
    (decision,) = [row for row in await scene.rows(DecisionRow) if row.kind is DecisionKind.DEFERRAL]
    assert "its domain" in decision.sentence or "domain has sent as much" in decision.sentence
    assert await scene.rows(TouchpointRow) == []
    async with database.transaction() as session:
        assert (await load_sending(session, DOMAIN, NOON)).waiting == 1
    assert isinstance(await ask(database, visit, after(NOON, HOUR)), Ready)
    (effect,) = await scene.rows(EffectRow)
    assert effect.sender_domain == DOMAIN


async def test_a_letter_that_would_leave_too_late_to_be_of_use_is_refused(
    database: Database, scene: Scenario
) -> None:
    await limit(database, per_day=1)
    assert await try_one(database, Purpose.LIFECYCLE) is None
    visit = await letter_of(database, scene.customer_id, NOON, window="2h")
    assert await ask(database, visit, NOON) == Closed("refused", "no_longer_useful")


async def came_back(database: Database, count: int, kind: DeliveryEventKind) -> None:
    """Let the provider tell of so many messages of the domain, at noon."""
    async with database.transaction() as session:
        for number in (next(NUMBERS) for _ in range(count)):
            await session.execute(
                insert(EffectRow).values(
                    key=f"sent/{number}",
                    delivery_id=f"d{number}",
                    kind="email",
                    payload_hash="",
                    state="sent",
                    attempts=1,
                    claimed_at=WallInstant(NOON),
                    provider="fake",
                    sender_domain=DOMAIN,
                )
            )
            event: dict[str, Any] = {
                "provider": "fake",
                "event_id": f"e{number}",
                "delivery_id": f"d{number}",
                "kind": kind.value,
                "body": {},
                "received_at": WallInstant(NOON),
            }
            await session.execute(insert(ProviderEventRow).values(event))


async def sent_on(database: Database, at: BusinessInstant, count: int) -> None:
    values = {"domain": DOMAIN, "hour": at, "optional": count, "transactional": 0, "promised": 0}
    async with database.transaction() as session:
        await session.execute(insert(SendingHourRow).values(values))


async def cap_on(database: Database, at: BusinessInstant) -> int | None:
    async with database.transaction() as session:
        (found,) = (await load_sending(session, DOMAIN, at)).domains
    return found.per_day


@pytest.mark.parametrize(
    ("bounces", "complaints", "expected"),
    [(0, 0, 200), (1, 0, 100), (0, 1, 100)],
    ids=["clean", "bounced", "complained"],
)
async def test_the_warm_up_grows_over_a_clean_day_only(
    database: Database, bounces: int, complaints: int, expected: int
) -> None:
    warm_up = WarmUp(started_on=NOON.date(), start_per_day=100, growth=2)
    await limit(database, per_day=1000, warm_up=warm_up)
    await sent_on(database, NOON, 60)
    await came_back(database, bounces, DeliveryEventKind.BOUNCED)
    await came_back(database, complaints, DeliveryEventKind.REPORTED_SPAM)
    assert await cap_on(database, after(NOON, DAY)) == expected


async def test_what_was_earned_is_kept_for_the_hour_but_not_past_a_new_policy(
    database: Database,
) -> None:
    warm_up = WarmUp(started_on=NOON.date(), start_per_day=100)
    await limit(database, per_day=1000, warm_up=warm_up)
    assert await cap_on(database, NOON) == 100
    await limit(database, per_day=1000, warm_up=warm_up.model_copy(update={"start_per_day": 30}))
    assert await cap_on(database, NOON) == 30
    async with database.transaction() as session:
        await session.execute(update(SendingHourRow).values(earned_per_day=7))
    assert await cap_on(database, NOON) == 7
    assert await cap_on(database, after(NOON, HOUR)) == 30


async def test_the_policy_comes_back_as_it_was_put(database: Database) -> None:
    await limit(database, per_hour=5, per_day=50)
    async with database.transaction() as session:
        assert (await load_sending_policy(session)).domains[DOMAIN] == DomainLimits(per_hour=5, per_day=50)
