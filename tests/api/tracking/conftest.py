import base64
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import text

from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from tests.support.web import Client, web_client, web_settings


@dataclass(frozen=True)
class Tracker:
    """A client with a write key, and a look at what became of what it sent."""

    client: Client
    database: Database
    key: str

    @property
    def basic(self) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(f"{self.key}:".encode()).decode()}

    async def post(self, path: str, body: Any, **headers: str) -> Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(path, content=content, headers={**self.basic, **headers})

    async def post_zipped(self, path: str, body: Any, **headers: str) -> Response:
        zipped = gzip.compress(json.dumps(body).encode())
        return await self.post(path, zipped, **{"content-encoding": "gzip", **headers})

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.database.transaction() as session:
            return [tuple(row) for row in await session.execute(text(query))]

    async def events(self, columns: str = "message_id") -> list[tuple[Any, ...]]:
        return await self.rows(f"SELECT {columns} FROM tracked_events ORDER BY batch_id, position")  # noqa: S608 - columns of the tests

    async def quarantined(self) -> list[tuple[Any, ...]]:
        return await self.rows("SELECT line, field, reason, raw FROM quarantined_rows ORDER BY line")


@pytest.fixture
async def tracker(client: Client, database: Database) -> Tracker:
    return await tracker_of(client, database)


@pytest.fixture
async def slow_tracker(database: Database, database_url: str) -> AsyncIterator[Tracker]:
    """One whose key may send little."""
    async with web_client(web_settings(database_url, tracking_messages_per_second=5)) as client:
        yield await tracker_of(client, database)


async def tracker_of(client: Client, database: Database) -> Tracker:
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.WRITE, wall_now(), name="Web app")
    return Tracker(client, database, secret)
