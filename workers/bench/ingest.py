"""How many events a second are durably stored through HTTP, beside COPY alone and the handler alone."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from models.clock import wall_now
from models.database import Session
from models.keys import KeyKind, create_key
from models.tracking_limit import checkpoint, copy_events, count_stored
from settings import Settings
from workers.bench.cpu import cpu_seconds
from workers.bench.homes import bench_home
from workers.bench.ingest_load import LoadOptions
from workers.bench.ingest_stack import BARE
from workers.bench.report import Report, percentile
from workers.console import in_transaction
from workers.embedded.control import start_detached, stop_running
from workers.embedded.runtime import StackState, locate

STACK = ("-m", "workers.bench.ingest_stack")
LOAD = ("-m", "workers.bench.ingest_load")
LIMIT, BEFORE = "copy-limit", "stored-before"
NAME = "bench"

Say = Callable[[str], None]


@dataclass(frozen=True)
class IngestOptions:
    """How long and how wide the load is, and how many events are stored before it."""

    seconds: float = 10.0
    batch: int = 100
    connections: int = 64
    stored: int = 0
    copied: int = 200_000
    """Events of each of the two measurements of COPY, before and after the load."""


def bench_ingest(settings: Settings, options: IngestOptions, say: Say) -> Report:
    """Start Postgres and the API in a home of their own, measure, and take it all away again."""
    began = time.perf_counter()
    with bench_home(settings) as home:
        state = start_detached(home, say, program=STACK)
        try:
            measured = _measure(locate(home), state, options, say)
        finally:
            stop_running(home)
    return _report(measured, options, time.perf_counter() - began)


@dataclass(frozen=True)
class _Measured:
    load: dict[str, Any]
    bare: dict[str, Any]
    copied: float
    stored: int
    different: int
    cpu: dict[str, float]


def _measure(settings: Settings, state: StackState, options: IngestOptions, say: Say) -> _Measured:
    url = settings.database_url or ""
    if options.stored:
        say(f"storing {options.stored} events before")
        copy_events(url, BEFORE, options.stored)
    key, source_id = in_transaction(settings, _write_key)
    copied = [_copied(url, options, say)]
    say(f"sending for {options.seconds:g} s")
    before = _spent(state)
    load = _load(settings.local_url, key, options)
    spent = {name: seconds - before[name] for name, seconds in _spent(state).items()}
    stored, different = count_stored(url, source_id)
    copied.append(_copied(url, options, say))
    say("sending to the handler alone")
    bare = _load(state.parts[BARE].where, key, options)
    return _Measured(load, bare, max(copied), stored, different, spent)


def _spent(state: StackState) -> dict[str, float]:
    """Return the processor time of both sides so far."""
    marks = {name: state.parts[name].mark for name in ("api", "postgres")}
    return {name: cpu_seconds(mark.pid) for name, mark in marks.items() if mark is not None}


async def _write_key(session: Session) -> tuple[str, str]:
    secret, key = await create_key(session, KeyKind.WRITE, wall_now(), name=NAME)
    return secret, key.source_id or ""


def _copied(url: str, options: IngestOptions, say: Say) -> float:
    say(f"copying {options.copied} events")
    checkpoint(url)
    rate = copy_events(url, LIMIT, options.copied)
    checkpoint(url)
    return rate


def _load(url: str, key: str, options: IngestOptions) -> dict[str, Any]:
    """Let the generator send, in its own process; return what it measured."""
    where = urlsplit(url)
    asked = LoadOptions(
        where.hostname or "", where.port or 0, key, options.seconds, options.batch, options.connections
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *LOAD], input=json.dumps(asdict(asked)), capture_output=True, text=True, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _report(measured: _Measured, options: IngestOptions, wall_seconds: float) -> Report:
    load, bare = measured.load, measured.bare
    rate, handled = load["acknowledged"] / load["seconds"], bare["acknowledged"] / bare["seconds"]
    spent = load["milliseconds"] or [0.0]
    return Report(
        "ingest",
        asdict(options),
        {
            "events_per_second": round(rate),
            "p50_ms": round(percentile(spent, 0.5), 2),
            "p99_ms": round(percentile(spent, 0.99), 2),
            "stored": measured.stored,
            "stored_once": measured.different,
            "sent": load["sent"],
            "refused": load["refused"],
            "cpu_us_per_event": {
                name: round(seconds / max(measured.stored, 1) * 1e6, 2)
                for name, seconds in measured.cpu.items()
            },
        },
        {
            "copy_events_per_second": round(measured.copied),
            "handler_events_per_second": round(handled),
        },
        {
            "of_copy": round(rate / measured.copied, 3),
            "of_handler": round(rate / max(handled, 1.0), 3),
        },
        wall_seconds,
    )
