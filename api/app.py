"""The composition root of the web application: the one place that knows everything concrete."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.plugins.pydantic import PydanticPlugin

from api.access_log import RequestIds, log_answer
from api.authentication import Authentication
from api.cookies import Cookies
from api.dependencies import dependencies
from api.errors import exception_handlers
from api.event_applier import EventApplier
from api.guards import enforce
from api.headers import header_hook
from api.openapi import openapi_config
from api.routes import routes
from api.server_timing import ServerTiming
from api.templating import template_config
from api.tracking.service import tracking_running
from api.upload_checks import UploadChecks
from models.changes import ChangeFeed
from models.clock import StoredClock, open_clock
from models.database import Database
from settings import Settings, SettingsError

MAX_BODY_BYTES = 1_000_000
"""Of a form or an API call; a route that takes more says so itself."""
CLOCK_SECONDS = 1.0
"""How often the clock's segments are read again, so that a change of pace shows."""


def create_app(settings: Settings) -> Litestar:
    """Wire the application. Nothing is connected before it starts."""
    database, cookies = _database(settings), Cookies(settings)
    app = Litestar(
        route_handlers=routes(settings),
        dependencies=dependencies(settings, database, cookies),
        middleware=[RequestIds(), ServerTiming(), Authentication(database, cookies, settings.signing_key)],
        guards=[enforce],
        exception_handlers=exception_handlers(),
        before_send=[header_hook(secure=cookies.secure), log_answer],
        template_config=template_config(),
        openapi_config=openapi_config(),
        lifespan=[_running, tracking_running],
        plugins=[PydanticPlugin(prefer_alias=True)],  # a document has the same names in YAML and here
        logging_config=None,
        request_max_body_size=MAX_BODY_BYTES,
    )
    app.state.update({"settings": settings, "database": database})
    return app


def _database(settings: Settings) -> Database:
    if settings.database_url is None:
        raise SettingsError(reason="EVERSTAY_DATABASE_URL: needed to serve the pages")
    return Database(settings.database_url, pool_size=settings.database_pool_size)


@asynccontextmanager
async def _running(app: Litestar) -> AsyncIterator[None]:
    """Open the clock and keep it true while the application runs; give every connection back after.

    What lives as long as one run is made here, so that an application that was stopped can start again.
    """
    database: Database = app.state.database
    app.state.update(
        {
            "clock": await open_clock(database),
            "stopping": asyncio.Event(),
            "applier": EventApplier(database),
            "upload_checks": UploadChecks(database),
            "changes": ChangeFeed(database.url),
        }
    )
    beside = [
        asyncio.create_task(_keep_true(app.state.clock, database)),
        asyncio.create_task(app.state.applier.run()),
    ]
    try:
        yield
    finally:
        app.state.stopping.set()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await app.state.upload_checks.stop()
        await database.close()


async def _keep_true(clock: StoredClock, database: Database) -> None:
    """Read the segments again and again; a database that is away for a while costs accuracy, not the task."""
    while True:
        await asyncio.sleep(CLOCK_SECONDS)
        if await database.is_up():
            await clock.refresh(database)
