"""What Postgres alone can take, for the benchmark: COPY into the tables of tracked messages."""

import datetime as dt
import os
import time
from collections.abc import Iterator

import psycopg

EVENTS_PER_COMMIT = 10_000
"""More than a group has under load: the limit shall not be too low."""
ID_CHARACTERS = 32
_BATCH = "INSERT INTO tracking_batches (received_at, events, processed_at) VALUES (%s, %s, %s) RETURNING id"
_EVENTS = """
COPY tracked_events (received_at, batch_id, known_at, position, source_id, message_id, kind, name,
                     user_key, anonymous_key, group_key, occurred_at, properties) FROM STDIN
"""
_SEEN = "COPY tracked_seen (source_id, message_id, received_on) FROM STDIN"
_STORED = "SELECT count(*), count(DISTINCT (source_id, message_id)) FROM tracked_events WHERE source_id = %s"


def copy_events(database_url: str, source_id: str, events: int) -> float:
    """Copy so many events with random ids; return how many were stored per second, without making them."""
    spent = 0.0
    with psycopg.connect(_plain(database_url), autocommit=True) as connection:
        for size in _sizes(events):
            spent += _copy(connection, source_id, size)
    return events / spent


def count_stored(database_url: str, source_id: str) -> tuple[int, int]:
    """Return how many messages of a source are stored, and how many different ones."""
    with psycopg.connect(_plain(database_url)) as connection:
        row = connection.execute(_STORED, [source_id]).fetchone()
    stored, different = row or (0, 0)
    return stored, different


def checkpoint(database_url: str) -> None:
    """Write out what is dirty, so that nobody pays for what was measured before."""
    with psycopg.connect(_plain(database_url), autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def _plain(database_url: str) -> str:
    return database_url.replace("postgresql+psycopg://", "postgresql://", 1)


def _sizes(events: int) -> Iterator[int]:
    for start in range(0, events, EVENTS_PER_COMMIT):
        yield min(EVENTS_PER_COMMIT, events - start)


def _copy(connection: psycopg.Connection, source_id: str, size: int) -> float:
    """Store one transaction's worth; return its seconds."""
    now = dt.datetime.now(dt.UTC)
    ids = os.urandom(size * ID_CHARACTERS // 2).hex()
    keys = [ids[start : start + ID_CHARACTERS] for start in range(0, len(ids), ID_CHARACTERS)]
    seen = "".join(f"{source_id}\t{key}\t{now:%Y-%m-%d}\n" for key in sorted(keys))
    at = now.isoformat()
    tails = [
        f"{at}\t{place}\t{source_id}\t{key}\ttrack\tFeature Used\tuser-{place * 7919 % 5000}\t\\N\t"
        f"company-{place * 31 % 300}\t{at}\t"
        f'{{"feature":"reports","seconds":{place * 1.5},"plan":"enterprise","rows":{place * 17}}}\n'
        for place, key in enumerate(keys)
    ]
    began = time.perf_counter()
    with connection.transaction(), connection.cursor() as cursor:
        batch_id = cursor.execute(_BATCH, [now, size, now]).fetchone()
        making = time.perf_counter()
        head = f"{at}\t{batch_id[0] if batch_id else 0}\t"
        lines = "".join([head + tail for tail in tails])
        began += time.perf_counter() - making
        with cursor.copy(_EVENTS) as copy:
            copy.write(lines)
        with cursor.copy(_SEEN) as copy:
            copy.write(seen)
    return time.perf_counter() - began
