"""Imports without Temporal: the three activities in their order, as the workflow calls them."""

import os
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.contracts_imports import FinishImportInput, ImportFileInput, PlanImportInput
from activities.import_orders import ImportOrder, open_import
from activities.imports import ImportActivities
from integrations.tabular import FileReader
from models.clock import open_clock, wall_now
from models.database import Database
from models.imports import ImportRun, load_run
from models.mapping_files import load_mapping

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def shared_data(name: str) -> Path:
    """Return a folder of the shared data; without it the test is skipped, in CI it fails."""
    folder = DATA / name
    if folder.is_dir():
        return folder
    reason = f"the shared data set {name} is not beside this repository"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


async def import_folder(
    database: Database, mapping: str | Path, folder: Path, *, set_clock: bool = False
) -> ImportRun:
    """Import a folder to its end and return the run."""
    reader = FileReader()
    activities = ImportActivities(database, await open_clock(database), reader)
    order = ImportOrder(str(mapping), load_mapping(str(mapping)), folder, set_clock)
    opened = await open_import(database, reader, order, wall_now())
    environment = ActivityEnvironment()
    plan = await environment.run(activities.plan_import, PlanImportInput(opened.id))
    for file in range(plan.files):
        await environment.run(activities.import_file, ImportFileInput(opened.id, file))
    await environment.run(activities.finish_import, FinishImportInput(opened.id))
    async with database.transaction() as session:
        return await load_run(session, opened.id)
