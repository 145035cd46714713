"""The handler without a database behind it: the limit that the ingest benchmark compares with."""

from collections.abc import Sequence

from api.app import create_app
from api.server import build_server, tune_interpreter
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
    app = create_app(settings)
    app.state[WRITER] = BareWriter
    server = build_server(settings, app)
    tune_interpreter()
    server.run()
