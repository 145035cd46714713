"""The part of the embedded stack that the ingest benchmark needs: services, the API, and the API alone."""

import socket
import sys
from dataclasses import replace

from settings import Settings
from workers.bench.child_stack import alone, serve
from workers.embedded.children import ChildSpec
from workers.embedded.parts import HEALTH_PATH, full_stack, resolve
from workers.embedded.ports import LOCAL
from workers.embedded.probes import http_answers
from workers.embedded.runtime import environment

API, BARE = "api", "bare-api"
NEEDED = ("postgres", "temporal", "migrations", "clock", API)
LOAD = {"EVERSTAY_TRACKING_MESSAGES_PER_SECOND": "1000000000", "EVERSTAY_LOG_LEVEL": "warning"}
"""The generator is one key; what one key may send is not what is measured."""


def ingest_children(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return the children, with the bare API on a port of its own."""
    kept = [spec for spec in full_stack(settings) if spec.name in NEEDED]
    ours = tuple(alone(spec, NEEDED, LOAD) for spec in kept)
    api = next(spec for spec in ours if spec.name == API)
    return (*ours, _bare(api, resolve(settings)))


def _bare(api: ChildSpec, settings: Settings) -> ChildSpec:
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        port = probe.getsockname()[1]
    url = f"http://{LOCAL}:{port}"
    own = environment(settings.model_copy(update={"api_port": port}))
    return replace(
        api,
        name=BARE,
        command=(sys.executable, "-m", "cli", "serve", "bare-api"),
        ready=http_answers(url + HEALTH_PATH),
        where=url,
        port=port,
        environment={**api.environment, **own},
    )


if __name__ == "__main__":
    serve(ingest_children)
