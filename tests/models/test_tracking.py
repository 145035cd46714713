import datetime as dt
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from domain.time import BusinessInstant, WallInstant
from domain.tracked_message import BadMessage, Message
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from models.partitions import Retention, keep_partitions, make_partition
from models.sources import get_source
from models.tables.usage_partitions import partition_name
from models.tracking import Group, Stored, UnstorableError, set_unstorable_aside, store_group

pytestmark = pytest.mark.integration

NOW = WallInstant(dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC))
DAY = dt.timedelta(days=1)


@pytest.fixture
async def source(database: Database) -> str:
    async with database.transaction() as session:
        _, key = await create_key(session, KeyKind.WRITE, wall_now(), name="Web app")
    assert key.source_id is not None
    return key.source_id


def message(message_id: str, **changes: Any) -> Message:
    usual = Message(message_id, "track", "Login", "u1", None, "acme", BusinessInstant(NOW), '{"rows": 1}')
    return usual._replace(**changes)


def group_of(source: str, *messages: Message, bad: tuple[BadMessage, ...] = ()) -> Group:
    group = Group()
    group.add(source, messages, bad)
    return group


async def store(database: Database, group: Group, at: WallInstant = NOW) -> Stored:
    with psycopg.connect(database.url, autocommit=True) as connection:
        return store_group(connection, group, at, BusinessInstant(at))


async def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.transaction() as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def test_a_message_counts_once_whichever_transaction_brings_it(database: Database, source: str) -> None:
    first = await store(database, group_of(source, message("a"), message("b"), message("a")))
    again = await store(database, group_of(source, message("b"), message("c")))
    assert (first.stored, first.duplicates) == (2, 1)
    assert (again.stored, again.duplicates) == (1, 1)
    assert await rows(database, "SELECT message_id FROM tracked_events ORDER BY 1") == [
        ("a",),
        ("b",),
        ("c",),
    ]
    assert await rows(database, "SELECT events FROM tracking_batches ORDER BY id") == [(2,), (1,)]
    counted = await rows(database, "SELECT kind, received, stored, duplicates, quarantined FROM source_days")
    assert counted == [("track", 5, 3, 2, 0)]


async def test_the_same_id_of_two_sources_is_two_messages(database: Database, source: str) -> None:
    async with database.transaction() as session:
        _, other = await create_key(session, KeyKind.WRITE, wall_now(), name="Web app")
    group = group_of(source, message("a"))
    group.add(other.source_id or "", [message("a")], [])
    assert (await store(database, group)).stored == 2
    assert other.source_id == "web-app-2"


async def test_a_group_of_repeats_makes_no_batch(database: Database, source: str) -> None:
    await store(database, group_of(source, message("a")))
    assert (await store(database, group_of(source, message("a")))).stored == 0
    assert await rows(database, "SELECT count(*) FROM tracking_batches") == [(1,)]


@pytest.mark.parametrize(
    "text_of", ["back\\slash", "tab\tbed", "two\nlines", "car\rriage", r"\N", 'quo"te', "ä€🙂"]
)
async def test_texts_arrive_as_they_were_sent(database: Database, source: str, text_of: str) -> None:
    said = message(text_of, name=text_of, user_key=text_of, anonymous_key=text_of, group_key=text_of)
    await store(database, group_of(source, said, message("plain")))
    columns = "message_id, name, user_key, anonymous_key, group_key"
    query = f"SELECT {columns} FROM tracked_events WHERE name <> 'Login'"  # noqa: S608 - no input
    assert await rows(database, query) == [(text_of,) * 5]
    assert (await store(database, group_of(source, said))).duplicates == 1


async def test_json_is_kept_as_it_was_written(database: Database, source: str) -> None:
    written = '{"a": "x\\ty\\\\z", "n": [1, 2.5, null],\n\t"deep": {"é": "\\u20ac"}}'
    await store(database, group_of(source, message("a", properties=written), message("b", properties=None)))
    told = await rows(database, "SELECT properties FROM tracked_events ORDER BY message_id")
    assert told == [({"a": "x\ty\\z", "n": [1, 2.5, None], "deep": {"é": "€"}},), (None,)]


