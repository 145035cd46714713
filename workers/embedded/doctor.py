"""`everstay doctor`: look at each part and say how to mend it."""

import json
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from domain.errors import EverstayError
from models import server
from models.clock import last_beat, load_timeline, wall_now
from models.database import Database
from settings import PREFIX, Settings
from workers.embedded import postgres, temporal
from workers.embedded.connection import connect_temporal
from workers.embedded.errors import StackNotRunningError
from workers.embedded.parts import HEALTH_PATH, WORKERS
from workers.embedded.pollers import last_poll
from workers.embedded.ports import is_free, port_fields, port_holder
from workers.embedded.probes import GOOD, http_status
from workers.embedded.runtime import locate, read_state

Verdict = Literal["fine", "wrong", "skipped"]
LEAST_PYTHON = (3, 11)
LEAST_FREE_GB = 2.0
SILENT_AFTER = timedelta(minutes=2)  # a worker's long poll ends within one minute
SEE_LOGS = "read its log in the logs folder of the home; then everstay down, everstay up"
LATE_BEAT = timedelta(seconds=15)


@dataclass(frozen=True)
class Finding:
    """One line of the doctor; `mend` is empty where nothing is wrong."""

    name: str
    verdict: Verdict
    detail: str
    mend: str = ""


Check = Callable[[Settings], Awaitable[Finding]]


async def examine(settings: Settings) -> list[Finding]:
    """Check the machine, then (if the stack runs, or the settings name their own) every running part."""
    found = [python_version(), disk_space(settings), home_folder(settings), binaries()]
    try:
        located = locate(settings)
    except StackNotRunningError as error:
        return [*found, *ports(settings), Finding("stack", "wrong", str(error), "make up")]
    return found + [await _guarded(name, check, located) for name, check in CHECKS.items()]


async def _guarded(name: str, check: Check, settings: Settings) -> Finding:
    """Turn whatever a check meets into a finding: a doctor does not faint."""
    try:
        return await check(settings)
    except Exception as error:  # noqa: BLE001 - see above
        reason = str(error).split("\n", 1)[0] or type(error).__name__
        return Finding(name, "wrong", reason, SEE_LOGS)


