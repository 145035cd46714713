"""Where facts come from: sources with their rhythm, what each told per day, connections, keys, imports."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.scoring_policy import FreshnessPolicy
from domain.source_state import SourceState, Voice, state_of
from domain.time import BusinessInstant, WallInstant
from models.asked_objects import ASKED
from models.clock import load_timeline
from models.connections import list_connections
from models.pulls import PullRun, list_runs
from models.quarantine import OPEN
from models.tables.connections import ConnectionRow, UploadRow, WebhookDeliveryRow
from models.tables.data import ImportRunRow, QuarantinedRow, SourceRow
from models.tables.people import ApiKeyRow
from models.tables.tracking import HeldEventRow, SourceDayRow

PAGE_SIZE = 50
DAYS_SHOWN = 28


@dataclass(frozen=True)
class SourceDay:
    """What a source told on one day of receipt, all kinds together."""

    day: dt.date
    received: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class SourceLine:
    """One place that facts come from, and how fresh it is."""

    id: str
    name: str
    kind: str
    provides: list[str]
    connected_at: BusinessInstant
    rhythm_hours: float | None
    last_fact_at: BusinessInstant | None
    last_received_at: WallInstant | None = None
    state: SourceState = SourceState.NEVER_SPOKE
    lag_hours: float | None = None
    waiting: int = 0
    """Rows in quarantine."""
    provider: str | None = None
    pull_every_seconds: float | None = None
    days: tuple[SourceDay, ...] = ()


@dataclass(frozen=True)
class ImportLine:
    """One import with its counts added up: rows read are those stored, known already, or quarantined."""

    id: uuid.UUID
    source: str
    mapping: str
    state: str
    error: str | None
    started_at: WallInstant
    finished_at: WallInstant | None
    files: int
    read: int
    stored: int
    duplicates: int
    quarantined: int
    upload_id: uuid.UUID | None = None
    upload_state: str | None = None
    share: float = 0.0


@dataclass(frozen=True)
class PullLine:
    """One pass of a pull: over one stream, or added up over those of a connection."""

    source: str
    stream: str
    state: str
    read: int
    stored: int
    duplicates: int
    quarantined: int
    error: str | None
    started_at: WallInstant
    finished_at: WallInstant | None


@dataclass(frozen=True)
class KeyLine:
    """One living write key, without the secret."""

    name: str
    prefix: str
    source: str | None
    created_at: WallInstant
    last_used_at: WallInstant | None


@dataclass(frozen=True)
class Waiting:
    """What waits for a person, by place."""

    quarantined: int = 0
    held: int = 0
    failed_deliveries: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    """Rows in quarantine, by source."""


async def load_waiting(session: AsyncSession) -> Waiting:
    """Return how much waits, and where."""
    row = QuarantinedRow
    query = select(row.source_id, func.count()).where(row.state == OPEN).group_by(row.source_id)
    counts = dict((await session.execute(query)).all())
    held = await session.scalar(select(func.count()).select_from(HeldEventRow))
    failed = select(func.count()).select_from(WebhookDeliveryRow).where(WebhookDeliveryRow.state == "failed")
    return Waiting(sum(counts.values()), held or 0, await session.scalar(failed) or 0, counts)


async def load_sources(
    session: AsyncSession, now: BusinessInstant | None = None, today: dt.date | None = None
) -> list[SourceLine]:
    """Return every source by name, those of uploads last; `today` is the machine's day of receipt."""
    row, connection = SourceRow, ConnectionRow
    query = select(
        row.id,
        row.name,
        row.kind,
        row.provides,
        row.connected_at,
        row.rhythm_hours,
        row.last_fact_at,
        row.last_received_at,
        connection.provider,
        connection.pull_every_seconds,
        connection.paused_at,
    ).outerjoin(connection, connection.source_id == row.id)
    found = (await session.execute(query.order_by(row.kind == "upload", row.name, row.id))).all()
    days = await _days(session, today) if today is not None else {}
    waiting = (await load_waiting(session)).counts
    timeline = await load_timeline(session)
    lines = []
    for each in found:
        heard = _heard(each, timeline)
        voice = Voice(each.kind, each.rhythm_hours, heard, each.paused_at is not None)
        state = state_of(voice, now or heard or each.connected_at, FreshnessPolicy())
        lag = None if now is None or heard is None else max(0.0, (now - heard).total_seconds() / 3600)
        lines.append(
            SourceLine(
                *each[:8],
                state,
                lag,
                waiting.get(each.id, 0),
                each.provider,
                each.pull_every_seconds,
                _filled(days.get(each.id, {}), today),
            )
        )
    return lines


def _heard(each: Any, timeline: Any) -> BusinessInstant | None:
    received = each.last_received_at
    if received is None:
        fact: BusinessInstant | None = each.last_fact_at
        return fact
    heard = BusinessInstant(received) if timeline is None else timeline.business_at(received)
    return heard if each.last_fact_at is None else max(heard, each.last_fact_at)


