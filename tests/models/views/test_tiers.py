"""The mix of tiers and its moves, from the points that scorings keep."""

import uuid
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import insert, update

from domain.tier_moves import MoveState
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, RiskTier
from models.database import Database
from models.resources.keyset import Row, Slice
from models.resources.tier_moves import MoveFilter, read_moves
from models.tables.customers import CustomerRow
from models.tables.scoring import FieldPointRow, ScoreRow
from models.views.score_history import load_known_then
from models.views.tier_mix import ACTED, RANGES, SCORED, TierMix, load_tier_mix
from tests.support.portfolio import NOW, Portfolio, ago

pytestmark = pytest.mark.integration
FIELDS = {ACTED: "tier", SCORED: "churn_risk_tier"}
USE = {"family": "usage", "sentence": "use fell", "points": 20.0}


async def customer(database: Database, mrr_minor: int = 0) -> uuid.UUID:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        one = await portfolio.customer()
        if mrr_minor:
            await portfolio.subscription(one, ago(15), mrr_minor=mrr_minor)
        return one


async def point(database: Database, one: uuid.UUID, days: float, value: str, *fields: str) -> None:
    rows = [
        {"customer_id": one, "field": field, "since": ago(days), "value": value}
        for field in fields or tuple(FIELDS.values())
    ]
    async with database.transaction() as session:
        await session.execute(insert(FieldPointRow), rows)


async def mix(database: Database, days: int = 30, field: str = ACTED) -> TierMix:
    async with database.transaction() as session:
        return await load_tier_mix(session, days, field, NOW)


async def moves(database: Database, **chosen: Any) -> list[Row]:
    return list((await page(database, **chosen)).rows)


async def page(database: Database, cursor: str | None = None, limit: int = 50, **chosen: Any) -> Slice:
    async with database.transaction() as session:
        wanted = MoveFilter(**{"since": BusinessInstant(ago(30)), "state": "", **chosen})
        return await read_moves(session, wanted, cursor, limit)


async def test_a_customer_counts_in_its_tier_from_the_day_of_its_move_until_it_leaves(
    database: Database,
) -> None:
    one = await customer(database)
    await point(database, one, 20, "low")
    await point(database, one, 10, "high")
    await point(database, one, 3, "churned", "status")
    found = {(NOW.date() - day.date).days: day.customers for day in (await mix(database)).days}
    assert sum(found[21].values()) == 0
    assert (found[20][RiskTier.LOW], found[11][RiskTier.LOW], found[10][RiskTier.LOW]) == (1, 1, 0)
    assert (found[10][RiskTier.HIGH], found[4][RiskTier.HIGH]) == (1, 1)
    assert sum(found[3].values()) == sum(found[0].values()) == 0


async def test_who_comes_back_counts_again(database: Database) -> None:
    one = await customer(database)
    await point(database, one, 20, "low")
    await point(database, one, 15, "churned", "status")
    await point(database, one, 5, "active", "status")
    found = {(NOW.date() - day.date).days: day.customers[RiskTier.LOW] for day in (await mix(database)).days}
    assert (found[16], found[15], found[6], found[5], found[0]) == (1, 0, 0, 1, 1)


async def test_the_mix_of_a_year_is_shown_by_week_and_today_is_its_end(database: Database) -> None:
    one = await customer(database)
    await point(database, one, 0, "critical")
    for days, step in RANGES.items():
        found = (await mix(database, days)).days
        assert found[-1].date == NOW.date()
        assert found[-1].customers[RiskTier.CRITICAL] == 1
        assert {(b.date - a.date).days for a, b in pairwise(found)} == {step}


async def test_revenue_follows_the_terms_of_each_day(database: Database) -> None:
    one = await customer(database, mrr_minor=5000)
    await point(database, one, 20, "low")
    await point(database, one, 10, "high")
    found = {(NOW.date() - day.date).days: day.mrr_minor for day in (await mix(database)).days}
    assert found[17]["USD"][RiskTier.LOW] == 0
    assert found[12]["USD"][RiskTier.LOW] == found[2]["USD"][RiskTier.HIGH] == 5000
    assert found[2]["USD"][RiskTier.LOW] == 0
    assert (await mix(database)).currencies == ["USD"]


