"""Imports of real files: totals, repeats, planted rows, interruptions."""

import csv
import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.contracts_imports import ImportFileInput, PlanImportInput
from activities.import_orders import ImportOrder, open_import
from activities.import_replay import Correction, replay
from activities.imports import ImportActivities
from domain.errors import ConflictError, InvalidInputError
from domain.time import BusinessInstant
from integrations.tabular import FileReader
from models.clock import open_clock, wall_now
from models.database import Database
from models.imports import FileProgress, load_run
from models.mapping_files import LIBRARY, MappingError, load_mapping
from models.quarantine import list_quarantined
from tests.support.imports import import_folder, shared_data
from workers.import_report import summary

pytestmark = pytest.mark.integration

ACCOUNTS = "account_id,channel,date_of_birth,country\n1,web,2020-01-01,NY\n2,web,2020-01-02,None\n"
TERMS = (
    "account_id,product,start_date,end_date,mrr,quantity,units,bill_period_months,discount\n"
    "1,core,2023-01-01,2024-06-01,100.5,5,users,12,0.1\n"
    "2,core,2023-01-01,2023-06-01,10,5,users,1,0\n"
)
TYPES = "event_type_id,name\n0,search\n1,edit\n"


async def one(database: Database, query: str) -> Any:
    async with database.transaction() as session:
        return await session.scalar(text(query))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder like saas-crm-sim's, of a handful of rows, with its usage as CSV."""
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "subscriptions.csv").write_text(TERMS)
    (tmp_path / "event_types.csv").write_text(TYPES)
    events = [f"{1 + n % 2},2024-01-{1 + n // 2:02},{n % 2},{n},1,0.5\n" for n in range(40)]
    (tmp_path / "events_daily.csv").write_text("account_id,d,event_type_id,n,users,value\n" + "".join(events))
    document = (LIBRARY / "saas-crm-sim.yaml").read_text()
    document = document.replace("events_daily.parquet", "events_daily.csv").replace(
        "format: parquet", "format: csv"
    )
    (tmp_path / "mapping.yaml").write_text(document)
    return tmp_path


def is_balanced(counts: dict[str, Any]) -> bool:
    told = counts["stored"] + counts["duplicates"] + counts["quarantined"]
    return bool(counts["rows_read"] == told)


async def test_a_small_folder_is_imported_and_a_second_time_changes_nothing(
    database: Database, small: Path
) -> None:
    mapping = small / "mapping.yaml"
    first = summary(await import_folder(database, mapping, small, set_clock=True))
    assert (first["rows_read"], first["stored"], first["quarantined"]) == (44, 44, 0)
    assert first["facts"] == {"customer": 2, "subscription": 2, "usage": 40}
    assert first["clock"] == "2024-01-21T00:00:00+00:00"
    again = summary(await import_folder(database, mapping, small))
    assert (again["stored"], again["duplicates"]) == (0, 44)
    assert await one(database, "SELECT sum(quantity) FROM usage_daily") == sum(range(40))
    assert await one(database, "SELECT count(*) FROM customers WHERE status = 'churned'") == 1
    kinds = await one(database, "SELECT string_agg(kind, ',') FROM outbox")
    assert kinds == "customer_added,customer_added", "history announces each customer once and nothing else"


async def test_the_clock_of_a_lived_in_installation_is_not_set(database: Database, small: Path) -> None:
    await import_folder(database, small / "mapping.yaml", small)
    with pytest.raises(InvalidInputError, match="--force"):
        await import_folder(database, small / "mapping.yaml", small, set_clock=True)


