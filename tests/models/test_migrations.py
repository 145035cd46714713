"""The schema's history on a real Postgres: up, down, up again, and equal to the tables in code."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command

from models.migrate import alembic_config, migrate_to_head
from tests.support.postgres import create_database, drop_database

pytestmark = pytest.mark.integration
OURS = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    name = f"migrations_{uuid.uuid4().hex}"
    yield create_database(postgres_url, name)
    drop_database(postgres_url, name)


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute(OURS).fetchall()}


def test_the_newest_schema_is_the_tables_in_code(empty_database_url: str) -> None:
    migrate_to_head(empty_database_url)
    command.check(alembic_config(empty_database_url))
    assert {"customers", "outbox", "usage_events", "usage_events_rest"} <= tables(empty_database_url)


def test_going_down_leaves_nothing_and_up_again_brings_everything(empty_database_url: str) -> None:
    migrate_to_head(empty_database_url)
    everything = tables(empty_database_url)
    command.downgrade(alembic_config(empty_database_url), "base")
    assert tables(empty_database_url) == set()
    migrate_to_head(empty_database_url)
    assert tables(empty_database_url) == everything


def test_a_usage_fact_without_a_partition_of_its_day_is_kept_in_the_rest(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO usage_events (received_at, source_id, message_id, customer_id, feature, quantity,"
            " occurred_at, known_at) VALUES ('2031-01-01 10:00+00', 's', 'm', gen_random_uuid(), 'f', 1,"
            " '2031-01-01 10:00+00', '2031-01-01 10:00+00')"
        )
        assert connection.execute("SELECT count(*) FROM usage_events_rest").fetchone() == (1,)
