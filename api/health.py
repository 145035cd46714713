"""Is it alive, and is it ready: for supervisors, containers and load balancers."""

import asyncio
import importlib.metadata
from typing import Literal

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from pydantic import BaseModel

from api.guards import PUBLIC
from models.database import Database
from settings import Settings

LOCAL = "127.0.0.1"
WAIT_SECONDS = 1.0

Part = Literal["ok", "unreachable"]


class Health(BaseModel):
    """What is well. It names no address: the answer is open to all."""

    healthy: bool
    version: str
    database: Part
    temporal: Part


def version() -> str:
    """Return the version of the installed package."""
    return importlib.metadata.version("everstay")


@get(["/health", "/healthz"], opt=PUBLIC, tags=["Health"])
async def healthz(
    database: NamedDependency[Database], settings: NamedDependency[Settings]
) -> Response[Health]:
    """Say what is reachable; 503 only where nothing works, which is without the database."""
    health = await _examine(database, settings)
    return Response(health, status_code=200 if health.database == "ok" else 503)


@get(
    "/readyz",
    opt=PUBLIC,
    tags=["Health"],
    responses={503: ResponseSpec(Health, description="Something that it needs does not answer.")},
)
async def readyz(
    database: NamedDependency[Database], settings: NamedDependency[Settings]
) -> Response[Health]:
    """Say whether requests may come: 503 until database and Temporal answer."""
    health = await _examine(database, settings)
    return Response(health, status_code=200 if health.healthy else 503)


async def _examine(database: Database, settings: Settings) -> Health:
    stored, temporal = await asyncio.gather(_database(database), _temporal(settings))
    return Health(
        healthy=stored and temporal, version=version(), database=_word(stored), temporal=_word(temporal)
    )


def _word(is_well: bool) -> Part:  # noqa: FBT001  a word for yes and a word for no
    return "ok" if is_well else "unreachable"


async def _database(database: Database) -> bool:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            return await database.is_up()
    except TimeoutError:
        return False


async def _temporal(settings: Settings) -> bool:
    """Whether its port takes connections; what the workers poll is theirs to report."""
    host, _, port = (settings.temporal_address or f"{LOCAL}:{settings.temporal_port}").rpartition(":")
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
