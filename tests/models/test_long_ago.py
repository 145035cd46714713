"""What was usual half a year ago: only what was known, only of whom we know so long, and no gauge."""

import datetime as dt

import pytest

from domain.facts import Fact
from domain.time import BusinessInstant
from domain.usage_windows import MetricKind
from models.database import Database
from models.facts import store_facts
from models.facts_batch import fact_id
from models.features import load_features
from models.metrics import Metric, declare_metric
from tests.support.facts import CRM, WALL, connect, customer, day, usage

pytestmark = pytest.mark.integration
DAY = dt.timedelta(days=1)
NOW = day(12, 1, 6)
OLD, NEW = (fact_id(CRM, "customer", name) for name in ("old", "new"))


def ago(days: float) -> BusinessInstant:
    """An instant of a day so many days before today."""
    return BusinessInstant(day(12, 1) - days * DAY)


def used(key: str, days: float, *, late: float = 0, **told: object) -> Fact:
    return usage(key, occurred_at=ago(days), known_at=ago(days - late), **told)


@pytest.mark.parametrize("exact", [False, True])
async def test_four_weeks_of_half_a_year_ago_are_read_to_the_day(database: Database, exact: bool) -> None:  # noqa: FBT001 - a parameter of the test
    await connect(database)
    told = [
        *(customer(name, known_at=ago(300)) for name in ("old", "new")),
        used("before", 211, customer="old", quantity=1000),
        used("first", 210, customer="old", quantity=8),
        used("last", 182.001, customer="old", quantity=4),
        used("after", 182, customer="old", quantity=1000),
        used("gauge", 200, customer="old", feature="seats", quantity=500),
        used("now", 3, customer="old", quantity=2),
        used("new", 209, customer="new", quantity=40),
        used("newer", 3, customer="new", quantity=20),
    ]
    async with database.transaction() as session:
        await declare_metric(session, Metric("seats", MetricKind.GAUGE))
        await store_facts(session, CRM, told, received_at=WALL)
        new, old = sorted(
            await load_features(session, sorted([OLD, NEW]), NOW, {}, exact=exact),
            key=lambda one: one.customer_id == OLD,
        )
    assert (old.usage.half_year_ago, old.usage.long_ago) == (3.0, 3.0)
    assert new.usage.half_year_ago is None
    assert new.usage.long_ago == sum(new.usage.weeks[-4:]) / 4


async def test_what_became_known_later_is_no_part_of_the_past(database: Database) -> None:
    await connect(database)
    told = [
        customer("old", known_at=ago(300)),
        used("first", 230, customer="old", quantity=8),
        used("seen", 200, customer="old", quantity=8),
        used("late", 199, customer="old", quantity=80, late=190),
    ]
    async with database.transaction() as session:
        await store_facts(session, CRM, told, received_at=WALL)
        [then] = await load_features(session, [OLD], ago(10), {}, exact=True)
        [now] = await load_features(session, [OLD], NOW, {}, exact=True)
    assert then.usage.half_year_ago == 2.0
    assert now.usage.half_year_ago == 22.0
