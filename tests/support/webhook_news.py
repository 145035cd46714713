"""Something that happens to a customer, for whoever subscribes to it."""

import uuid

from sqlalchemy import insert

from domain.vocabulary import Severity, SignalKind, SignalState
from models.database import Database
from models.tables.scoring import SignalRow
from tests.support.steps import MONDAY


async def some_news(database: Database, customer_id: uuid.UUID, kind: SignalKind) -> None:
    """Open a signal."""
    async with database.transaction() as session:
        await session.execute(
            insert(SignalRow).values(
                id=uuid.uuid4(),
                customer_id=customer_id,
                kind=kind,
                dedupe_key=f"news/{kind.value}",
                severity=Severity.HIGH,
                state=SignalState.OPEN,
                title="It was seen",
                evidence={},
                is_baseline=False,
                opened_at=MONDAY,
                updated_at=MONDAY,
            )
        )
