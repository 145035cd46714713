"""The parts of the tracking API that live as long as the application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.datastructures import State

from api.tracking.intake import TrackingIntake
from api.tracking.keys import WriteKeys
from api.tracking.limits import RateLimit
from api.tracking.writer import TrackingWriter
from models.database import Database
from models.partitions import ensure_day

WRITER = "tracking_writer"
"""Where the benchmark of the handler alone leaves another kind of writer."""


@asynccontextmanager
async def tracking_running(app: Litestar) -> AsyncIterator[None]:
    """Write what comes in while the application runs; the clock must be open."""
    database: Database = app.state.database
    writer: TrackingWriter = app.state.get(WRITER, TrackingWriter)(database.url, app.state.clock)
    limit = RateLimit(app.state.settings.tracking_messages_per_second)
    app.state.intake = TrackingIntake(WriteKeys(database), limit, writer, app.state.clock)
    await ensure_day(database, app.state.clock.wall_now().date())
    writer.start()
    try:
        yield
    finally:
        await asyncio.to_thread(writer.stop)


def provide_intake(state: State) -> TrackingIntake:
    """Hand the intake to handlers."""
    intake: TrackingIntake = state.intake
    return intake
