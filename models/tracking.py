"""Storing tracked messages: many requests in one transaction, each message once, straight into its day."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from domain.errors import EverstayError
from domain.time import BusinessInstant, WallInstant
from domain.tracked_message import BadMessage, Message
from models.quarantine import BadRow, keep_bad_rows

CHANNEL = "everstay_tracking"
FILE = "tracking"
"""The quarantine's name for what came through the tracking API; a line is a place in its request."""
KIND = "track"
"""The name under which `source_days` counts messages."""

_SEE = """
WITH marked AS (
    INSERT INTO tracked_seen (source_id, message_id, received_on)
    SELECT source_id, message_id, %(day)s
    FROM unnest(%(sources)s::text[], %(ids)s::text[]) AS told (source_id, message_id)
    ON CONFLICT DO NOTHING
    RETURNING 1
)
INSERT INTO tracking_batches (received_at, events)
SELECT %(received_at)s, count(*) FROM marked HAVING count(*) > 0
RETURNING id, events
"""
_SEEN_BEFORE = """
SELECT source_id, message_id
FROM unnest(%(sources)s::text[], %(ids)s::text[]) AS told (source_id, message_id), LATERAL (
    SELECT xmin AS made_by FROM tracked_seen AS seen
    WHERE seen.source_id = told.source_id AND seen.message_id = told.message_id LIMIT 1
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
SELECT position - 1, message FROM unnest(%s::text[]) WITH ORDINALITY AS given (value, position),
    LATERAL pg_input_error_info(value, 'jsonb')
WHERE NOT pg_input_is_valid(value, 'jsonb')
"""
_NOTE = """
WITH told AS (
    SELECT * FROM unnest(
        %(sources)s::text[], %(received)s::bigint[], %(stored)s::bigint[], %(bad)s::bigint[]
    ) AS told (source_id, received, stored, bad)
), days AS (
    INSERT INTO source_days AS old (source_id, day, kind, received, stored, duplicates, quarantined)
    SELECT source_id, %(day)s, %(kind)s, received, stored, received - stored - bad, bad FROM told
    ON CONFLICT (source_id, day, kind) DO UPDATE SET
        received = old.received + excluded.received, stored = old.stored + excluded.stored,
        duplicates = old.duplicates + excluded.duplicates,
        quarantined = old.quarantined + excluded.quarantined
), heard AS (
    UPDATE sources SET last_received_at = %(at)s FROM told
    WHERE sources.id = told.source_id
      AND (sources.last_received_at IS NULL OR sources.last_received_at < %(at)s - interval '5 seconds')
)
SELECT pg_notify(%(channel)s, '')
"""
"""A source knows to five seconds when it was last heard: once a transaction would make one hot row."""
_NULL = "\x01"
"""Marks an absent value instead of COPY's usual one, whose backslash would hide those that need escaping."""
_TABS = 12
_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPES = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


Connection = psycopg.Connection[Any]
Cursor = psycopg.Cursor[Any]
STORE_ERRORS = (psycopg.Error, OSError)
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


def store_group(
    connection: Connection, group: Group, received_at: WallInstant, known_at: BusinessInstant
) -> Stored:
    """Store what is new, quarantine what is bad, count both, and tell the second stage: in one transaction.

    Sources and ids are taken in order, so that two processes never wait for each other.
    """
    shares = dict(sorted(group.shares.items()))
    with connection.transaction(), connection.cursor() as cursor:
        fresh = _store(cursor, shares, received_at, known_at)
        for source_id, share in shares.items():
            if share.bad:
                keep_bad_rows(cursor, source_id, [_bad_row(one) for one in share.bad], received_at)
        cursor.execute(_NOTE, _counts(shares, fresh, received_at))
    return Stored(
        group.received, sum(map(len, fresh.values())), sum(len(share.bad) for share in shares.values())
    )


