"""Where facts come from: sources with their rhythm, what each told per day, connections, keys, imports."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.source_state import SourceState, state_of
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Timeline
from models.asked_objects import ASKED
from models.pulls import PullRun, newest_runs
from models.quarantine import OPEN
from models.scores import load_policy
from models.source_voices import load_talking_sources
from models.tables.connections import UploadRow, WebhookDeliveryRow
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
    last_received_at: WallInstant | None
    state: SourceState
    lag_hours: float | None
    waiting: int
    """Rows in quarantine."""
    provider: str | None
    pull_every_seconds: float | None
    days: tuple[SourceDay, ...]


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
class KeyLine:
    """One living write key, without the secret."""

    name: str
    prefix: str
    source: str | None
    created_at: WallInstant
    last_used_at: WallInstant | None


@dataclass(frozen=True)
class Waiting:
    """What waits for a person, by place; what is in quarantine is told with its source."""

    held: int
    failed_deliveries: int


async def load_waiting(session: AsyncSession) -> Waiting:
    """Return how much waits, and where."""
    held = select(func.count()).select_from(HeldEventRow).scalar_subquery()
    failed = select(func.count()).where(WebhookDeliveryRow.state == "failed").scalar_subquery()
    return Waiting(*(await session.execute(select(held, failed))).one())


async def load_sources(session: AsyncSession, timeline: Timeline, wall: WallInstant) -> list[SourceLine]:
    """Return how every source is doing by the tenant's policy; its days are the machine's, of receipt."""
    now, today = timeline.business_at(wall), wall.date()
    policy = (await load_policy(session)).freshness
    days, waiting = await _days(session, today), await _in_quarantine(session)
    return [
        SourceLine(
            source.id,
            source.name,
            source.kind,
            source.provides,
            source.connected_at,
            source.voice.rhythm_hours,
            source.last_fact_at,
            source.last_received_at,
            state_of(source.voice, now, policy),
            _hours_since(source.voice.heard_at, now),
            waiting.get(source.id, 0),
            source.provider,
            source.pull_every_seconds,
            _filled(days.get(source.id, {}), today),
        )
        for source in await load_talking_sources(session, timeline)
    ]


def _hours_since(heard: BusinessInstant | None, now: BusinessInstant) -> float | None:
    return None if heard is None else max(0.0, (now - heard).total_seconds() / 3600)


async def _in_quarantine(session: AsyncSession) -> dict[str, int]:
    row = QuarantinedRow
    query = select(row.source_id, func.count()).where(row.state == OPEN).group_by(row.source_id)
    return dict((await session.execute(query)).all())


async def _days(session: AsyncSession, today: dt.date) -> dict[str, dict[dt.date, SourceDay]]:
    row = SourceDayRow
    sums = [func.sum(getattr(row, name)) for name in ("received", "stored", "duplicates", "quarantined")]
    query = select(row.source_id, row.day, *sums).where(row.day > today - dt.timedelta(days=DAYS_SHOWN))
    found: dict[str, dict[dt.date, SourceDay]] = {}
    for source_id, day, *counts in await session.execute(query.group_by(row.source_id, row.day)):
        found.setdefault(source_id, {})[day] = SourceDay(day, *(int(count) for count in counts))
    return found


def _filled(days: Mapping[dt.date, SourceDay], today: dt.date) -> tuple[SourceDay, ...]:
    if not days:
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


async def load_newest_pulls(session: AsyncSession) -> list[PullRun]:
    """Return of every connection that is read how its newest pass over each stream went, added up."""
    by_source: dict[str, list[PullRun]] = {}
    for run in await newest_runs(session):
        by_source.setdefault(run.source, []).append(run)
    return [_added_up(runs) for _, runs in sorted(by_source.items())]


def _added_up(lines: Sequence[PullRun]) -> PullRun:
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
