"""Tracked messages put into the database as the tracking API stores them, without the API."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import insert

from domain.time import BusinessInstant, WallInstant
from models.database import Database
from models.tables.tracking import TrackedEventRow, TrackingBatchRow
from tests.support.facts import day

PRODUCT = "product"
NOW = day(3, 1, 12)
RECEIVED = WallInstant(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC))
Message = dict[str, Any]


def message(kind: str = "track", **said: Any) -> Message:
    """One message; give user, anonymous, group, name, at, properties."""
    at: BusinessInstant = said.get("at", NOW)
    return {
        "kind": kind,
        "name": said.get("name", "search" if kind == "track" else None),
        "user_key": said.get("user"),
        "anonymous_key": said.get("anonymous"),
        "group_key": said.get("group"),
        "occurred_at": at,
        "known_at": said.get("known_at", NOW),
        "properties": said.get("properties"),
        "message_id": said.get("id") or uuid.uuid4().hex,
    }


async def track(
    database: Database, *messages: Message, source_id: str = PRODUCT, received: WallInstant = RECEIVED
) -> None:
    """Store messages as one batch that waits."""
    async with database.transaction() as session:
        statement = insert(TrackingBatchRow).values(received_at=received, events=len(messages))
        batch = await session.scalar(statement.returning(TrackingBatchRow.id))
        rows = [
            one | {"received_at": received, "batch_id": batch, "position": place, "source_id": source_id}
            for place, one in enumerate(messages)
        ]
        if rows:
            await session.execute(insert(TrackedEventRow), rows)