def python_version() -> Finding:
    """Check the interpreter."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] >= LEAST_PYTHON:
        return Finding("python", "fine", found)
    return Finding(
        "python", "wrong", found, "use Python 3.11 or newer: make clean, then make setup PYTHON=python3.11"
    )


def disk_space(settings: Settings) -> Finding:
    """Check that the home has room to grow."""
    place = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    free = shutil.disk_usage(place).free / 1e9
    detail = f"{free:.1f} GB free at {place}"
    mend = f"free at least {LEAST_FREE_GB:.0f} GB, or move the home with {PREFIX}HOME"
    return (
        Finding("disk", "fine", detail) if free >= LEAST_FREE_GB else Finding("disk", "wrong", detail, mend)
    )


def home_folder(settings: Settings) -> Finding:
    """Check that the home is ours and closed to others."""
    home = settings.home
    if not home.exists():
        return Finding("home", "skipped", f"{home} is made at the first start")
    state = home.stat()
    if not os.access(home, os.W_OK | os.X_OK) or state.st_uid != os.geteuid():
        return Finding(
            "home",
            "wrong",
            f"{home} belongs to another user",
            f"chown -R $(id -u) {home}, or set {PREFIX}HOME",
        )
    if state.st_mode & 0o066:
        return Finding("home", "wrong", f"others may read {home}", f"chmod go-rw {home}")
    return Finding("home", "fine", str(home))


def binaries() -> Finding:
    """Check that Postgres and Temporal came with their packages."""
    try:
        places = (postgres.binary("postgres"), postgres.binary("initdb"), temporal.binary())
    except EverstayError as error:
        return Finding("binaries", "wrong", str(error), "make setup")
    return Finding("binaries", "fine", ", ".join(place.name for place in places))


def ports(settings: Settings) -> Iterable[Finding]:
    """Check, before a start, that every port is free."""
    for field, what in port_fields(settings).items():
        port = int(getattr(settings, field))
        if is_free(port):
            yield Finding(f"port {port}", "fine", f"free for {what}")
        else:
            holder = port_holder(port) or "a process of another user"
            mend = f"end it, set {PREFIX}{field.upper()}, or start with --auto-ports"
            yield Finding(f"port {port}", "wrong", f"wanted for {what}, taken by {holder}", mend)


async def postgres_answers(settings: Settings) -> Finding:
    """Check that Postgres takes queries."""
    return Finding("postgres", "fine", f"version {await server.server_version(settings.database_url or '')}")


async def schema_is_newest(settings: Settings) -> Finding:
    """Check that every migration has run."""
    url = settings.database_url or ""
    found, wanted = await server.schema_revision(url), server.newest_revision(url)
    if found == wanted:
        return Finding("schema", "fine", f"revision {found}")
    return Finding("schema", "wrong", f"revision {found}, this code wants {wanted}", "everstay migrate")


async def temporal_knows_us(settings: Settings) -> Finding:
    """Check namespace and search attributes."""
    client = await connect_temporal(settings)
    missing = await temporal.missing_search_attributes(client)
    if not missing:
        return Finding("temporal", "fine", f"namespace {client.namespace}, all search attributes")
    words = " ".join(f"--name {name} --type {temporal.SEARCH_ATTRIBUTES[name]}" for name in missing)
    mend = f"temporal operator search-attribute create --namespace {client.namespace} {words}"
    return Finding("temporal", "wrong", f"search attributes are missing: {', '.join(missing)}", mend)


async def workers_poll(settings: Settings) -> Finding:
    """Check that every task queue has a worker."""
    client, now, silent = await connect_temporal(settings), datetime.now(UTC), []
    for queue in (queue for queues in WORKERS.values() for queue in queues):
        polled = await last_poll(client, queue)
        if polled is None or now - polled > SILENT_AFTER:
            silent.append(queue)
    if not silent:
        return Finding("workers", "fine", "every task queue is polled")
    return Finding("workers", "wrong", f"nobody polls {', '.join(silent)}", SEE_LOGS)


async def api_answers(settings: Settings) -> Finding:
    """Check the pages."""
    return await _page("api", settings.local_url + HEALTH_PATH)


async def simulators_answer(settings: Settings) -> Finding:
    """Check the local providers, where mail goes to them."""
    if not settings.mails_to_simulator:
        return Finding("simulators", "skipped", f"mail goes to {settings.smtp_url or settings.sendgrid_url}")
    return await _page("simulators", settings.simulators_url)


async def _page(name: str, url: str) -> Finding:
    code = await http_status(url)
    return (
        Finding(name, "fine", url) if code in GOOD else Finding(name, "wrong", f"{url} says {code}", SEE_LOGS)
    )


async def parts_are_healthy(settings: Settings) -> Finding:
    """Check what the supervisor says of its children."""
    state = read_state(settings.home)
    if state is None or not state.is_alive():
        return Finding("parts", "skipped", "these services are not run by `everstay up`")
    ill = [name for name, part in state.parts.items() if not part.healthy]
    if ill:
        return Finding("parts", "wrong", f"not healthy: {', '.join(ill)}", SEE_LOGS)
    return Finding("parts", "fine", f"{len(state.parts)} healthy")


async def clock_goes(settings: Settings) -> Finding:
    """Check that business time has begun and that somebody keeps its heartbeat."""
    database = Database(settings.database_url or "", pool_size=1)
    try:
        async with database.transaction() as session:
            timeline, beat = await load_timeline(session), await last_beat(session)
    finally:
        await database.close()
    if timeline is None or beat is None:
        return Finding("clock", "wrong", "business time has not begun", "everstay down; everstay up")
    silent = wall_now() - beat
    if silent > LATE_BEAT:
        return Finding("clock", "wrong", f"no heartbeat for {silent}", "the relay keeps it: see relay.log")
    now, rate = timeline.business_at(wall_now()), timeline.segments[-1].rate
    return Finding("clock", "fine", f"business time {now:%Y-%m-%d %H:%M}, rate {rate:g}")


CHECKS: dict[str, Check] = {
    "parts": parts_are_healthy,
    "postgres": postgres_answers,
    "schema": schema_is_newest,
    "temporal": temporal_knows_us,
    "clock": clock_goes,
    "workers": workers_poll,
    "api": api_answers,
    "simulators": simulators_answer,
}


def as_text(findings: list[Finding]) -> str:
    """Return the findings for people."""
    return "\n".join(_line(finding) for finding in findings)


def _line(finding: Finding) -> str:
    mend = f"\n{'':24}mend: {finding.mend}" if finding.mend else ""
    return f"{finding.verdict:8} {finding.name:14} {finding.detail}{mend}"


def to_json(findings: list[Finding]) -> str:
    """Return the findings for scripts."""
    wrong = any(finding.verdict == "wrong" for finding in findings)
    return json.dumps({"healthy": not wrong, "findings": [asdict(finding) for finding in findings]}, indent=2)
