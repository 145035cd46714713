"""Scoring on a real Postgres: what is written, what is told, and what changes nothing."""

import uuid
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from activities.contracts_scoring import ScoreShardResult
from activities.customer_scoring import judge_customers, score_customers
from domain.time import BusinessInstant
from domain.vocabulary import HealthStatus, NoticeKind, RiskTier, SignalKind, SignalState
from ml.adapters import CatBoostModelReader
from models.database import Database
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow
from models.tables.facts import UsageDailyRow
from models.tables.ledger import OutboxRow
from models.tables.scoring import AssessmentRow, DigestRow, ScoreRow, SignalRow
from models.tables.work import HeadsUpRow
from tests.support.portfolio import NOW, FixedClock, Portfolio, ago

pytestmark = pytest.mark.integration


async def score(database: Database, *ids: uuid.UUID, days_later: float = 0) -> ScoreShardResult:
    return await score_customers(database, FixedClock(ago(-days_later)), CatBoostModelReader(), ids)


async def rows(database: Database, table: Any) -> list[Any]:
    async with database.transaction() as session:
        return list(await session.scalars(select(table)))


async def notices(database: Database) -> list[tuple[NoticeKind, dict[str, Any]]]:
    return [(row.kind, row.payload) for row in await rows(database, OutboxRow)]


async def healthy_customer(database: Database, **source: Any) -> uuid.UUID:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect(**source)
        customer_id = await portfolio.customer()
        await portfolio.daily_usage(customer_id, 10, range(1, 120))
    return customer_id


async def use(database: Database, customer_id: uuid.UUID, quantity: float, later: range) -> None:
    """Add use on days after NOW."""
    if not quantity:
        return
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.daily_usage(customer_id, quantity, range(-later.stop + 1, -later.start + 1))


async def test_the_first_score_sets_everything_and_tells_nothing(database: Database) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        silent = await portfolio.customer()
        await portfolio.daily_usage(silent, 10, range(30, 150))
    found = await score(database, silent)
    customer = (await rows(database, CustomerRow))[0]
    assert found.signals_opened == 1
    assert customer.acted_tier is RiskTier.CRITICAL
    assert customer.churn_risk_tier is RiskTier.CRITICAL
    assert customer.health_status is HealthStatus.AT_RISK
    assert (await rows(database, SignalRow))[0].is_baseline
    assert await notices(database) == []


async def test_scoring_twice_on_a_day_changes_nothing_and_tells_nothing(database: Database) -> None:
    customer_id = await healthy_customer(database)
    await score(database, customer_id)
    before = [await rows(database, table) for table in (ScoreRow, AssessmentRow, SignalRow)]
    again = await score(database, customer_id)
    after = [await rows(database, table) for table in (ScoreRow, AssessmentRow, SignalRow)]
    assert again == ScoreShardResult(scored=1)
    assert [[vars(row) for row in kind if vars(row).pop("_sa_instance_state")] for kind in before] == [
        [vars(row) for row in kind if vars(row).pop("_sa_instance_state")] for kind in after
    ]
    assert await notices(database) == []


async def test_a_customer_of_whom_nothing_is_known_has_a_status_and_says_since_when(
    database: Database,
) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect(provides=["customers"])
        customer_id = await portfolio.customer(known_at=ago(100), started_at=None, onboarded_at=None)
    await score(database, customer_id)
    said = (await rows(database, AssessmentRow))[0]
    assert said.health_status is HealthStatus.NEUTRAL
    assert said.limited_since == ago(100).date()
    assert said.reason.startswith("Limited data since 7 March")
    assert said.next_best_action


async def test_a_fall_opens_a_signal_moves_the_tier_and_a_return_takes_both_back(database: Database) -> None:
    customer_id = await healthy_customer(database)
    await score(database, customer_id)
    await use(database, customer_id, 10, range(1))
    for day in range(1, 25):
        await use(database, customer_id, 0 if day > 1 else 1, range(day, day + 1))
        await keep_feed_alive(database, day)
        await score(database, customer_id, days_later=day)
    told = await notices(database)
    opened = [payload["kind"] for kind, payload in told if kind is NoticeKind.SIGNAL_OPENED]
    assert set(opened) >= {"usage_drop", "login_silence"}
    assert len(opened) == len(set(opened))
    tiers = [(payload["from"], payload["to"]) for kind, payload in told if kind is NoticeKind.TIER_CHANGED]
    assert tiers[0][0] == "low"
    assert tiers[-1][1] in {"high", "critical"}
    assert NoticeKind.RE_ENGAGED not in [kind for kind, _payload in told]
    for day in range(25, 45):
        await use(database, customer_id, 10, range(day, day + 1))
        await keep_feed_alive(database, day)
        await score(database, customer_id, days_later=day + 1)
    told = await notices(database)
    back = [payload for kind, payload in told if kind is NoticeKind.RE_ENGAGED]
    assert {name for payload in back for name in payload["kinds"]} >= {"usage_drop", "login_silence"}
    states = {row.kind: row.state for row in await rows(database, SignalRow)}
    assert states[SignalKind.USAGE_DROP] is SignalState.RESOLVED
    assert (await rows(database, CustomerRow))[0].acted_tier in {RiskTier.LOW, RiskTier.MEDIUM}