async def test_what_postgres_refuses_is_set_aside_and_the_others_are_stored(
    database: Database, source: str
) -> None:
    group = group_of(source, message("good"), message("huge", properties='{"n": 1e999999}'))
    with pytest.raises(UnstorableError):
        await store(database, group)
    with psycopg.connect(database.url, autocommit=True) as connection:
        assert set_unstorable_aside(connection, group) == 1
    done = await store(database, group)
    assert (done.stored, done.quarantined, done.duplicates) == (1, 1, 0)
    assert await rows(database, "SELECT field, raw->>'messageId' FROM quarantined_rows") == [
        ("properties", "huge")
    ]


async def test_bad_messages_wait_in_quarantine_with_field_reason_and_place(
    database: Database, source: str
) -> None:
    bad = BadMessage(7, "event", "is missing", {"userId": "u1"})
    assert (await store(database, group_of(source, message("a"), bad=(bad,)))).quarantined == 1
    query = "SELECT file, line, field, reason, raw, state FROM quarantined_rows"
    assert await rows(database, query) == [("tracking", 7, "event", "is missing", {"userId": "u1"}, "open")]


async def test_a_source_knows_when_it_was_last_heard(database: Database, source: str) -> None:
    await store(database, group_of(source, message("a")))
    later = WallInstant(NOW + DAY)
    await store(database, group_of(source, message("a")), later)
    assert await rows(database, "SELECT last_received_at FROM sources") == [(later,)]


async def test_the_first_write_key_brings_customers_where_nobody_else_does(
    database: Database, source: str
) -> None:
    async with database.transaction() as session:
        first = await get_source(session, source)
        _, key = await create_key(session, KeyKind.WRITE, wall_now(), name="Second")
        second = await get_source(session, key.source_id or "")
    assert set(first.provides) == {"customers", "contacts", "usage"}
    assert set(second.provides) == {"contacts", "usage"}
    created = await rows(database, "SELECT creates_customers FROM sources ORDER BY connected_at")
    assert created == [(True,), (False,)]


async def test_days_are_made_ahead_and_dropped_by_retention(database: Database, source: str) -> None:
    await store(database, group_of(source, message("old")))
    kept = await keep_partitions(database, NOW, Retention(30))
    assert partition_name(NOW.date(), "tracked_events") in kept.made
    assert partition_name((NOW + 7 * DAY).date(), "usage_events") in kept.made
    assert await rows(database, "SELECT count(*) FROM tracked_events_rest") == [(0,)]
    assert await rows(database, "SELECT count(*) FROM tracked_events") == [(1,)]
    assert (await keep_partitions(database, NOW, Retention(30))).made == ()

    much_later = WallInstant(NOW + 31 * DAY)
    dropped = await keep_partitions(database, much_later, Retention(30))
    assert dropped.dropped == (partition_name(NOW.date(), "tracked_events"),)
    assert dropped.forgotten == 1
    assert await rows(database, "SELECT count(*) FROM tracked_events") == [(0,)]
    assert (await store(database, group_of(source, message("old")), much_later)).stored == 1


async def test_without_a_retention_nothing_is_dropped(database: Database, source: str) -> None:
    await store(database, group_of(source, message("old")))
    kept = await keep_partitions(database, WallInstant(NOW + 4000 * DAY), Retention(None))
    assert (kept.dropped, kept.forgotten) == ((), 0)
    assert await rows(database, "SELECT count(*) FROM tracked_events") == [(1,)]


async def test_a_day_whose_events_came_before_its_partition_takes_them_in(
    database: Database, source: str
) -> None:
    await store(database, group_of(source, message("a"), message("b")))
    async with database.transaction() as session:
        assert await make_partition(session, "tracked_events", NOW.date())
        assert not await make_partition(session, "tracked_events", NOW.date())
    name = partition_name(NOW.date(), "tracked_events")
    assert await rows(database, f"SELECT count(*) FROM {name}") == [(2,)]  # noqa: S608 - a name of ours
    await store(database, group_of(source, message("c")))
    assert await rows(database, f"SELECT count(*) FROM {name}") == [(3,)]  # noqa: S608 - a name of ours
