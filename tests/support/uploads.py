"""Uploads without Temporal: files to drop, and the import as its workflow would run it."""

import uuid

from temporalio.testing import ActivityEnvironment

from activities.contracts_imports import FinishImportInput, ImportFileInput, PlanImportInput
from activities.imports import ImportActivities
from integrations.tabular import FileReader
from models.clock import open_clock, wall_now
from models.database import Database
from models.upload_undo import undo_upload
from models.uploads import Upload, load_upload, runs_to_start

CUSTOMERS = (
    "Account ID,Company,Website,ARR,Plan,Signup date,Renewal\n"
    'A-1,Northwind Traders,northwind.example,"$12,000.50",Pro,03/15/2024,2027-03-15\n'
    'A-2,Fabrikam,fabrikam.example,"$3,600",Basic,11/02/2023,2027-11-02\n'
    'A-3,Contoso,contoso.example,"$98,000",Enterprise,07/21/2022,2027-07-21\n'
)
USAGE = (
    "date;company;feature;count\n"
    "2026-01-05;A-1;export;4\n"
    "2026-01-06;A-1;search;9\n"
    "2026-01-06;fabrikam.example;search;2\n"
    "2026-01-07;Contoso;export;many\n"
    "2026-01-07;Nobody Inc;export;1\n"
)


async def import_waiting(database: Database) -> int:
    """Run every import that waits to be started, as the workflow does; return how many."""
    activities = ImportActivities(database, await open_clock(database), FileReader())
    async with database.transaction() as session:
        waiting = await runs_to_start(session)
    environment = ActivityEnvironment()
    for run_id in waiting:
        plan = await environment.run(activities.plan_import, PlanImportInput(run_id))
        for file in range(plan.files):
            await environment.run(activities.import_file, ImportFileInput(run_id, file))
        await environment.run(activities.finish_import, FinishImportInput(run_id))
    return len(waiting)


async def take_back(database: Database, upload_id: uuid.UUID) -> Upload:
    """Undo an upload that a person asked to be undone."""
    clock = await open_clock(database)
    async with database.transaction() as session:
        await undo_upload(session, upload_id, clock.now(), wall_now())
        return await load_upload(session, upload_id)