async def keep_feed_alive(database: Database, day: int) -> None:
    """Say that the source has just spoken, so that silence is the customer's and not the feed's."""
    async with database.transaction() as session:
        await session.execute(update(SourceRow).values(last_fact_at=ago(-day)))


async def test_signals_older_than_the_connection_trigger_nothing(database: Database) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect(connected_at=ago(-1))
        customer_id = await portfolio.customer(acted_tier=RiskTier.LOW, acted_tier_at=ago(30))
        await portfolio.daily_usage(customer_id, 10, range(30, 150))
        await portfolio.invoice(customer_id, ago(20))
    await score(database, customer_id)
    assert {row.kind for row in await rows(database, SignalRow)} >= {
        SignalKind.LOGIN_SILENCE,
        SignalKind.INVOICE_PAST_DUE,
    }
    assert all(row.is_baseline for row in await rows(database, SignalRow))
    assert [kind for kind, _payload in await notices(database)] == [NoticeKind.TIER_CHANGED]


async def test_a_silent_source_makes_no_customer_silent(database: Database) -> None:
    customer_id = await healthy_customer(database)
    await score(database, customer_id)
    async with database.transaction() as session:
        await session.execute(update(SourceRow).values(last_fact_at=NOW))
    await score(database, customer_id, days_later=30)
    assert await rows(database, SignalRow) == []
    said = max(await rows(database, AssessmentRow), key=lambda row: row.assessed_at)
    assert said.limited_since == ago(1).date()
    assert "Limited data since 14 June" in said.reason


async def test_when_everybody_stops_at_once_the_feed_is_dead(database: Database) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        ids = [await portfolio.customer(acted_tier=RiskTier.LOW, acted_tier_at=ago(30)) for _ in range(6)]
        for customer_id in ids:
            await portfolio.daily_usage(customer_id, 10, range(30, 120))
    await score(database, *ids)
    assert await rows(database, SignalRow) == []


async def test_churned_customers_are_not_scored(database: Database) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        gone = await portfolio.customer(declared={"status": "churned"}, status="churned")
    assert (await score(database, gone)).scored == 0
    assert await rows(database, ScoreRow) == []


async def test_a_persons_verdict_holds_until_it_expires(database: Database) -> None:
    customer_id = await healthy_customer(database)
    async with database.transaction() as session:
        await session.execute(
            update(CustomerRow).values(health_override=HealthStatus.AT_RISK, health_override_until=ago(-5))
        )
    await score(database, customer_id)
    await score(database, customer_id, days_later=6)
    said = sorted(await rows(database, AssessmentRow), key=lambda row: row.assessed_at)
    assert said[0].health_status is HealthStatus.AT_RISK
    assert said[0].reason.startswith("Set by hand to at risk until 20 June; the rules say ")
    assert said[-1].health_status is not HealthStatus.AT_RISK
    assert (await rows(database, CustomerRow))[0].health_status is not HealthStatus.AT_RISK


async def test_a_resolved_signal_closes_the_warning_that_it_opened(database: Database) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        customer_id = await portfolio.customer(acted_tier=RiskTier.LOW, acted_tier_at=ago(30))
        await portfolio.ticket(customer_id, ago(5), resolve_due_at=ago(2))
    await score(database, customer_id)
    overdue = SignalKind.TICKET_OVERDUE
    signal = next(row for row in await rows(database, SignalRow) if row.kind is overdue)
    async with database.transaction() as session:
        await session.execute(
            insert(HeadsUpRow).values(
                id=uuid.uuid4(), customer_id=customer_id, signal_id=signal.id, dedupe_key="ticket_overdue",
                severity="medium", title="x", body="y", arr_minor=1, currency="USD", state="open",
                opened_at=NOW,
            )
        )  # fmt: skip
        from models.tables.facts import TicketRow

        await session.execute(update(TicketRow).values(resolved_at=NOW, resolved_known_at=NOW))
    await score(database, customer_id, days_later=1)
    assert (await rows(database, HeadsUpRow))[0].state == "closed"
    told = [kind for kind, payload in await notices(database) if payload.get("kind") == overdue]
    assert told == [NoticeKind.SIGNAL_OPENED, NoticeKind.SIGNAL_RESOLVED]


