"""Recording what is to be imported: refused before anything is written, found again if asked twice."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from activities.import_plan import end_of_data, plan_files
from domain.mapping import Mapping
from domain.tabular import TableReader
from domain.time import WallInstant
from models.database import Database
from models.import_clock import business_now, refuse_to_set_clock
from models.imports import RUNNING, ImportRun, create_run, find_unfinished
from models.sources import Source, connect_source


@dataclass(frozen=True)
class ImportOrder:
    """What a person asks for."""

    name: str
    mapping: Mapping
    folder: Path
    set_clock: bool = False
    force: bool = False


@dataclass(frozen=True)
class Opened:
    """The run to watch, and whether it was under way already."""

    id: uuid.UUID
    is_resumed: bool


async def open_import(
    database: Database, reader: TableReader, order: ImportOrder, wall: WallInstant
) -> Opened:
    """Return the unfinished run of the same mapping and folder, or record a new one.

    Raises InvalidInputError for files that do not fit the mapping, before anything is written.
    """
    document = order.mapping.model_dump(mode="json")
    async with database.transaction() as session:
        found = await find_unfinished(session, order.mapping.source.id, order.folder, document)
        if found is not None:
            return Opened(found, is_resumed=True)
        files = plan_files(order.mapping, order.folder, reader)
        if order.set_clock:
            end_of_data(order.mapping, files, reader)
            if not order.force:
                await refuse_to_set_clock(session)
        spec = order.mapping.source
        now = await business_now(session, wall)
        source = Source(spec.id, spec.name, spec.kind, spec.provides, now, spec.rhythm_hours)
        await connect_source(session, source)
        options = {"set_clock": order.set_clock, "now": now.isoformat()}
        run = ImportRun(
            uuid.uuid4(), spec.id, order.name, document, order.folder, options, RUNNING, {}, None, wall, None
        )
        await create_run(session, run)
    return Opened(run.id, is_resumed=False)
