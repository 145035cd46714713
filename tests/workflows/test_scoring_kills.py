"""A night's scoring whose worker is killed in the middle, on the dev server with real Postgres."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.contracts_scoring import PlanShardsInput, ScoreShardResult
from domain.vocabulary import NoticeKind, RiskTier
from models.database import Database
from models.tables.ledger import OutboxRow
from models.tables.scoring import AssessmentRow, FieldPointRow, ScoreRow, SignalRow
from tests.support.binaries import dev_server
from tests.support.forked import forked
from tests.support.portfolio import LONG_AGO, NOW, Portfolio, ago
from tests.support.scoring_worker import BATCH, SHARD, work
from workflows.scoring import PortfolioScoringWorkflow, workflow_id

pytestmark = [pytest.mark.devserver, pytest.mark.timeout(300)]
CUSTOMERS, TROUBLED_OF = 240, 5
"""So many, of whom every fifth has got into trouble since the last night."""
Row = tuple[object, ...]
Column = ColumnElement[Any] | InstrumentedAttribute[Any]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=dev_server(), data_converter=pydantic_data_converter
    ) as env:
        yield env.client


async def scored_before(database: Database) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
    """Everybody stood at low yesterday; return all, and those who owe money and wait for answers today."""
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        for _ in range(CUSTOMERS):
            await portfolio.customer(acted_tier=RiskTier.LOW, acted_tier_at=LONG_AGO)
        troubled = portfolio.ids[::TROUBLED_OF]
        for customer_id in troubled:
            await portfolio.invoice(customer_id, ago(40), failed_attempts=3)
            for _ in range(3):
                await portfolio.ticket(customer_id, ago(20), resolve_due_at=ago(10))
        return portfolio.ids, troubled


async def start(client: Client) -> WorkflowHandle[PortfolioScoringWorkflow, ScoreShardResult]:
    date = NOW.date()
    return await client.start_workflow(
        PortfolioScoringWorkflow.run, PlanShardsInput(date), id=workflow_id(date), task_queue="scoring"
    )


async def rows(database: Database, *columns: Column) -> Sequence[Row]:
    async with database.transaction() as session:
        return [tuple(row) for row in await session.execute(select(*columns))]


async def test_a_night_goes_on_after_the_kill_of_its_worker_and_tells_of_nothing_twice(
    database: Database, client: Client
) -> None:
    everybody, troubled = await scored_before(database)
    batches, address = CUSTOMERS // BATCH, client.service_client.config.target_host
    with forked(work, database.url, address, stops_at=batches // 2) as first:
        handle = await start(client)
        await first.reached()
    halfway = {row[0] for row in await rows(database, ScoreRow.customer_id)}
    told_by_then = await tier_notices(database)
    assert 0 < len(halfway) < CUSTOMERS
    with forked(work, database.url, address):
        total = await handle.result()
        progress = await handle.query(PortfolioScoringWorkflow.progress)

    assert total.scored == progress.total.scored == CUSTOMERS
    assert progress.shards == progress.done == CUSTOMERS // SHARD
    scores = await rows(database, ScoreRow.customer_id, ScoreRow.as_of)
    assert Counter(scores) == Counter((one, NOW.date()) for one in everybody)
    once = Counter(troubled)
    told = await tier_notices(database)
    assert told == once
    assert told_by_then <= told
    assert Counter(one for one, tier in await moves(database) if tier != RiskTier.LOW) == once
    assert set(Counter(await rows(database, AssessmentRow.customer_id)).values()) == {1}
    opened = Counter(await rows(database, SignalRow.customer_id, SignalRow.dedupe_key))
    assert opened
    assert set(opened.values()) == {1}
    news = Counter(
        await rows(database, OutboxRow.customer_id, OutboxRow.kind, OutboxRow.payload["kind"].astext)
    )
    assert set(news.values()) == {1}


async def tier_notices(database: Database) -> Counter[object]:
    """Return how often each customer's workflow is told of a change of tier."""
    found = await rows(database, OutboxRow.customer_id, OutboxRow.kind)
    return Counter(customer_id for customer_id, kind in found if kind is NoticeKind.TIER_CHANGED)


async def moves(database: Database) -> Sequence[Row]:
    """Return every change of tier that is kept, as the timeline of a customer shows them."""
    found = await rows(database, FieldPointRow.customer_id, FieldPointRow.field, FieldPointRow.value)
    return [(customer_id, value) for customer_id, field, value in found if field == "tier"]