def _store(
    cursor: Cursor, shares: dict[str, SourceShare], received_at: WallInstant, known_at: BusinessInstant
) -> dict[str, list[Message]]:
    """Mark the ids as seen, copy the messages whose ids were not, and return them."""
    ids = {source_id: sorted(share.messages) for source_id, share in shares.items()}
    keys = {
        "sources": text_array(source_id for source_id, some in ids.items() for _ in some),
        "ids": text_array(each for some in ids.values() for each in some),
    }
    asked = {**keys, "day": received_at.date(), "received_at": received_at}
    batch = cursor.execute(_SEE, asked).fetchone() if any(ids.values()) else None
    if batch is None:
        return {source_id: [] for source_id in shares}
    batch_id, stored = batch
    fresh = {source_id: list(share.messages.values()) for source_id, share in shares.items()}
    if stored < sum(map(len, ids.values())):
        before = set(cursor.execute(_SEEN_BEFORE, keys).fetchall())
        fresh = {
            source_id: [one for one in some if (source_id, one.message_id) not in before]
            for source_id, some in fresh.items()
        }
    copy_lines(cursor, copy_text(f"{received_at.isoformat()}\t{batch_id}\t{known_at.isoformat()}\t", fresh))
    return fresh


def _counts(
    shares: dict[str, SourceShare], fresh: dict[str, list[Message]], received_at: WallInstant
) -> dict[str, Any]:
    return {
        "sources": list(shares),
        "received": [share.received for share in shares.values()],
        "stored": [len(fresh[source_id]) for source_id in shares],
        "bad": [len(share.bad) for share in shares.values()],
        "day": received_at.date(),
        "kind": KIND,
        "at": received_at,
        "channel": CHANNEL,
    }


def _bad_row(one: BadMessage) -> BadRow:
    return BadRow(FILE, one.position, "invalid", one.field, one.reason, one.raw)


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


def copy_lines(cursor: Cursor, lines: str) -> None:
    """Copy lines into their partitions; raises UnstorableError for what is no JSON to Postgres."""
    try:
        with cursor.copy(_COPY) as copy:
            copy.write(lines)
    except psycopg.DataError as error:
        raise UnstorableError(reason=error.diag.message_primary or "no reason") from None


def set_unstorable_aside(connection: Connection, group: Group) -> int:
    """Move messages whose properties Postgres refuses (huge numbers) to the bad ones; return how many."""
    moved = 0
    for share in group.shares.values():
        told = [message for message in share.messages.values() if message.properties]
        texts = [message.properties for message in told]
        for position, reason in connection.execute(_NOT_JSON, [texts]).fetchall():
            message = told[position]
            del share.messages[message.message_id]
            share.bad.append(BadMessage(0, "properties", reason, _shape(message)))
            moved += 1
    return moved


class TrackingStore:
    """Stores groups over a connection of its own, which is made anew when it breaks.

    Not through the engine and not asynchronous: a writer's thread does nothing else, and a fixed cost per
    statement is most of what a small group costs.
    """

    def __init__(self, database_url: str, patience_seconds: float) -> None:
        """Connect on first use; a statement that takes longer than the patience is given up."""
        self._url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._milliseconds = int(patience_seconds * 1000)
        self._connection: Connection | None = None

    def store(self, group: Group, received_at: WallInstant, known_at: BusinessInstant) -> Stored:
        """Store a group; raises STORE_ERRORS, and UnstorableError if nothing in it can be set aside."""
        connection = self._connected()
        try:
            return store_group(connection, group, received_at, known_at)
        except UnstorableError:
            if not set_unstorable_aside(connection, group):
                raise
            return store_group(connection, group, received_at, known_at)
        except psycopg.Error:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=5,
                tcp_user_timeout=self._milliseconds,
                options=f"-c statement_timeout={self._milliseconds}",
            )
        return self._connection


def _shape(message: Message) -> dict[str, Any]:
    """Return what is known of a message, for the quarantine."""
    names = ("messageId", "type", "event", "userId", "anonymousId", "groupId", "timestamp", "properties")
    told = (*message[:6], message.occurred_at.isoformat(), message.properties)
    return {name: value for name, value in zip(names, told, strict=True) if value is not None}
