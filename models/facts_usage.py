"""Usage: the many small facts. Set-wise through COPY, with daily sums kept in the same transaction."""

import datetime as dt
import hashlib
import json
import re
import uuid
from functools import lru_cache
from typing import Any

from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.facts import UsageFact
from domain.time import as_utc
from models.facts_batch import Batch, Indexed, Verdict
from models.tables.usage_partitions import create_partition_sql, partition_name
from models.usage_rollups import ADD_USAGE, finish_usage
from models.usage_windows import roll_windows

_INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_usage (
    message_id text, content_hash bytea, customer_id uuid, contact_id uuid, feature text,
    quantity double precision, users bigint, value double precision,
    occurred_at timestamptz, known_at timestamptz, properties jsonb
) ON COMMIT DELETE ROWS
"""
_COPY = "COPY incoming_usage FROM STDIN"
_STORE = f"""
WITH fresh AS (
    INSERT INTO usage_seen (source_id, message_id, content_hash)
    SELECT :source_id, message_id, content_hash FROM incoming_usage ORDER BY message_id
    ON CONFLICT DO NOTHING
    RETURNING message_id
), new AS MATERIALIZED (
    SELECT CAST(:received_at AS timestamptz) AS received_at, :source_id AS source_id, incoming_usage.*
    FROM incoming_usage JOIN fresh USING (message_id)
), {ADD_USAGE}
SELECT message_id FROM fresh
"""  # noqa: S608 - constants only
_CONFLICTS = """
SELECT message_id, seen.content_hash FROM incoming_usage, LATERAL (
    SELECT content_hash FROM usage_seen
    WHERE source_id = :source_id AND usage_seen.message_id = incoming_usage.message_id LIMIT 1
) AS seen
WHERE seen.content_hash <> incoming_usage.content_hash
"""
"""The LIMIT keeps Postgres from hashing the whole of usage_seen for a batch of a few thousand keys."""

_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPES = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


async def store_usage(batch: Batch, facts: Indexed) -> None:
    """Store what is new, note what is a duplicate or a conflict, and keep the daily sums."""
    lines: dict[str, str] = {}
    hashes: dict[str, bytes] = {}
    told: list[tuple[int, UsageFact, bytes]] = []
    for index, fact in facts:
        if not isinstance(fact, UsageFact):
            continue
        customer = batch.customer_of(index, fact, fact.customer)
        if customer is not None and batch.has_contact(index, fact, fact.contact):
            digest = usage_hash(fact)
            told.append((index, fact, digest))
            if fact.key not in lines:
                hashes[fact.key] = digest
                lines[fact.key] = _line(batch, fact, customer, digest)
    if lines:
        fresh, conflicting = await _write(batch, list(lines.values()))
        _settle(batch, told, fresh, hashes | conflicting)


def _settle(
    batch: Batch, told: list[tuple[int, UsageFact, bytes]], fresh: set[str], stored: dict[str, bytes]
) -> None:
    """Compare each fact with what is stored under its key now (of a fresh key, the first told)."""
    for index, fact, digest in told:
        if digest != stored[fact.key]:
            reason = "the same key was told before with other content"
            batch.refuse(index, fact, Verdict.CONFLICT, "key", reason)
        else:
            batch.settle(index, Verdict.STORED if fact.key in fresh else Verdict.DUPLICATE)
            fresh.discard(fact.key)


def usage_hash(fact: UsageFact) -> bytes:
    """Return the hash of everything that the fact says beside its key."""
    properties = None if fact.properties is None else json.dumps(fact.properties, sort_keys=True, default=str)
    content = (
        fact.fingerprint,
        fact.customer,
        fact.contact,
        fact.feature,
        fact.quantity,
        fact.users,
        fact.value,
        _instant(fact.occurred_at),
        properties,
    )
    return hashlib.blake2b(repr(content).encode(), digest_size=16).digest()


@lru_cache(maxsize=10_000)
def _instant(value: dt.datetime) -> str:
    return as_utc(value).isoformat()


def _line(batch: Batch, fact: UsageFact, customer: uuid.UUID, digest: bytes) -> str:
    """Return the fact as a line of COPY's text format, which is half the work of handing over values."""
    contact = None if fact.contact is None else batch.contacts.get(fact.contact)
    properties = None if fact.properties is None else json.dumps(fact.properties, default=str)
    return (
        f"{_text(fact.key)}\t\\\\x{digest.hex()}\t{customer}\t{_null(contact)}\t{_text(fact.feature)}\t"
        f"{fact.quantity!r}\t{_null(fact.users)}\t{_null(fact.value)}\t"
        f"{_instant(fact.occurred_at)}\t{_instant(fact.known_at)}\t{_text(properties)}\n"
    )


def _null(value: object) -> str:
    return r"\N" if value is None else str(value)


def _text(value: str | None) -> str:
    if value is None:
        return r"\N"
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value)


async def _write(batch: Batch, lines: list[str]) -> tuple[set[str], dict[str, bytes]]:
    """Return the keys that are new, and the hashes of those that were told before with other content."""
    session = batch.session
    await ensure_partition(session, batch.received_at.date())
    await session.execute(text(_INCOMING))
    await session.execute(text("TRUNCATE incoming_usage"))
    await _copy(session, lines)
    ids, today = list(batch.customers.values()), batch.now.date()
    await roll_windows(session, ids, today)
    parameters = {"source_id": batch.source.id, "received_at": batch.received_at, "today": today}
    fresh = set((await session.execute(text(_STORE), parameters)).scalars())
    if fresh:
        await finish_usage(session, ids, "incoming_usage", names_people=bool(batch.contacts))
    if len(fresh) == len(lines):
        return fresh, {}
    conflicting = await session.execute(text(_CONFLICTS), {"source_id": batch.source.id})
    return fresh, dict(conflicting.all())


async def _copy(session: AsyncSession, lines: list[str]) -> None:
    connection = await (await session.connection()).get_raw_connection()
    driver: AsyncConnection[Any] | None = connection.driver_connection
    assert driver is not None  # noqa: S101 - a session inside a transaction has a connection
    async with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        await copy.write("".join(lines))


async def ensure_partition(session: AsyncSession, day: dt.date) -> None:
    """Make the partition of a day of receipt unless it is there."""
    query = text("SELECT to_regclass(:name) IS NOT NULL")
    if not await session.scalar(query, {"name": partition_name(day)}):
        await session.execute(text(create_partition_sql(day)))