async def test_an_import_goes_on_behind_the_last_batch_that_was_committed(
    database: Database, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.imports.BATCH_ROWS", 7)
    reader = FileReader()
    activities = ImportActivities(database, await open_clock(database), reader)
    order = ImportOrder("m", load_mapping(str(small / "mapping.yaml")), small)
    opened = await open_import(database, reader, order, wall_now())
    environment = ActivityEnvironment()
    await environment.run(activities.plan_import, PlanImportInput(opened.id))
    for file in (0, 1):
        await environment.run(activities.import_file, ImportFileInput(opened.id, file))
    await _import_some(activities, environment, ImportFileInput(opened.id, 2), batches=3)
    assert (await _progress(database, opened.id)).rows_read == 21
    attached = await open_import(database, reader, order, wall_now())
    assert (attached.id, attached.is_resumed) == (opened.id, True)
    await environment.run(activities.import_file, ImportFileInput(opened.id, 2))
    progress = await _progress(database, opened.id)
    assert (progress.rows_read, progress.stored, progress.duplicates) == (40, 40, 0)
    assert await one(database, "SELECT sum(events) FROM usage_daily") == 40


async def _progress(database: Database, run_id: Any) -> FileProgress:
    async with database.transaction() as session:
        return (await load_run(session, run_id)).files["events_daily.csv"]


class _Killed(Exception):  # noqa: N818  it stands for a signal
    """The worker is gone."""


async def _import_some(
    activities: ImportActivities, environment: ActivityEnvironment, request: ImportFileInput, *, batches: int
) -> None:
    """Let an attempt die behind some batches, as a killed worker does."""
    store, left = activities._store, [batches]

    async def dying(*arguments: Any) -> FileProgress:
        if left[0] == 0:
            raise _Killed
        left[0] -= 1
        return await store(*arguments)

    with pytest.MonkeyPatch.context() as killed:
        killed.setattr(activities, "_store", dying)
        with pytest.raises(_Killed):
            await environment.run(activities.import_file, request)


async def test_two_attempts_at_one_file_cannot_both_move_its_cursor(
    database: Database, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = FileReader()
    activities = ImportActivities(database, await open_clock(database), reader)
    order = ImportOrder("m", load_mapping(str(small / "mapping.yaml")), small)
    opened = await open_import(database, reader, order, wall_now())
    environment = ActivityEnvironment()
    await environment.run(activities.plan_import, PlanImportInput(opened.id))
    async with database.transaction() as session:
        stale = await load_run(session, opened.id)
    await environment.run(activities.import_file, ImportFileInput(opened.id, 0))
    monkeypatch.setattr(activities, "_run", _always(stale, order.mapping))
    with pytest.raises(Exception, match="another attempt is reading it"):
        await environment.run(activities.import_file, ImportFileInput(opened.id, 0))


def _always(*values: Any) -> Callable[..., Any]:
    async def load(_request: object) -> Any:
        return values

    return load


async def test_a_bad_row_is_replayed_after_a_fix(database: Database, small: Path) -> None:
    (small / "accounts.csv").write_text(ACCOUNTS + "three,web,2020-01-01,NY\n4,web\n")
    first = summary(await import_folder(database, small / "mapping.yaml", small))
    assert first["files"]["accounts.csv"] == {
        "rows_read": 4,
        "stored": 2,
        "duplicates": 0,
        "quarantined": 2,
        "facts": {"customer": 2},
    }
    async with database.transaction() as session:
        bad, short = await list_quarantined(session)
    assert (bad.line, bad.field, bad.reason) == (4, "account_id", "is 'three', not a whole number")
    assert (short.line, short.kind, short.raw) == (5, "malformed", {"": "4,web"})
    reader = FileReader()
    still = await replay(database, reader, bad.id, Correction(), wall_now())
    assert still.still is not None
    for row, fix in (
        (bad, Correction(cells={"account_id": "3"})),
        (short, Correction(text="4,web,2020-01-01,NY")),
    ):
        assert (await replay(database, reader, row.id, fix, wall_now())).still is None
        with pytest.raises(ConflictError, match="replayed already"):
            await replay(database, reader, row.id, fix, wall_now())
    assert await one(database, "SELECT count(*) FROM customers") == 4
    again = summary(await import_folder(database, small / "mapping.yaml", small))
    assert (again["stored"], again["quarantined"]) == (0, 2)


def test_a_mapping_that_is_wrong_is_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(
        (LIBRARY / "ravenstack.yaml").read_text().replace("feature: feature_name", "feture: feature_name")
    )
    with pytest.raises(MappingError, match=r"line \d+, .*feture: .*did you mean 'feature'\?"):
        load_mapping(str(path))
    with pytest.raises(MappingError, match="did you mean 'ravenstack'"):
        load_mapping("ravenstak")


@pytest.mark.parametrize(
    ("file", "change", "reason"),
    [
        ("accounts.csv", lambda told: told.replace("channel", "chanel"), "did you mean 'chanel'"),
        ("accounts.csv", lambda _: "", "no header"),
    ],
)
async def test_files_that_do_not_fit_are_refused_before_anything_is_stored(
    database: Database, small: Path, file: str, change: Callable[[str], str], reason: str
) -> None:
    path = small / file
    path.write_text(change(path.read_text()))
    with pytest.raises(InvalidInputError, match=reason):
        await import_folder(database, small / "mapping.yaml", small)
    assert await one(database, "SELECT count(*) FROM import_runs") == 0


Change = tuple[str, str, str]

PLANTED: dict[str, list[tuple[dict[str, str], str]]] = {
    "ravenstack_accounts.csv": [
        ({"signup_date": "2024-13-45"}, "signup_date"),
        ({"account_id": "", "account_name": "No key"}, "account_id"),
        ({"seats": "-5"}, "seats"),
        ({"plan_tier": "Platinum"}, "plan_tier"),
        ({"account_name": "Another name"}, "account_name"),
        ({"is_trial": "MAYBE"}, "is_trial"),
        ({"seats": "9999"}, "account_id"),
    ],
    "ravenstack_subscriptions.csv": [
        ({"subscription_id": "S-x1", "account_id": "A-nobody"}, "account_id"),
        ({"subscription_id": "S-x2", "mrr_amount": "-1"}, "mrr_amount"),
        ({"subscription_id": "S-x3", "mrr_amount": "many"}, "mrr_amount"),
        ({"subscription_id": "S-x4", "billing_frequency": "weekly"}, "billing_frequency"),
        ({"mrr_amount": "1"}, "subscription_id"),
        ({"end_date": "32-01-2024"}, "end_date"),
    ],
    "ravenstack_feature_usage.csv": [
        ({"usage_id": "U-x1", "subscription_id": "S-nobody"}, "subscription_id"),
        ({"usage_id": "U-x2", "usage_count": "-3"}, "usage_count"),
        ({"usage_id": "U-x3", "usage_date": "soon"}, "usage_date"),
        ({"usage_id": ""}, "usage_id"),
    ],
    "ravenstack_support_tickets.csv": [
        ({"ticket_id": "T-x1", "priority": "mild"}, "priority"),
        ({"ticket_id": "T-x2", "satisfaction_score": "9"}, "satisfaction_score"),
        ({"ticket_id": "T-x3", "closed_at": "28-07-2023"}, "closed_at"),
        ({"priority": "low"}, "priority"),
        ({"resolution_time_hours": "-1"}, "resolution_time_hours"),
    ],
    "ravenstack_churn_events.csv": [
        ({"churn_event_id": "C-x1", "reason_code": "boredom"}, "reason_code"),
        ({"churn_event_id": "C-x2", "refund_amount_usd": "lots"}, "refund_amount_usd"),
        ({"refund_amount_usd": "123"}, "churn_event_id"),
        ({"churn_event_id": "C-x3", "account_id": "A-nobody"}, "account_id"),
    ],
}
"""Per file: what is changed in a copy of its first row, and the column that is to be named."""


def plant(folder: Path) -> dict[tuple[str, int], str]:
    """Append bad rows to copies of the files; return the column expected by file and line."""
    expected: dict[tuple[str, int], str] = {}
    for name, changes in PLANTED.items():
        path = folder / name
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        ending = "" if path.read_bytes().endswith(b"\n") else "\n"
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write(ending)
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            for number, (change, column) in enumerate(changes):
                writer.writerow(rows[0] | change)
                expected[name, len(rows) + 2 + number] = column
            file.write("just,two\n")
            expected[name, len(rows) + 2 + len(changes)] = "(row)"
    return expected


@pytest.fixture
def ravenstack(tmp_path: Path) -> Path:
    folder = tmp_path / "ravenstack"
    shutil.copytree(shared_data("ravenstack"), folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    return folder


async def test_every_planted_row_is_quarantined_with_its_place_and_reason(
    database: Database, ravenstack: Path
) -> None:
    expected = plant(ravenstack)
    told = summary(await import_folder(database, "ravenstack", ravenstack))
    async with database.transaction() as session:
        kept = await list_quarantined(session)
    found = {(row.file, row.line): row.field for row in kept}
    assert expected.items() <= found.items(), {
        k: (v, found.get(k)) for k, v in expected.items() if found.get(k) != v
    }
    assert len(found) == len(expected) + 21, "and the 21 usage ids that the file has twice"
    assert all(row.reason and row.raw for row in kept)
    assert is_balanced(told)
    assert all(is_balanced(file) for file in told["files"].values())
    again = summary(await import_folder(database, "ravenstack", ravenstack))
    assert (again["stored"], again["quarantined"]) == (0, told["quarantined"])
    async with database.transaction() as session:
        assert len(await list_quarantined(session)) == len(kept)


async def test_ravenstack_is_imported_whole(database: Database) -> None:
    told = summary(await import_folder(database, "ravenstack", shared_data("ravenstack"), set_clock=True))
    assert told["facts"] == {
        "customer": 500,
        "subscription": 5000,
        "usage": 24979,
        "ticket": 2000,
        "cancellation": 600,
    }
    assert (told["rows_read"], told["duplicates"], told["quarantined"]) == (33100, 0, 21)
    assert told["clock"] == "2025-01-01T00:00:00+00:00"
    assert json.loads(json.dumps(told)) == told
    for table, count in (
        ("customers", 500),
        ("subscriptions", 5000),
        ("tickets", 2000),
        ("cancellations", 600),
    ):
        assert await one(database, f"SELECT count(*) FROM {table}") == count  # noqa: S608  names of ours
    statuses = await one(database, "SELECT count(*) FROM customers WHERE status = 'churned'")
    assert 0 < statuses < 250
    clock = await open_clock(database)
    assert clock.now() < BusinessInstant(wall_now())


@pytest.mark.proof
@pytest.mark.timeout(1800)
async def test_the_large_data_set_is_imported_whole_in_bounded_memory(database: Database) -> None:
    folder = shared_data("saas-crm-sim")
    told = summary(await import_folder(database, "saas-crm-sim", folder, set_clock=True))
    assert told["facts"] == {"customer": 753, "subscription": 20_904, "usage": 765_309}
    assert (told["rows_read"], told["quarantined"]) == (786_966, 0)
    assert await one(database, "SELECT count(*) FROM customers WHERE status = 'churned'") == 177
    assert await one(database, "SELECT sum(events) FROM usage_daily") == 765_309
    again = summary(await import_folder(database, "saas-crm-sim", folder))
    assert (again["stored"], again["duplicates"]) == (0, 786_966)
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert peak_kb < 600_000, "the whole test process, whatever the size of the files"
