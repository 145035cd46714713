"""The part of the embedded stack that the ingest benchmark needs: services, the API, and the API alone."""

import asyncio
import os
import socket
import sys
from dataclasses import replace

from domain.errors import EverstayError
from settings import Settings, load_settings
from workers.embedded.children import ChildSpec
from workers.embedded.parts import HEALTH_PATH, full_stack, resolve
from workers.embedded.ports import LOCAL
from workers.embedded.probes import http_answers
from workers.embedded.runtime import environment
from workers.embedded.stack import run_stack

API, BARE = "api", "bare-api"
NEEDED = ("postgres", "temporal", "migrations", "clock", API)
LOAD = {"EVERSTAY_TRACKING_MESSAGES_PER_SECOND": "1000000000", "EVERSTAY_LOG_LEVEL": "warning"}
"""The generator is one key; what one key may send is not what is measured."""


def ingest_children(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return the children, with the bare API on a port of its own."""
    kept = [spec for spec in full_stack(settings) if spec.name in NEEDED]
    ours = tuple(_alone(spec) for spec in kept)
    api = next(spec for spec in ours if spec.name == API)
    return (*ours, _bare(api, resolve(settings)))


def _alone(spec: ChildSpec) -> ChildSpec:
    needs = tuple(name for name in spec.depends_on if name in NEEDED)
    return replace(spec, depends_on=needs, environment={**spec.environment, **LOAD})


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


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    code = 0
    try:
        asyncio.run(run_stack(load_settings(), _say, auto_ports=True, children=ingest_children))
    except EverstayError as error:
        sys.stderr.write(f"{error}\n")
        code = error.exit_code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # as the command line itself does
