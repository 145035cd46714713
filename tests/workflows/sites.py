"""Installations of a test: a database of its own, a namespace of its own."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models.database import Database
from tests.support.devserver import DevServer
from tests.support.postgres import create_database, drop_database
from tests.workflows.kills import Site


@asynccontextmanager
async def running_site(
    postgres_url: str, template: str, server: DevServer, simulator: str = "", *, has_look_up: bool = True
) -> AsyncIterator[Site]:
    """Yield an installation that is gone afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    database = Database(create_database(postgres_url, name, template))
    try:
        yield Site(
            database,
            await server.client(),
            server.address,
            simulator or "http://127.0.0.1:9",  # nothing listens on the discard port
            has_look_up,
        )
    finally:
        await database.close()
        drop_database(postgres_url, name)
