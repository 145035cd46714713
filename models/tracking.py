"""Storing tracked messages: many requests in one transaction, each message once, straight into its day."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import or_, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import EverstayError
from domain.time import BusinessInstant, WallInstant
from domain.tracked_message import BadMessage, Message
from models.quarantine import BadRow, quarantine
from models.source_days import count_day
from models.tables.data import SourceRow

CHANNEL = "everstay_tracking"
FILE = "tracking"
"""The quarantine's name for what came through the tracking API; a line is a place in its request."""
KIND = "track"
"""The name under which `source_days` counts messages."""
HEARD = dt.timedelta(seconds=5)
"""How exactly a source knows when it was last heard; once a request would be one hot row."""

_BATCH = "INSERT INTO tracking_batches (received_at, events) VALUES (:received_at, :events) RETURNING id"
_SEE = """
INSERT INTO tracked_seen (source_id, message_id, received_on)
SELECT :source_id, message_id, :day FROM unnest(CAST(:ids AS text[])) AS message_id
ON CONFLICT DO NOTHING
"""
_SEEN_BEFORE = """
SELECT message_id FROM unnest(CAST(:ids AS text[])) AS message_id, LATERAL (
    SELECT seen.xmin AS made_by FROM tracked_seen AS seen
    WHERE seen.source_id = :source_id AND seen.message_id = message_id.message_id LIMIT 1
) AS seen
WHERE seen.made_by <> pg_current_xact_id()::xid
"""
"""The LIMIT keeps Postgres from hashing the whole table for a few thousand keys."""
_COPY = """
COPY tracked_events (received_at, batch_id, known_at, position, source_id, message_id, kind, name,
                     user_key, anonymous_key, group_key, occurred_at, properties)
FROM STDIN WITH (NULL E'\\x01')
"""
_NOT_JSON = """
SELECT position - 1, message FROM unnest(CAST(:texts AS text[])) WITH ORDINALITY AS given (value, position),
    LATERAL pg_input_error_info(value, 'jsonb')
WHERE NOT pg_input_is_valid(value, 'jsonb')
"""
_NULL = "\x01"
"""Marks an absent value instead of COPY's usual one, whose backslash would hide those that need escaping."""
_TABS = 12
_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPES = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


STORE_ERRORS = (SQLAlchemyError, psycopg.Error, OSError)
"""What storing raises while the database is away, restarts, or waits for something for too long."""


class UnstorableError(EverstayError):
    """Postgres refuses some of the messages: {reason}."""

    status = 422


@dataclass
class SourceShare:
    """What one source told in a group."""

    messages: dict[str, Message] = field(default_factory=dict)
    """By id: told twice in a group is told once."""
    bad: list[BadMessage] = field(default_factory=list)
    received: int = 0


class Group:
    """The messages of one transaction, from as many requests as came meanwhile."""

    def __init__(self) -> None:
        """Begin empty."""
        self.shares: dict[str, SourceShare] = {}
        self.received = 0

    def add(self, source_id: str, good: Sequence[Message], bad: Sequence[BadMessage]) -> None:
        """Take the messages of one request."""
        share = self.shares.setdefault(source_id, SourceShare())
        messages = share.messages
        for message in good:
            messages.setdefault(message[0], message)
        share.bad += bad
        share.received += len(good) + len(bad)
        self.received += len(good) + len(bad)


@dataclass(frozen=True)
class Stored:
    """What became of a group."""

    received: int
    stored: int
    quarantined: int

    @property
    def duplicates(self) -> int:
        """How many had been told before."""
        return self.received - self.stored - self.quarantined


async def store_group(
    session: AsyncSession, group: Group, received_at: WallInstant, known_at: BusinessInstant
) -> Stored:
    """Store what is new, quarantine what is bad, count both, and tell the second stage.

    Sources and ids are taken in order, so that two processes never wait for each other.
    """
    fresh: dict[str, list[Message]] = {}
    for source_id, share in sorted(group.shares.items()):
        fresh[source_id] = await _fresh(session, source_id, share.messages, received_at.date())
    stored = sum(map(len, fresh.values()))
    if stored:
        batch_id = await _open_batch(session, received_at, stored)
        head = f"{received_at.isoformat()}\t{batch_id}\t{known_at.isoformat()}\t"
        await copy_lines(session, copy_text(head, fresh))
    for source_id, share in sorted(group.shares.items()):
        await _note(session, source_id, share, len(fresh[source_id]), received_at)
    return Stored(group.received, stored, sum(len(share.bad) for share in group.shares.values()))


