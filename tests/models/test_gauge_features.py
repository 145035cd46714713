"""A gauge is no use of the product, and what it stands at is what is held against the plan's limit."""

import pytest
from sqlalchemy import text

from domain.facts import Fact
from domain.scoring_policy import FreshnessPolicy
from domain.usage_windows import MetricKind
from models.bench_reaction import limit_plan
from models.database import Database
from models.facts import store_facts
from models.facts_batch import fact_id
from models.features import load_features
from models.freshness import load_freshness
from models.metrics import Metric, declare_metric
from tests.support.facts import CRM, WALL, connect, customer, day, usage

pytestmark = pytest.mark.integration
ACME = fact_id(CRM, "customer", "acme")


@pytest.mark.parametrize("exact", [False, True])
async def test_a_gauge_is_held_against_the_limit_and_is_no_use(database: Database, exact: bool) -> None:  # noqa: FBT001 - a parameter of the test
    await connect(database)
    now = day(3, 1)
    readings = [
        usage(f"g{number}", feature="seats", quantity=0, value=value, known_at=at, occurred_at=at)
        for number, (at, value) in enumerate(((day(1, 20), 95.0), (day(1, 25), 80.0)))
    ]
    async with database.transaction() as session:
        await declare_metric(session, Metric("seats", MetricKind.GAUGE, property="used"))
        await limit_plan(session, "pro", "seats", 100, day(1, 1))
        told: list[Fact] = [customer(plan="pro"), *readings]
        told.append(usage("u", known_at=day(1, 3), occurred_at=day(1, 3)))
        await store_facts(session, CRM, told, received_at=WALL)
        freshness = await load_freshness(session, now, FreshnessPolicy())
        [found] = await load_features(session, [ACME], now, freshness, exact=exact)
        last_use = await session.scalar(text("SELECT last_usage_on FROM customers"))
    assert (found.usage.limit_metric, found.usage.limit_share) == ("seats", 0.8)
    assert found.fresh("usage").last_on == last_use == day(1, 3).date()
