"""A look at the past equals the present of a world without its future; a reader that peeks is told by it."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text

from activities.leak_checks import LeakReport, future_deleted_equal, planted_leak_refused
from domain.facts import Fact
from domain.features import CustomerFeatures
from models import as_known
from models.database import Database
from models.facts import store_facts
from models.facts_batch import Verdict, fact_id
from models.features import AS_KNOWN, PRESENT, Reader, load_features
from models.snapshots import told_since
from models.upload_undo import _delete_facts
from tests.support.facts import CRM, WALL, connect
from tests.support.tellings import IN_TIME, LATE, LEFT, MOVED, THEN

pytestmark = pytest.mark.integration
ACME = fact_id(CRM, "customer", "acme")
KNOWN = "known_at <= :as_of"


async def tell(database: Database, facts: Sequence[Fact]) -> None:
    async with database.transaction() as session:
        result = await store_facts(session, CRM, facts, received_at=WALL)
    assert set(result.verdicts) == {Verdict.STORED}


async def check(database: Database, reader: Reader = AS_KNOWN) -> LeakReport:
    async with database.transaction() as session:
        since = await told_since(session)
    return await future_deleted_equal(database, [ACME], THEN, since, reader)


def broken(old: str, new: str) -> Reader:
    """Break one place of the statements that read the past."""
    reader = Reader(AS_KNOWN.relations.replace(old, new), AS_KNOWN.usage.replace(old, new), derives=True)
    assert reader != AS_KNOWN
    return reader


@pytest.mark.parametrize("kind", LATE)
async def test_what_is_told_late_is_not_in_the_past(database: Database, kind: str) -> None:
    await connect(database)
    await tell(database, IN_TIME)
    before = await then(database)
    await tell(database, LATE[kind])
    report = await check(database)
    assert (report.passed, report.differences, report.customers) == (True, (), 1)
    assert report.values > 60
    assert await then(database) == before


@pytest.mark.parametrize("kind", MOVED)
async def test_what_moves_later_is_in_the_past_as_it_was(database: Database, kind: str) -> None:
    await connect(database)
    await tell(database, IN_TIME)
    before = await then(database)
    await tell(database, MOVED[kind])
    report = await check(database)
    assert (report.passed, report.differences) == (True, ())
    assert await then(database) == before
    assert (await check(database, PRESENT)).found > 0


async def test_everything_at_once_in_one_batch_and_twice_is_as_told_in_turn(database: Database) -> None:
    await connect(database)
    await tell(database, IN_TIME)
    before = await then(database)
    later = [*(fact for facts in (*LATE.values(), *MOVED.values()) for fact in facts), *LEFT]
    async with database.transaction() as session:
        await store_facts(session, CRM, later, received_at=WALL)
        await store_facts(session, CRM, later, received_at=WALL)
    assert (await check(database)).differences == ()
    assert await then(database) == before


async def test_what_is_told_and_moves_in_one_batch_keeps_what_it_was(database: Database) -> None:
    await connect(database)
    await tell(database, [*IN_TIME, *(fact for facts in MOVED.values() for fact in facts)])
    assert (await check(database)).differences == ()
    moved_at_once = await then(database)
    assert moved_at_once.support.escalated == 0
    assert moved_at_once.plan == "pro"


async def test_what_is_deleted_is_gone_from_the_past_too(database: Database) -> None:
    await connect(database)
    await tell(database, IN_TIME)
    await tell(database, MOVED["ticket"])
    async with database.transaction() as session:
        await _delete_facts(session, CRM)
        assert await session.scalar(text("SELECT count(*) FROM fact_changes")) == 0
    assert (await check(database)).differences == ()
    assert (await then(database)).support.opened_30 == 0


def _as_stored(table: str) -> tuple[str, str]:
    return as_known.AS_KNOWN[table], table


BREAKS: dict[str, tuple[tuple[str, str], dict[str, tuple[Fact, ...]]]] = {
    "usage": (("AND known_at <= :as_of AND feature NOT IN", "AND feature NOT IN"), LATE),
    "ticket": (_as_stored("tickets"), MOVED),
    "survey": ((f"{KNOWN} AND responded_at", "responded_at"), LATE),
    "meeting": (_as_stored("meetings"), MOVED),
    "goal": (_as_stored("goals"), MOVED),
    "invoice": (_as_stored("invoices"), MOVED),
    "subscription": (_as_stored("subscriptions"), MOVED),
    "touchpoint": (
        (f"{KNOWN} AND occurred_at <= :as_of\n      AND state", "occurred_at <= :as_of\n      AND state"),
        LATE,
    ),
    "contact": (_as_stored("contact_roles"), MOVED),
    "onboarding": (_as_stored("customers"), LATE),
}


@pytest.mark.parametrize("kind", BREAKS)
async def test_a_statement_that_reads_the_future_of_a_kind_is_found(database: Database, kind: str) -> None:
    (old, new), facts = BREAKS[kind]
    await connect(database)
    await tell(database, IN_TIME)
    await tell(database, facts[kind])
    report = await check(database, broken(old, new))
    assert not report.passed
    assert report.differences


async def test_a_planted_leak_is_refused(database: Database) -> None:
    await connect(database)
    await tell(database, IN_TIME)
    async with database.transaction() as session:
        since = await told_since(session)
    report = await planted_leak_refused(database, [ACME], THEN, since)
    assert report.passed
    assert {one.column for one in report.differences} >= {"support.open", "usage.features_28"}


async def test_nobody_to_compare_is_no_pass_and_no_table_is_left_behind(database: Database) -> None:
    report = await future_deleted_equal(database, [ACME], THEN, {})
    assert (report.passed, report.customers) == (False, 0)
    await connect(database)
    await tell(database, IN_TIME)
    counts = await rows(database)
    assert (await check(database)).passed
    assert await rows(database) == counts
    async with database.transaction() as session:
        assert await session.scalar(text("SELECT to_regclass('pg_temp.tickets') IS NULL"))


async def rows(database: Database) -> list[tuple[object, ...]]:
    tables = ("customers", "tickets", "usage_daily", "usage_windows", "field_points", "usage_events")
    found: list[tuple[object, ...]] = []
    async with database.transaction() as session:
        for table in tables:
            words = await session.scalars(text(f"SELECT CAST(one AS text) FROM {table} AS one ORDER BY 1"))  # noqa: S608 - a name of ours
            found.append((table, *words))
    return found


async def then(database: Database) -> CustomerFeatures:
    async with database.transaction() as session:
        [found] = await load_features(session, [ACME], THEN, {}, exact=True)
    return found
