"""Keeping the daily partitions: made ahead, so that no event waits for one, and dropped by retention."""

import datetime as dt
from dataclasses import dataclass

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import WallInstant
from models.database import Database
from models.tables.usage_partitions import PARTITIONED, PATTERN, create_partition_sql, partition_name

AHEAD_DAYS = 7
AT_ONCE = 50_000
"""Ids that one transaction forgets."""
_PATIENCE = "SET LOCAL lock_timeout = '2s'"
"""Making a partition waits for whoever writes to its table, and who comes after waits for it."""
_EXISTS = "SELECT to_regclass(:name) IS NOT NULL"
_STRAYS = "SELECT EXISTS (SELECT FROM {table}_rest WHERE received_at >= :since AND received_at < :until)"
_ADOPT = (
    "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
    "CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
    """
    WITH moved AS (
        DELETE FROM {table}_rest WHERE received_at >= '{since}' AND received_at < '{until}' RETURNING *
    ) INSERT INTO {name} SELECT * FROM moved
    """,
    "ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{since}') TO ('{until}')",
)
_PARTITIONS = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:parent)
"""
_FORGET = """
DELETE FROM tracked_seen WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM tracked_seen WHERE received_on < :before LIMIT :most
))
"""


@dataclass(frozen=True)
class Retention:
    """How many days of receipt are kept; None keeps all."""

    tracked_days: int | None = None
    usage_days: int | None = None

    def days(self, table: str) -> int | None:
        """Return the days of one table."""
        return self.tracked_days if table == "tracked_events" else self.usage_days


@dataclass(frozen=True)
class Kept:
    """What one round made, dropped and forgot."""

    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    forgotten: int = 0


async def keep_partitions(database: Database, wall: WallInstant, retention: Retention) -> Kept:
    """Make the partitions of the coming days and drop what is older than its retention; once a day is enough.

    Each is its own short transaction. One that a lock holds up is left to the next round: without its
    partition, a day's events go to the partition of the rest, and are moved when it is made.
    """
    today = wall.date()
    made: list[str] = []
    dropped: list[str] = []
    for table in PARTITIONED:
        for ahead in range(AHEAD_DAYS + 1):
            made += await _try(database, table, today + dt.timedelta(days=ahead))
        days = retention.days(table)
        if days is not None:
            dropped += await _drop(database, table, today - dt.timedelta(days=days))
    forgotten = 0
    if retention.tracked_days is not None:
        forgotten = await _forget(database, today - dt.timedelta(days=retention.tracked_days))
    return Kept(tuple(made), tuple(dropped), forgotten)


async def ensure_day(database: Database, day: dt.date) -> None:
    """Make the partition of tracked events of one day, if that can be done at once."""
    await _try(database, "tracked_events", day)


async def _try(database: Database, table: str, day: dt.date) -> list[str]:
    try:
        async with database.transaction() as session:
            is_new = await make_partition(session, table, day)
    except DBAPIError as error:
        reason = type(error.orig).__name__
        structlog.get_logger("partitions").warning(
            "no partition made", table=table, day=str(day), reason=reason
        )
        return []
    return [partition_name(day, table)] if is_new else []


async def make_partition(session: AsyncSession, table: str, day: dt.date) -> bool:
    """Make the partition of a day, with what of that day lies among the rest; say whether it is new."""
    name, until = partition_name(day, table), day + dt.timedelta(days=1)
    if await session.scalar(text(_EXISTS), {"name": name}):
        return False
    await session.execute(text(_PATIENCE))
    bounds = {"since": _midnight(day), "until": _midnight(until)}
    if not await session.scalar(text(_STRAYS.format(table=table)), bounds):
        await session.execute(text(create_partition_sql(day, table)))
        return True
    for statement in _ADOPT:
        words = {"table": table, "name": name, "since": f"{day} 00:00+00", "until": f"{until} 00:00+00"}
        await session.execute(text(statement.format(**words).replace(":", r"\:")))
    return True


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


async def _drop(database: Database, table: str, before: dt.date) -> list[str]:
    """Drop whole days, and delete what old days left among the rest."""
    async with database.transaction() as session:
        names = (await session.execute(text(_PARTITIONS), {"parent": table})).scalars().all()
        await session.execute(
            text(f"DELETE FROM {table}_rest WHERE received_at < :before"),  # noqa: S608 - a name of ours
            {"before": _midnight(before)},
        )
    dropped = [name for name in names if _is_before(name, before)]
    for name in dropped:
        async with database.transaction() as session:
            await session.execute(text(_PATIENCE))
            await session.execute(text(f"DROP TABLE {name}"))
    return dropped


def _is_before(name: str, before: dt.date) -> bool:
    found = PATTERN.fullmatch(name)
    if found is None or found[2] == "rest":
        return False
    return dt.datetime.strptime(found[2], "%Y%m%d").replace(tzinfo=dt.UTC).date() < before


async def _forget(database: Database, before: dt.date) -> int:
    """Forget ids whose messages are gone, a part at a time."""
    forgotten = 0
    while True:
        async with database.transaction() as session:
            done = await session.execute(text(_FORGET), {"before": before, "most": AT_ONCE})
        count: int = done.rowcount  # type: ignore[attr-defined]  # a DELETE gives a CursorResult
        forgotten += count
        if count < AT_ONCE:
            return forgotten