async def _fresh(
    session: AsyncSession, source_id: str, messages: dict[str, Message], day: dt.date
) -> list[Message]:
    """Mark the ids as seen and return the messages whose ids were not."""
    if not messages:
        return []
    keys = {"source_id": source_id, "ids": text_array(sorted(messages))}
    marked = await session.execute(text(_SEE), {**keys, "day": day})
    if marked.rowcount == len(messages):  # type: ignore[attr-defined]  # an INSERT gives a CursorResult
        return list(messages.values())
    before = set((await session.execute(text(_SEEN_BEFORE), keys)).scalars())
    return [message for message_id, message in messages.items() if message_id not in before]


async def _open_batch(session: AsyncSession, received_at: WallInstant, events: int) -> int:
    made = await session.execute(text(_BATCH), {"received_at": received_at, "events": events})
    await session.execute(text(f"NOTIFY {CHANNEL}"))
    batch_id: int = made.scalar_one()
    return batch_id


async def _note(
    session: AsyncSession, source_id: str, share: SourceShare, stored: int, received_at: WallInstant
) -> None:
    bad = [BadRow(FILE, one.position, "invalid", one.field, one.reason, one.raw) for one in share.bad]
    await quarantine(session, None, source_id, bad, received_at)
    await count_day(
        session,
        source_id,
        received_at.date(),
        KIND,
        received=share.received,
        stored=stored,
        duplicates=share.received - stored - len(bad),
        quarantined=len(bad),
    )
    heard = SourceRow.last_received_at
    silent = or_(heard.is_(None), heard < received_at - HEARD)
    await session.execute(
        update(SourceRow).where(SourceRow.id == source_id, silent).values(last_received_at=received_at)
    )


def text_array(values: Iterable[str]) -> str:
    """Return an array of Postgres as text: many times cheaper than handing over a list."""
    joined = "\0".join(values)
    if "\\" in joined or '"' in joined:
        joined = joined.replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + joined.replace("\0", '","') + '"}'


def copy_text(head: str, fresh: dict[str, list[Message]]) -> str:
    """Return the messages in COPY's text format, behind what they have in common."""
    lines: list[str] = []
    for source_id, messages in fresh.items():
        source = _escaped(source_id)
        for place, (key, kind, name, user, visitor, group, at, told) in enumerate(messages, len(lines)):
            when = f"{at.replace(tzinfo=None).isoformat()}Z"
            line = (
                f"{head}{place}\t{source}\t{key}\t{kind}\t{name or _NULL}\t{user or _NULL}\t"
                f"{visitor or _NULL}\t{group or _NULL}\t{when}\t{told or _NULL}"
            )
            if "\\" in line or line.count("\t") != _TABS or "\n" in line or "\r" in line:
                fields = (key, kind, name, user, visitor, group, when, told)
                line = f"{head}{place}\t{source}\t" + "\t".join(map(_escaped, fields))
            lines.append(line)
    lines.append("")
    return "\n".join(lines)


def _escaped(value: str | None) -> str:
    return _NULL if value is None else _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value)


async def copy_lines(session: AsyncSession, lines: str) -> None:
    """Copy lines into their partitions; raises UnstorableError for what is no JSON to Postgres."""
    connection = await (await session.connection()).get_raw_connection()
    driver: psycopg.AsyncConnection[Any] | None = connection.driver_connection
    assert driver is not None  # noqa: S101 - a session inside a transaction has a connection
    try:
        async with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            await copy.write(lines)
    except psycopg.DataError as error:
        raise UnstorableError(reason=error.diag.message_primary or "no reason") from None


async def set_unstorable_aside(session: AsyncSession, group: Group) -> int:
    """Move messages whose properties Postgres refuses (huge numbers) to the bad ones; return how many."""
    moved = 0
    for share in group.shares.values():
        told = [message for message in share.messages.values() if message.properties]
        texts = [message.properties for message in told]
        for position, reason in await session.execute(text(_NOT_JSON), {"texts": texts}):
            message = told[position]
            del share.messages[message.message_id]
            share.bad.append(BadMessage(0, "properties", reason, _shape(message)))
            moved += 1
    return moved


def _shape(message: Message) -> dict[str, Any]:
    """Return what is known of a message, for the quarantine."""
    names = ("messageId", "type", "event", "userId", "anonymousId", "groupId", "timestamp", "properties")
    told = (*message[:6], message.occurred_at.isoformat(), message.properties)
    return {name: value for name, value in zip(names, told, strict=True) if value is not None}
