"""Overrides, forecasts, disagreements and weights on a real Postgres."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select, update

from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.health_preview import mark_of, weights_document
from domain.scoring_policy import ScoringPolicy
from domain.stances import Forecast, OverrideEnd, Stance
from domain.time import BusinessInstant
from domain.vocabulary import (
    HealthComponent,
    HealthStatus,
    NoticeKind,
    RiskTier,
    Segment,
    TaskOutcome,
    TaskState,
)
from models.database import Database
from models.disagreements import TASK_KIND, reconcile
from models.forecasts import load_forecasts, state_forecast
from models.hands import Hand
from models.health_overrides import end_override, expire_overrides, load_overrides, override_health
from models.health_weights import preview, save_weights
from models.rescoring import waiting
from models.scores import load_policy
from models.tables.customers import CustomerRow
from models.tables.judgement import DisagreementRow
from models.tables.ledger import DecisionRow, OutboxRow
from models.tables.work import TaskRow
from models.weight_proposals import decline_proposal, is_proposed, keep_proposal, load_proposals
from models.work import complete_task
from tests.support.portfolio import NOW, WALL, Portfolio, ago

pytestmark = pytest.mark.integration
POLICY = ScoringPolicy()


def hand(days: float = 0) -> Hand:
    return Hand("Jonas", None, later(days), WALL)


def later(days: float) -> BusinessInstant:
    return ago(-days)


async def a_customer(database: Database, **values: Any) -> uuid.UUID:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        apart = {"health_status": HealthStatus.THRIVING, "health_score": 84, "churn_risk_tier": RiskTier.HIGH}
        return await portfolio.customer(**(apart | values))


async def rows(database: Database, table: Any) -> list[Any]:
    async with database.transaction() as session:
        return list(await session.scalars(select(table)))


async def test_an_override_is_kept_with_who_why_and_what_the_rules_said(database: Database) -> None:
    customer = await a_customer(database)
    async with database.transaction() as session:
        await override_health(session, customer, HealthStatus.AT_RISK, " No budget ", later(20), hand())
        await override_health(session, customer, HealthStatus.NEUTRAL, "Budget is back", later(30), hand(1))
    async with database.transaction() as session:
        newest, first = await load_overrides(session, customer)
        asked = await waiting(session, [], 10)
    assert (first.reason, first.by, first.rules_status) == ("No budget", "Jonas", HealthStatus.THRIVING)
    assert (first.ended_how, first.ended_by, newest.ended_at) == (OverrideEnd.REPLACED, "Jonas", None)
    row = (await rows(database, CustomerRow))[0]
    assert (row.health_override, row.health_override_until) == (HealthStatus.NEUTRAL, later(30))
    assert [one.kind for one in await rows(database, OutboxRow)] == [NoticeKind.CUSTOMER_CHANGED] * 2
    assert [one.customer_id for one in asked] == [customer]


async def test_an_override_expires_once_and_may_be_withdrawn(database: Database) -> None:
    customer = await a_customer(database)
    async with database.transaction() as session:
        await override_health(session, customer, HealthStatus.AT_RISK, "No budget", later(20), hand())
        assert await expire_overrides(session, later(19), WALL) == 0
        assert await expire_overrides(session, later(20), WALL) == 1
        assert await expire_overrides(session, later(20), WALL) == 0
        assert (await load_overrides(session, customer))[0].ended_how is OverrideEnd.EXPIRED
    async with database.transaction() as session:
        await override_health(session, customer, HealthStatus.AT_RISK, "Again", later(60), hand(30))
        await end_override(session, customer, hand(31))
        assert (await load_overrides(session, customer))[0].ended_how is OverrideEnd.WITHDRAWN
        with pytest.raises(NotFoundError):
            await end_override(session, customer, hand(31))
    assert (await rows(database, CustomerRow))[0].health_override is None


@pytest.mark.parametrize(("reason", "days"), [("", 5), ("Why", -1), ("Why", 200), ("x" * 501, 5)])
async def test_an_override_without_reason_or_end_is_refused(
    database: Database, reason: str, days: float
) -> None:
    customer = await a_customer(database)
    with pytest.raises(InvalidInputError):
        async with database.transaction() as session:
            await override_health(session, customer, HealthStatus.AT_RISK, reason, later(days), hand())


async def test_forecasts_are_kept_and_the_newest_comes_first(database: Database) -> None:
    customer = await a_customer(database)
    async with database.transaction() as session:
        await state_forecast(session, customer, Forecast.WILL_RENEW, "Signed for next year", hand())
        await state_forecast(session, customer, Forecast.WILL_LEAVE, "Champion gone", hand(3))
        said = await load_forecasts(session, customer)
    assert [one.forecast for one in said] == [Forecast.WILL_LEAVE, Forecast.WILL_RENEW]
    assert said[1].counts_at(later(90), 90)
    assert not said[1].counts_at(later(91), 90)


async def nights(database: Database, *days: float) -> dict[str, int]:
    found: dict[str, int] = {}
    for day in days:
        async with database.transaction() as session:
            found = await reconcile(session, POLICY, later(day))
    return found


async def test_a_lasting_disagreement_asks_once_and_is_settled_by_the_policy(database: Database) -> None:
    await a_customer(database)
    assert await nights(database, 0) == {"begin": 1}
    assert await nights(database, 0, 6) == {}
    assert await nights(database, 7) == {"open": 1}
    assert await nights(database, 7, 8, 11) == {}
    task = (await rows(database, TaskRow))[0]
    assert (task.kind, task.state, task.due_at) == (TASK_KIND, TaskState.OPEN, later(12))
    assert "health by rules speaks for staying, the churn risk for leaving" in task.body
    assert await nights(database, 12) == {"settle": 1}
    assert await nights(database, 13, 30, 60) == {}
    row, task = (await rows(database, DisagreementRow))[0], (await rows(database, TaskRow))[0]
    assert (row.decided, row.by_policy) == (Stance.LEAVING, "leaving")
    assert task.state is TaskState.CANCELLED
    assert "Nobody answered in time, so the graver view holds" in (task.note or "")
    assert [one.reason for one in await rows(database, DecisionRow)] == ["disagreement_settled"]


async def test_a_persons_answer_decides_and_who_was_right_is_noted_when_it_is_known(
    database: Database,
) -> None:
    customer = await a_customer(database)
    await nights(database, 0, 7)
    task = (await rows(database, TaskRow))[0]
    async with database.transaction() as session:
        await complete_task(session, task.id, TaskOutcome.REJECTED, None, None, later(8), WALL)
    assert await nights(database, 9) == {"answer": 1}
    row = (await rows(database, DisagreementRow))[0]
    assert (row.decided, row.by_policy, row.judged_at) == (Stance.STAYING, None, None)
    async with database.transaction() as session:
        gone = {"status": "churned", "churned_at": later(40), "churn_known_at": later(40)}
        await session.execute(update(CustomerRow).where(CustomerRow.id == customer).values(**gone))
    await nights(database, 41)
    assert (await rows(database, DisagreementRow))[0].left is None
    assert await nights(database, 71) == {"end": 1, "judged": 1}
    row = (await rows(database, DisagreementRow))[0]
    assert (row.left, row.ended_at, row.judged_at) == (True, later(71), later(71))


async def test_an_end_counts_once_it_has_lasted_and_the_same_may_come_again(database: Database) -> None:
    customer = await a_customer(database)
    await nights(database, 0, 7)

    async def tier(value: RiskTier) -> None:
        async with database.transaction() as session:
            changed = update(CustomerRow).where(CustomerRow.id == customer)
            await session.execute(changed.values(churn_risk_tier=value))

    await tier(RiskTier.LOW)
    assert await nights(database, 8) == {"quiet": 1}
    await tier(RiskTier.HIGH)
    assert await nights(database, 9) == {"loud": 1}
    await tier(RiskTier.LOW)
    assert await nights(database, 10, 16) == {}
    assert await nights(database, 17) == {"end": 1}
    assert (await rows(database, TaskRow))[0].state is TaskState.CANCELLED
    await tier(RiskTier.CRITICAL)
    assert await nights(database, 18) == {"begin": 1}
    assert await nights(database, 25) == {"open": 1}
    assert len(await rows(database, TaskRow)) == 2


async def test_weights_are_saved_only_by_who_has_seen_what_they_would_do(database: Database) -> None:
    await a_customer(database)
    wanted = {segment: dict.fromkeys(HealthComponent, 1.0) for segment in Segment}
    async with database.transaction() as session:
        seen = await preview(session, wanted, NOW)
    with pytest.raises(ConflictError, match="look first"):
        async with database.transaction() as session:
            await save_weights(session, wanted, "0" * 20, hand())
    async with database.transaction() as session:
        await save_weights(session, wanted, seen.mark, hand(), note="A review")
    async with database.transaction() as session:
        policy = await load_policy(session)
        assert policy.health.weights == wanted
        assert policy.risk == POLICY.risk
        noted = (await load_proposals(session))[0]
    assert (noted.answer, noted.answered_by, noted.note) == ("set", "Jonas", "A review")
    with pytest.raises(ConflictError):
        async with database.transaction() as session:
            await save_weights(session, wanted, seen.mark, hand())


async def test_a_proposal_is_kept_once_a_quarter_and_answered_once(database: Database) -> None:
    present = weights_document(POLICY.health.weights)
    wanted = {segment: dict.fromkeys(HealthComponent, 1.0) for segment in Segment}
    proposed = weights_document(wanted)
    async with database.transaction() as session:
        await keep_proposal(session, "2026-Q1", present, proposed, {}, ago(90))
        for _ in range(2):
            await keep_proposal(session, "2026-Q2", present, proposed, {}, NOW)
        assert await is_proposed(session, "2026-Q2")
        newest, older = await load_proposals(session)
        assert (newest.is_open, older.is_open, older.answer) == (True, False, "superseded")
        mark = mark_of(POLICY.health.weights, wanted)
        await save_weights(session, wanted, mark, hand(), proposal_id=newest.id)
    async with database.transaction() as session:
        assert (await load_proposals(session))[0].answer == "accepted"
        with pytest.raises(ConflictError):
            await decline_proposal(session, newest.id, "", hand())
        with pytest.raises(NotFoundError):
            await decline_proposal(session, uuid.uuid4(), "", hand())


async def test_only_so_many_questions_wait_at_a_time_and_the_largest_revenue_comes_first(
    database: Database,
) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        apart = {"health_status": HealthStatus.THRIVING, "churn_risk_tier": RiskTier.CRITICAL}
        small, large = [await portfolio.customer(arr_minor=arr, **apart) for arr in (100, 900)]
    one = POLICY.model_copy(update={"disagreement": POLICY.disagreement.model_copy(update={"most_open": 1})})
    for day in (0, 7, 8):
        async with database.transaction() as session:
            await reconcile(session, one, later(day))
    assert [task.customer_id for task in await rows(database, TaskRow)] == [large]
    async with database.transaction() as session:
        await reconcile(session, one, later(12))
        await reconcile(session, one, later(13))
    assert {task.customer_id for task in await rows(database, TaskRow)} == {large, small}
