import datetime as dt
import itertools
import random
import uuid

import pytest
from sqlalchemy import insert, update

from domain.attention import (
    DEFAULT_ATTENTION,
    ArrBand,
    AttentionPolicy,
    AttentionRule,
    CustomerStanding,
    Standing,
    attention_for,
)
from domain.vocabulary import Attention, CustomerStatus, HealthStatus, RiskTier
from models.attention import load_attention, save_attention
from models.database import Database
from models.tables.customers import CustomerRow
from models.views.portfolio import PAGE_SIZE, load_portfolio
from models.views.portfolio_filter import PortfolioFilter
from models.views.portfolio_summary import load_summary
from tests.support.sample_rows import NOW, Sample, customer_row, fill

pytestmark = pytest.mark.integration


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=30)


async def names(database: Database, chosen: PortfolioFilter) -> list[str]:
    async with database.transaction() as session:
        page = await load_portfolio(session, chosen, DEFAULT_ATTENTION, NOW)
    return [customer.name for customer in page.customers]


async def test_what_needs_attention_now_comes_first_and_the_larger_arr_before_the_smaller(
    database: Database, sample: Sample
) -> None:
    async with database.transaction() as session:
        page = await load_portfolio(session, PortfolioFilter(), DEFAULT_ATTENTION, NOW)
    ranks = [list(Attention).index(customer.attention) for customer in page.customers]
    assert ranks == sorted(ranks)
    urgent = [customer.arr_minor for customer in page.customers if customer.attention is Attention.NOW]
    assert urgent == sorted(urgent, reverse=True)
    assert page.total == 29


async def test_each_filter_keeps_only_what_it_names(database: Database, sample: Sample) -> None:
    jonas = sample.users["jonas"]
    async with database.transaction() as session:
        chosen = PortfolioFilter(
            tiers=(RiskTier.HIGH, RiskTier.CRITICAL), owner=jonas, health=(HealthStatus.AT_RISK,)
        )
        page = await load_portfolio(session, chosen, DEFAULT_ATTENTION, NOW)
    assert page.customers
    assert {customer.owner for customer in page.customers} == {"Jonas Weber"}
    assert {customer.health_status for customer in page.customers} == {HealthStatus.AT_RISK}


async def test_search_finds_parts_of_names_and_takes_wildcards_literally(
    database: Database, sample: Sample
) -> None:
    assert await names(database, PortfolioFilter(search="LOOM")) == ["Brightloom"]
    assert await names(database, PortfolioFilter(search="c-1002")) == ["Brightloom"]
    assert await names(database, PortfolioFilter(search="%")) == []


async def test_whoever_left_is_only_in_the_list_of_those_who_left(database: Database, sample: Sample) -> None:
    assert await names(database, PortfolioFilter(churned=True)) == ["Driftwood"]
    assert "Driftwood" not in await names(database, PortfolioFilter())


async def test_pages_hold_everyone_once(database: Database, sample: Sample) -> None:
    dice = random.Random(3)
    more = [customer_row(index, dice) for index in range(30, 130)]
    async with database.transaction() as session:
        await session.execute(insert(CustomerRow), more)
    found = [await names(database, PortfolioFilter(sort="name", page=page)) for page in (1, 2, 3, 4)]
    assert [len(page) for page in found] == [PAGE_SIZE, PAGE_SIZE, 29, 0]
    assert len(set(itertools.chain(*found))) == 129


async def test_an_override_holds_until_it_expires(database: Database, sample: Sample) -> None:
    async with database.transaction() as session:
        for place, days in ((0, 1), (2, -1)):
            await session.execute(
                update(CustomerRow)
                .where(CustomerRow.id == sample.customers[place])
                .values(
                    health_override=HealthStatus.THRIVING,
                    health_override_until=NOW + dt.timedelta(days=days),
                )
            )
    thriving = await names(database, PortfolioFilter(health=(HealthStatus.THRIVING,)))
    assert "Alder & Finch" in thriving
    assert "Brightloom" not in thriving


async def test_moves_are_told_against_the_tier_of_a_week_ago(database: Database, sample: Sample) -> None:
    worse = await names(database, PortfolioFilter(moved="worse"))
    async with database.transaction() as session:
        summary = await load_summary(session, NOW)
    assert len(worse) == summary.moved_worse > 0
    assert "Alder & Finch" in worse


async def test_the_summary_adds_up_over_those_who_have_not_left(database: Database, sample: Sample) -> None:
    async with database.transaction() as session:
        summary = await load_summary(session, NOW)
    rows = [row for row in sample.rows if row["status"] is not CustomerStatus.CHURNED]
    at_risk = [row for row in rows if row["churn_risk_tier"] in {RiskTier.HIGH, RiskTier.CRITICAL}]
    assert summary.customers == len(rows) == sum(share.customers for share in summary.tiers)
    assert sum(money.minor for money in summary.at_risk) == sum(row["arr_minor"] for row in at_risk)
    soon = [row for row in rows if 0 <= (row["renewal_on"] - NOW.date()).days <= 90]
    assert summary.renewing_customers == len(soon)


async def test_sql_and_the_domain_give_every_customer_the_same_attention(
    database: Database, sample: Sample
) -> None:
    cells = itertools.product([None, *ArrBand], [None, *Standing], [None, 30, 200], Attention)
    dice = random.Random(5)
    pool = list(cells)
    for _ in range(12):
        rules = tuple(
            AttentionRule(arr=arr, standing=standing, renewal_within_days=days, attention=what, reason="why")
            for arr, standing, days, what in dice.sample(pool, 4)
        )
        policy = AttentionPolicy(high_arr=dice.choice([0, 20_000, 60_000]), rules=rules)
        async with database.transaction() as session:
            page = await load_portfolio(session, PortfolioFilter(), policy, NOW)
        for customer in page.customers:
            known = CustomerStanding(
                customer.arr_minor,
                customer.currency,
                customer.health_status,
                customer.churn_risk_tier,
                customer.renewal_on,
            )
            assert customer.attention is attention_for(policy, known, NOW.date())[0], (customer.name, policy)


async def test_an_edited_table_is_in_force_at_once(database: Database, sample: Sample) -> None:
    rule = AttentionRule(attention=Attention.PROACTIVE, reason="Everyone")
    async with database.transaction() as session:
        assert await load_attention(session) == DEFAULT_ATTENTION
        await save_attention(session, AttentionPolicy(rules=(rule,)), sample.users["ada"], NOW)
        policy = await load_attention(session)
        page = await load_portfolio(session, PortfolioFilter(), policy, NOW)
    assert {customer.attention for customer in page.customers} == {Attention.PROACTIVE}


async def test_a_trend_is_thirty_days_oldest_first(database: Database, sample: Sample) -> None:
    async with database.transaction() as session:
        page = await load_portfolio(session, PortfolioFilter(search="alder"), DEFAULT_ATTENTION, NOW)
    trend = page.customers[0].trend
    assert trend is not None
    assert len(trend.risks) == len(trend.healths) == 30
    assert trend.risks[-1] > trend.risks[0]
    assert trend.since == NOW.date() - dt.timedelta(days=29)


async def test_an_empty_installation_has_an_empty_portfolio(database: Database) -> None:
    async with database.transaction() as session:
        page = await load_portfolio(session, PortfolioFilter(owner=uuid.uuid4()), DEFAULT_ATTENTION, NOW)
        summary = await load_summary(session, NOW)
    assert (page.total, page.pages, summary.customers, summary.at_risk) == (0, 1, 0, ())
