"""Fixtures that every folder uses: a real Postgres, and a migrated empty database per test."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from models.database import Database
from models.migrate import migrate_to_head
from tests.support.postgres import create_database, drop_database, running_postgres
from tests.support.reuse import ReusedDatabase

TEMPLATE = f"everstay_template_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"

# A property is about what holds, not about how long it takes on a busy machine. For a long hunt:
# pytest --hypothesis-profile=proof
settings.register_profile(
    "everstay", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("proof", settings.get_profile("everstay"), max_examples=3000)
settings.load_profile("everstay")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A Postgres server of this test run (EVERSTAY_TEST_DATABASE_URL points to another one)."""
    given = os.environ.get("EVERSTAY_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with running_postgres() as url:
        yield url


def withhold_nothing(url: str) -> None:
    """Let nobody be held out by chance, unless a test says otherwise.

    Installations of tests have a salt by chance: one customer in seven would be left without the run that
    its test is about.
    """
    with psycopg.connect(url) as connection:
        for share in ("holdout_share", "playbook_holdout_share"):
            connection.execute(f"ALTER TABLE installation ALTER {share} SET DEFAULT 0")


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> str:
    """A database at the newest schema, from which each test's own is copied."""
    url = create_database(postgres_url, TEMPLATE)
    migrate_to_head(url)
    withhold_nothing(url)
    return TEMPLATE


@pytest.fixture(scope="session")
def reused_database(postgres_url: str, migrated_template: str) -> Iterator[ReusedDatabase]:
    """The database of this process, used by one test after the other."""
    name = f"test_{uuid.uuid4().hex}"
    yield ReusedDatabase(postgres_url, name, migrated_template)
    drop_database(postgres_url, name)


@pytest.fixture
def database_url(reused_database: ReusedDatabase) -> Iterator[str]:
    """A migrated, empty database that is this test's alone while it runs."""
    yield reused_database.url
    reused_database.empty()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, as the object that repositories take their sessions from."""
    opened = Database(database_url)
    yield opened
    await opened.close()