async def test_a_move_that_was_acted_on_says_since_when_the_score_said_so(database: Database) -> None:
    one = await customer(database)
    await point(database, one, 20, "medium")
    await point(database, one, 13, "low", "churn_risk_tier")
    await point(database, one, 10, "low", "tier")
    (found,) = await moves(database)
    assert (found["tier_before"], found["tier"]) == (RiskTier.MEDIUM, RiskTier.LOW)
    assert (found["state"], found["is_worse"]) == (MoveState.ACTED, False)
    assert (found["at"] - found["scored_since"]).days == 3
    assert await moves(database, state="held") == []


@pytest.mark.parametrize(
    ("back", "status", "state"),
    [
        (8, CustomerStatus.ACTIVE, MoveState.PASSED),
        (None, CustomerStatus.ACTIVE, MoveState.WAITING),
        (None, CustomerStatus.CHURNED, MoveState.LEFT),
    ],
)
async def test_a_flicker_of_the_score_is_a_move_that_was_not_acted_on(
    database: Database, back: int | None, status: CustomerStatus, state: MoveState
) -> None:
    one = await customer(database)
    await point(database, one, 20, "low")
    await point(database, one, 10, "medium", "churn_risk_tier")
    if back is not None:
        await point(database, one, back, "low", "churn_risk_tier")
    async with database.transaction() as session:
        await session.execute(update(CustomerRow).values(status=status))
    (found,) = await moves(database)
    assert (found["tier_before"], found["tier"], found["state"]) == (RiskTier.LOW, RiskTier.MEDIUM, state)
    assert await moves(database, state="acted") == []
    assert await moves(database, direction="better") == []


async def test_moves_are_read_page_by_page_each_once(database: Database) -> None:
    one = await customer(database)
    for days in range(20, 10, -1):
        await point(database, one, days, "low" if days % 2 else "high")
    seen, cursor = [], None
    for _ in range(9):
        found = await page(database, cursor, 2)
        seen += [row["at"] for row in found.rows]
        cursor = found.next
        if cursor is None:
            break
    assert seen == sorted({ago(days) for days in range(19, 10, -1)}, reverse=True)


async def score(database: Database, one: uuid.UUID, days: int, value: int, *drivers: dict[str, Any]) -> None:
    at = ago(days)
    async with database.transaction() as session:
        await session.execute(
            insert(ScoreRow).values(
                customer_id=one, as_of=at.date(), scored_at=at, churn_probability=value / 200,
                churn_risk_score=value, churn_risk_tier=list(RiskTier)[value // 25], health_score=100 - value,
                components={}, drivers=list(drivers), horizon_days=90, model_version="scorecard-1",
            )
        )  # fmt: skip


async def test_the_reason_of_a_move_is_what_changed_in_the_stored_scores(database: Database) -> None:
    one = await customer(database)
    await score(database, one, 20, 10)
    await score(database, one, 10, 60, USE)
    await point(database, one, 20, "low")
    await point(database, one, 10, "high")
    (found,) = await moves(database, customer=one)
    assert found["why"] == USE["sentence"]


async def test_what_was_known_on_a_day_is_what_was_stored_until_its_end(database: Database) -> None:
    one = await customer(database)
    await score(database, one, 20, 10)
    await score(database, one, 10, 60, USE)
    await point(database, one, 20, "low", "tier")
    await point(database, one, 10, "high", "tier")
    async with database.transaction() as session:
        before = await load_known_then(session, one, ago(11).date())
        after = await load_known_then(session, one, ago(10).date())
        never = await load_known_then(session, one, ago(99).date())
    assert before.score is not None
    assert (before.score["as_of"], before.score["churn_risk_score"]) == (ago(20).date(), 10)
    assert (before.acted_tier, before.acted_since) == (RiskTier.LOW, ago(20))
    assert after.score is not None
    assert (after.score["drivers"], after.acted_tier) == ([USE], RiskTier.HIGH)
    assert (never.score, never.acted_tier, never.open_runs) == (None, None, ())