async def _days(session: AsyncSession, today: dt.date) -> dict[str, dict[dt.date, SourceDay]]:
    row = SourceDayRow
    sums = [func.sum(getattr(row, name)) for name in ("received", "stored", "duplicates", "quarantined")]
    query = select(row.source_id, row.day, *sums).where(row.day > today - dt.timedelta(days=DAYS_SHOWN))
    found: dict[str, dict[dt.date, SourceDay]] = {}
    for source_id, day, *counts in await session.execute(query.group_by(row.source_id, row.day)):
        found.setdefault(source_id, {})[day] = SourceDay(day, *(int(count) for count in counts))
    return found


def _filled(days: Mapping[dt.date, SourceDay], today: dt.date | None) -> tuple[SourceDay, ...]:
    if today is None or not days:
        return ()
    past = (today - dt.timedelta(days=back) for back in range(DAYS_SHOWN - 1, -1, -1))
    return tuple(days.get(day, SourceDay(day)) for day in past)


def _total(files: dict[str, Any], name: str) -> int:
    return sum(int(each.get(name) or 0) for each in files.values())


async def load_imports(session: AsyncSession, import_id: uuid.UUID | None = None) -> Sequence[ImportLine]:
    """Return the newest imports, or one."""
    row = ImportRunRow
    columns = (row.id, SourceRow.name, row.mapping, row.state, row.error, row.started_at, row.finished_at)
    query = (
        select(*columns, row.files, UploadRow.id, UploadRow.state)
        .join(SourceRow, SourceRow.id == row.source_id)
        .outerjoin(UploadRow, UploadRow.import_run_id == row.id)
        .order_by(row.started_at.desc())
        .limit(PAGE_SIZE)
    )
    if import_id is not None:
        query = query.where(row.id == import_id)
    return [_import_line(each) for each in await session.execute(query)]


def _import_line(row: Any) -> ImportLine:
    files = row.files
    counts = [_total(files, name) for name in ("stored", "duplicates", "quarantined")]
    values: list[Any] = [*row[:7], len(files), sum(counts), *counts, *row[8:], _share(files)]
    return ImportLine(*values)


def _share(files: dict[str, Any]) -> float:
    """Return how much of the bytes has been read."""
    size = _total(files, "size")
    read = sum(int((each.get("position") or {}).get("offset") or 0) for each in files.values())
    return min(1.0, read / size) if size else 0.0


async def load_pulls(session: AsyncSession, source_id: str | None = None) -> list[PullLine]:
    """Return the newest passes over one connection or over all, one stream each."""
    lines = [
        _pull_line(connection.name, run)
        for connection in await list_connections(session)
        if source_id in {None, connection.source_id}
        for run in await list_runs(session, connection.source_id, PAGE_SIZE)
    ]
    return sorted(lines, key=lambda line: line.started_at, reverse=True)[:PAGE_SIZE]


def _pull_line(source: str, run: PullRun) -> PullLine:
    counts = (run.read, run.stored, run.duplicates, run.quarantined)
    return PullLine(source, run.stream, run.state, *counts, run.error, run.started_at, run.finished_at)


async def load_newest_pulls(session: AsyncSession) -> list[PullLine]:
    """Return of every connection that is read how its newest pass over each stream went, added up."""
    lines: list[PullLine] = []
    for connection in await list_connections(session):
        newest: dict[str, PullLine] = {}
        for run in await list_runs(session, connection.source_id, PAGE_SIZE):
            newest.setdefault(run.stream, _pull_line(connection.name, run))
        lines += [_added_up(list(newest.values()))] if newest else []
    return lines


def _added_up(lines: Sequence[PullLine]) -> PullLine:
    """Return one line for a connection: what is under way or went wrong counts before what went well."""
    ranks = ("failed", "running")
    worst = min(lines, key=lambda one: ranks.index(one.state) if one.state in ranks else len(ranks))
    sums = {
        name: sum(getattr(one, name) for one in lines)
        for name in ("read", "stored", "duplicates", "quarantined")
    }
    streams = worst.stream if worst.state in ranks else f"{sum(one.stream != ASKED for one in lines)} streams"
    return replace(worst, stream=streams, started_at=max(one.started_at for one in lines), **sums)


async def load_write_keys(session: AsyncSession) -> list[KeyLine]:
    """Return the living write keys."""
    row = ApiKeyRow
    query = (
        select(row.name, row.prefix, SourceRow.name, row.created_at, row.last_used_at)
        .outerjoin(SourceRow, SourceRow.id == row.source_id)
        .where(row.kind == "write", row.revoked_at.is_(None))
        .order_by(row.created_at.desc(), row.id)
    )
    return [KeyLine(*each) for each in await session.execute(query)]
