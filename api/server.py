"""The web server: uvicorn, told to stop quickly and to believe no header that it was not told to believe."""

import asyncio
import gc
import sys
from types import FrameType

import uvicorn
from litestar import Litestar

from api.app import create_app
from api.tracking.fast_lane import FastLane
from settings import Settings

GRACE_SECONDS = 3
"""Open requests may end in this time after SIGTERM; the supervisor kills later than that."""
SWITCH_SECONDS = 0.0005
COLLECT = (20_000, 20, 50)
"""After so many new objects, young collections, older ones; Python's own 700, 10, 10 suit small programs."""
KEEP_ALIVE_SECONDS = 65
"""Longer than common proxies keep theirs, so that they never send into a closed connection."""


class ApiServer(uvicorn.Server):
    """Ends open streams as soon as it is told to stop, and then ends with success."""

    def __init__(self, config: uvicorn.Config, app: Litestar) -> None:
        """Take the application, whose streams watch an event for their end."""
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  uvicorn passes both
        """Stop at the first signal and at once at the second. Uvicorn would raise the signal again after."""
        self.force_exit = self.should_exit
        self.should_exit = True
        stopping: asyncio.Event | None = self._app.state.get("stopping")
        if stopping is not None:  # it has started
            stopping.set()


def run_api(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    server = build_server(settings)
    tune_interpreter()
    server.run()
    if not server.started:
        raise SystemExit(1)


def tune_interpreter() -> None:
    """Suit Python to thousands of events under way, read in one thread and written in others.

    The garbage collector leaves alone what lives as long as the process and comes by less often: else it
    walks through the whole application again and again. And threads give way sooner: with Python's own 5 ms,
    a writer that has its answer from Postgres waits longer to go on than the answer took.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


def build_server(settings: Settings, app: Litestar | None = None) -> ApiServer:
    """Return the server, not yet started; without an application, of the usual one."""
    app = app or create_app(settings)
    proxies = settings.trusted_proxies
    config = uvicorn.Config(
        FastLane(app),
        host=settings.api_host,
        port=settings.api_port,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        proxy_headers=proxies is not None,
        forwarded_allow_ips=proxies,
        server_header=False,
        access_log=False,
        log_config=None,
        lifespan="on",
    )
    return ApiServer(config, app)