async def test_a_past_verdict_ignores_what_became_known_later(database: Database) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        customer_id = await portfolio.customer()
        for day in range(40, 150):
            await portfolio.event(customer_id, ago(day), ago(day), 10)
    past = BusinessInstant(ago(30))
    before = await judge_customers(database, CatBoostModelReader(), [customer_id], past, exact=True)
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        for day in range(31, 40):
            await portfolio.event(customer_id, ago(day), ago(5), 10)
        await portfolio.ticket(customer_id, ago(50), resolve_due_at=ago(45), known_at=ago(5))
        await portfolio.invoice(customer_id, ago(60), known_at=ago(5))
        await portfolio.subscription(customer_id, ago(200), known_at=ago(5))
        await portfolio.touch(customer_id, ago(40), known_at=ago(5))
        await portfolio.contact(customer_id, "champion", known_at=ago(5))
    after = await judge_customers(database, CatBoostModelReader(), [customer_id], past, exact=True)
    assert before[0].features == after[0].features
    now = await judge_customers(database, CatBoostModelReader(), [customer_id], NOW, exact=True)
    assert now[0].features.support.overdue == 1
    assert now[0].features.relationship.champions == 1


async def test_an_end_that_is_known_later_does_not_end_a_subscription_yet(database: Database) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        customer_id = await portfolio.customer()
        await portfolio.subscription(customer_id, ago(300), ended_at=ago(10), ended_known_at=ago(2))
        await portfolio.ticket(customer_id, ago(20), resolved_at=ago(8), resolved_known_at=ago(2))
        await portfolio.invoice(customer_id, ago(20), status="paid", paid_at=ago(8), paid_known_at=ago(2))
    early = (await judge_customers(database, CatBoostModelReader(), [customer_id], ago(5), exact=True))[
        0
    ].features
    late = (await judge_customers(database, CatBoostModelReader(), [customer_id], ago(1), exact=True))[
        0
    ].features
    assert (early.commercial.active_subscriptions, early.support.open) == (1, 1)
    assert early.commercial.past_due_days == 15
    assert (late.commercial.active_subscriptions, late.support.open) == (0, 0)
    assert late.commercial.past_due_days == 0


async def test_the_trend_is_against_thirty_days_before(database: Database) -> None:
    customer_id = await healthy_customer(database)
    await score(database, customer_id)
    await use(database, customer_id, 4, range(31))
    await keep_feed_alive(database, 31)
    await score(database, customer_id, days_later=31)
    newest = max(await rows(database, ScoreRow), key=lambda row: row.as_of)
    assert newest.components["usage"]["trend"] < -20


async def test_the_rollup_and_the_events_say_the_same(database: Database) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        customer_id = await portfolio.customer()
        for day in range(1, 120):
            await portfolio.event(customer_id, ago(day), ago(day), day % 7)
        await session.execute(delete(UsageDailyRow))
        from models.tables.facts import UsageEventRow

        day_of = func.date(func.timezone("UTC", UsageEventRow.occurred_at))
        events = select(
            UsageEventRow.customer_id, day_of, UsageEventRow.feature, 1, UsageEventRow.quantity,
            UsageEventRow.users,
        )  # fmt: skip
        names = ["customer_id", "day", "feature", "events", "quantity", "users"]
        await session.execute(insert(UsageDailyRow).from_select(names, events))
    exact = await judge_customers(database, CatBoostModelReader(), [customer_id], NOW, exact=True)
    quick = await judge_customers(database, CatBoostModelReader(), [customer_id], NOW, exact=False)
    assert exact[0].features == quick[0].features


async def test_when_most_of_the_portfolio_falls_silent_in_a_week_it_is_the_feed(database: Database) -> None:
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        ids = [await portfolio.customer(acted_tier=RiskTier.LOW, acted_tier_at=ago(30)) for _ in range(24)]
        for place, customer_id in enumerate(ids):
            await portfolio.daily_usage(customer_id, 10, range(1 if place < 8 else 12, 120))
    await score(database, *ids)
    assert await rows(database, SignalRow) == []
    assert all(row.components["usage"]["limited"] for row in await rows(database, ScoreRow))


async def test_a_look_at_the_past_keeps_nothing(database: Database) -> None:
    customer_id = await healthy_customer(database)
    await judge_customers(database, CatBoostModelReader(), [customer_id], ago(60), exact=True)
    assert await rows(database, DigestRow) == []
    await score(database, customer_id)
    kept = {row.key: row.as_of for row in await rows(database, DigestRow)}
    assert kept == {"adoption_norms": NOW, "usage_feed": NOW}
