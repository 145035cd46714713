"""A warehouse: tables of a Postgres and folders of files, once and again and again."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from domain.errors import InvalidInputError
from integrations.providers import open_reader
from integrations.tabular_postgres import copy_tables
from models.clock import open_clock, wall_now
from models.connections import Connection, save_connection
from models.database import Database
from models.mapping_files import load_mapping
from models.sources import Source, connect_source
from tests.support.imports import import_folder
from tests.support.pulls import CIPHER, pull, rows, value

pytestmark = pytest.mark.integration

MAPPING = """
source: {id: wh, name: Warehouse, provides: [customers, usage]}
files:
  - name: accounts
    match: wh.accounts
    columns: {id: {}, label: {}, since: {type: instant}, live: {type: boolean}}
    facts:
      - type: customer
        fields:
          key: id
          name: label
          known_at: since
          started_at: since
          status: {column: live, map: {"true": active, "false": churned}}
  - name: logins
    match: wh.logins
    columns: {id: {}, account: {}, at: {type: instant}, times: {type: integer, at_least: 0}}
    facts:
      - type: usage
        fields: {key: id, customer: account, feature: {constant: login}, quantity: times,
                 occurred_at: at, known_at: at}
"""
TABLES = """
CREATE SCHEMA wh;
CREATE TABLE wh.accounts (id text, label text, since timestamptz, live boolean);
CREATE TABLE wh.raw_logins (id text, account text, at timestamp, times integer);
CREATE VIEW wh.logins AS SELECT * FROM wh.raw_logins WHERE times IS DISTINCT FROM -1;
INSERT INTO wh.accounts SELECT 'a' || n, 'Account ' || n, '2024-01-01', true FROM generate_series(1, 20) n;
INSERT INTO wh.raw_logins
  SELECT 'l' || n, 'a' || (1 + n % 20), timestamp '2024-02-01' + n * interval '1 hour', n % 5
  FROM generate_series(1, 5000) n;
INSERT INTO wh.raw_logins VALUES ('bad', 'a1', '2024-02-01', NULL), ('stranger', 'zz', '2024-02-01', 1);
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "wh.yaml"
    path.write_text(MAPPING)
    return path


@pytest.fixture
def warehouse(database_url: str) -> Iterator[str]:
    dsn = database_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(dsn) as connection:
        connection.execute(TABLES)
    yield dsn
    with psycopg.connect(dsn) as connection:
        connection.execute("DROP SCHEMA wh CASCADE")


async def connect(database: Database, mapping: Path, **how: str) -> None:
    document = load_mapping(str(mapping))
    options = {"mapping": document.model_dump(mode="json")} | {k: v for k, v in how.items() if k == "folder"}
    secrets = {k: v for k, v in how.items() if k == "token"}
    clock = await open_clock(database)
    async with database.transaction() as session:
        source = Source("wh", "Warehouse", "warehouse", document.source.provides, clock.now())
        await connect_source(session, source)
        await save_connection(
            session, Connection("wh", "warehouse", options, secrets, 60.0), CIPHER, wall_now()
        )


async def test_tables_are_read_by_mapping_and_again_without_a_second_count(
    database: Database, mapping: Path, warehouse: str
) -> None:
    await connect(database, mapping, token=warehouse)
    told = await pull(database, "wh")
    assert (told["accounts"].stored, told["logins"].stored) == (20, 5000)
    assert await value(database, "SELECT sum(quantity) FROM usage_events") == sum(
        n % 5 for n in range(1, 5001)
    )
    bad = await rows(database, "SELECT kind, field, raw->>'id' FROM quarantined_rows ORDER BY kind")
    assert [(kind, field) for kind, field, _ in bad] == [("invalid", "times"), ("unresolved", "customer")]
    again = await pull(database, "wh")
    assert (again["accounts"].stored, again["logins"].stored) == (0, 0)


async def test_a_new_row_and_a_changed_one_are_news(
    database: Database, mapping: Path, warehouse: str
) -> None:
    await connect(database, mapping, token=warehouse)
    await pull(database, "wh")
    with psycopg.connect(warehouse) as connection:
        connection.execute("INSERT INTO wh.raw_logins VALUES ('new', 'a1', '2024-09-01', 4)")
    assert (await pull(database, "wh"))["logins"].stored == 1


async def test_tables_are_imported_once_like_files(
    database: Database, mapping: Path, warehouse: str, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    copy_tables(warehouse, load_mapping(str(mapping)), folder)
    run = await import_folder(database, mapping, folder)
    assert (run.total("stored"), run.total("quarantined")) == (5020, 2)


async def test_a_folder_is_read_again_and_again(database: Database, mapping: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "wh.accounts").write_text("id,label,since,live\na1,One,2024-01-01T00:00:00Z,true\n")
    (folder / "wh.logins").write_text("id,account,at,times\nl1,a1,2024-02-01T00:00:00Z,3\n")
    await connect(database, mapping, folder=str(folder))
    assert (await pull(database, "wh"))["logins"].stored == 1
    with (folder / "wh.logins").open("a") as file:
        file.write("l2,a1,2024-02-02T00:00:00Z,3\n")
    assert (await pull(database, "wh"))["logins"].stored == 1


async def test_what_cannot_be_read_is_named_without_the_password(mapping: Path, warehouse: str) -> None:
    document = load_mapping(str(mapping)).model_dump(mode="json")
    document["files"][0]["match"] = "wh.nothing"
    async with open_reader("warehouse", {"mapping": document}, {"token": warehouse}) as reader:
        with pytest.raises(InvalidInputError, match=r'relation "wh.nothing" does not exist'):
            await reader.check()
    away = "postgresql://me:hush@127.0.0.1:1/db"
    async with open_reader("warehouse", {"mapping": document}, {"token": away}) as reader:
        with pytest.raises(InvalidInputError, match="cannot be reached") as refused:
            await reader.check()
    assert "hush" not in str(refused.value)
