"""The handler without a database behind it: the limit that the ingest benchmark compares with."""

from collections.abc import Sequence

from api.server import build_server, spare_collector
from api.tracking.service import WRITER
from api.tracking.writer import TrackingWriter
from domain.tracked_message import BadMessage, Message
from settings import Settings


class BareWriter(TrackingWriter):
    """Takes everything and keeps nothing."""

    async def store(self, source_id: str, good: Sequence[Message], bad: Sequence[BadMessage]) -> None:
        """Return at once."""


def run_bare(settings: Settings) -> None:
    """Serve until SIGTERM."""
    server = build_server(settings)
    server.config.app.state[WRITER] = BareWriter  # type: ignore[union-attr]  # the application itself, not its name
    spare_collector()
    server.run()
