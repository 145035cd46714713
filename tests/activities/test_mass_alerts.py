"""Many customers that show the same at once, on a real Postgres: held back, then released or settled."""

import uuid

import pytest
from sqlalchemy import select

from activities.customer_scoring import score_customers
from domain.scoring_policy import FreshnessPolicy
from domain.vocabulary import NoticeKind, RiskTier, SignalKind, SignalState
from ml.adapters import CatBoostModelReader
from models.database import Database
from models.mass_alerts import list_mass_alerts, release_mass_alert, settle_mass_alerts
from models.tables.facts import InvoiceRow
from models.tables.ledger import OutboxRow
from models.tables.scoring import MassAlertRow, SignalRow
from tests.support.portfolio import NOW, WALL, FixedClock, Portfolio, ago

pytestmark = pytest.mark.integration
KNOWN = {"acted_tier": RiskTier.LOW, "acted_tier_at": ago(30)}
POLICY = FreshnessPolicy()


async def late_payers(database: Database, late: int, of: int) -> list[uuid.UUID]:
    """Customers that were scored before, some of whose invoices have just become past due."""
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        ids = [await made.customer(**KNOWN) for _ in range(of)]
        for customer_id in ids[:late]:
            await made.invoice(customer_id, ago(5))
    return ids


async def told(database: Database) -> list[SignalKind]:
    async with database.transaction() as session:
        rows = await session.scalars(select(OutboxRow).where(OutboxRow.kind == NoticeKind.SIGNAL_OPENED))
        return [SignalKind(row.payload["kind"]) for row in rows]


async def test_a_fifth_of_all_customers_at_once_is_held_back_and_told_once(database: Database) -> None:
    ids = await late_payers(database, 12, 40)
    await score_customers(database, FixedClock(), CatBoostModelReader(), ids)
    assert SignalKind.INVOICE_PAST_DUE not in await told(database)
    async with database.transaction() as session:
        (alert,) = await list_mass_alerts(session)
    assert (alert.kind, alert.expected, alert.active, alert.signals) == (
        SignalKind.INVOICE_PAST_DUE, 12, 40, 12,
    )  # fmt: skip


async def test_a_few_are_told_as_ever(database: Database) -> None:
    ids = await late_payers(database, 8, 12)
    await score_customers(database, FixedClock(), CatBoostModelReader(), ids)
    assert (await told(database)).count(SignalKind.INVOICE_PAST_DUE) == 8


async def test_a_large_portfolio_is_probed_before_anybody_is_told(database: Database) -> None:
    ids = await late_payers(database, 60, 220)
    await score_customers(database, FixedClock(), CatBoostModelReader(), ids)
    assert SignalKind.INVOICE_PAST_DUE not in await told(database)


async def test_one_by_one_they_are_held_back_from_the_fifth_on(database: Database) -> None:
    ids = await late_payers(database, 14, 30)
    for customer_id in ids:
        await score_customers(database, FixedClock(), CatBoostModelReader(), [customer_id])
    assert (await told(database)).count(SignalKind.INVOICE_PAST_DUE) == 10


async def test_a_person_releases_them_and_each_is_told(database: Database) -> None:
    ids = await late_payers(database, 12, 40)
    await score_customers(database, FixedClock(), CatBoostModelReader(), ids)
    async with database.transaction() as session:
        (alert,) = await list_mass_alerts(session)
        assert await release_mass_alert(session, alert.id, NOW, WALL) == 12
    await score_customers(database, FixedClock(), CatBoostModelReader(), ids)
    assert (await told(database)).count(SignalKind.INVOICE_PAST_DUE) == 12


async def test_what_persists_is_released_unless_its_source_is_silent(database: Database) -> None:
    ids = await late_payers(database, 12, 40)
    await score_customers(database, FixedClock(), CatBoostModelReader(), ids)
    later = ago(-4)
    async with database.transaction() as session:
        await settle_mass_alerts(session, POLICY, [SignalKind.INVOICE_PAST_DUE], later, WALL)
        assert len(await list_mass_alerts(session)) == 1
        await settle_mass_alerts(session, POLICY, [], later, WALL)
        assert not await list_mass_alerts(session)
    assert (await told(database)).count(SignalKind.INVOICE_PAST_DUE) == 12


async def test_what_passes_is_settled_and_was_never_told(database: Database) -> None:
    ids = await late_payers(database, 12, 40)
    await score_customers(database, FixedClock(), CatBoostModelReader(), ids)
    async with database.transaction() as session:
        for row in await session.scalars(select(InvoiceRow)):
            row.status, row.paid_at, row.paid_known_at = "paid", NOW, NOW
    await score_customers(database, FixedClock(ago(-1)), CatBoostModelReader(), ids)
    async with database.transaction() as session:
        await settle_mass_alerts(session, POLICY, [], ago(-1), WALL)
        states = list(await session.scalars(select(MassAlertRow.state)))
        left = list(await session.scalars(select(SignalRow.id).where(SignalRow.state == SignalState.OPEN)))
    assert (states, left) == (["settled"], [])
    assert SignalKind.INVOICE_PAST_DUE not in await told(database)
