"""Imports: files of a folder become facts by a mapping, batch by batch, each with its cursor."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beats import beating
from activities.contracts_imports import (
    FinishImportInput,
    FinishImportResult,
    ImportContract,
    ImportFileInput,
    ImportFileResult,
    PlanImportInput,
    PlanImportResult,
)
from activities.import_plan import PlannedFile, end_of_data, load_lookups, plan_files, table_of
from activities.import_rows import RowBatch, batches
from activities.upload_people import link_upload
from domain.errors import ConflictError, InvalidInputError
from domain.mapping import Mapping
from domain.mapping_rows import RowConverter
from domain.ports import Clock
from domain.tabular import Position, TableReader
from domain.time import BusinessInstant
from models.changes import announce_change
from models.customer_standing import customers_of, refresh_customers
from models.database import Database
from models.facts import store_facts
from models.facts_notices import announce_customers
from models.import_clock import business_now, set_clock
from models.imports import (
    DONE,
    FAILED,
    FileProgress,
    ImportRun,
    end_run,
    load_run,
    note_option,
    save_progress,
)
from models.outbox import put_notices
from models.quarantine import quarantine
from models.source_days import count_day
from models.sources import get_source, reconnect_at
from models.uploads import UPLOAD, note_ended

BATCH_ROWS = 5_000
"""Rows per transaction: large enough for set-wise work, small enough for memory and a quick resume."""
REFRESH_AT_ONCE = 2_000


class ImportActivities(ImportContract):
    """The three steps of an import."""

    def __init__(self, database: Database, clock: Clock, reader: TableReader) -> None:
        """Take the database, the wall's clock and the reader of tables."""
        self._database, self._clock, self._reader = database, clock, reader

    @activity.defn(name="plan_import")
    async def plan_import(self, request: PlanImportInput) -> PlanImportResult:
        """Find the files, check their headers, connect the source and set the clock if asked."""
        async with beating(), final_when_invalid():
            run, mapping = await self._run(request)
            files = await asyncio.to_thread(plan_files, mapping, run.folder, self._reader)
            if run.options.get("set_clock") and "clock" not in run.options:
                await self._set_clock(run, mapping, files)
            planned = {
                file.path.name: FileProgress(file.spec.name, order, file.size)
                for order, file in enumerate(files)
                if file.path.name not in run.files
            }
            async with self._database.transaction() as session:
                await save_progress(session, run.id, planned)
        return PlanImportResult(len(files))

    async def _run(self, request: PlanImportInput | ImportFileInput) -> tuple[ImportRun, Mapping]:
        async with self._database.transaction() as session:
            run = await load_run(session, request.import_id)
        return run, Mapping.model_validate(run.document)

    async def _set_clock(self, run: ImportRun, mapping: Mapping, files: list[PlannedFile]) -> None:
        """Let the business day after the data's last begin, before any fact is stored; never the future."""
        end = await asyncio.to_thread(end_of_data, mapping, files, self._reader)
        wall = self._clock.wall_now()
        at = min(end, BusinessInstant(wall))
        async with self._database.transaction() as session:
            await set_clock(session, at, wall)
            await note_option(session, run.id, "clock", at.isoformat())
            now = await business_now(session, self._clock.wall_now())
            await note_option(session, run.id, "now", now.isoformat())
            await reconnect_at(session, run.source_id, now)

    @activity.defn(name="import_file")
    async def import_file(self, request: ImportFileInput) -> ImportFileResult:
        """Store one file batch by batch; a repeated attempt goes on behind the last batch."""
        async with beating(), final_when_invalid():
            run, mapping = await self._run(request)
            name, progress = list(run.files.items())[request.file]
            spec = next(file for file in mapping.files if file.name == progress.spec)
            lookups = await asyncio.to_thread(load_lookups, mapping, run.folder, self._reader)
            converter = RowConverter(spec, mapping.source, lookups, run.now)
            rows = self._reader.rows(run.folder / name, table_of(spec), progress.position)
            cut = batches(name, rows, converter, BATCH_ROWS)
            ahead = asyncio.create_task(asyncio.to_thread(next, cut, None))
            while (batch := await ahead) is not None:
                ahead = asyncio.create_task(asyncio.to_thread(next, cut, None))
                progress = await self._store(run, progress, batch, converter)
            progress = await self._close(run, name, progress)
        return ImportFileResult(
            progress.rows_read, progress.stored, progress.duplicates, progress.quarantined
        )

    async def _store(
        self, run: ImportRun, progress: FileProgress, batch: RowBatch, converter: RowConverter
    ) -> FileProgress:
        """Store a batch, its bad rows and the cursor behind it in one transaction."""
        wall = self._clock.wall_now()
        async with self._database.transaction() as session:
            locked = await load_run(session, run.id, lock=True)
            if locked.files[batch.file].position != progress.position:
                raise ConflictError(what=batch.file, reason="another attempt is reading it")
            if run.document["source"]["kind"] == UPLOAD:
                now = await business_now(session, wall)
                await link_upload(session, run.source_id, batch, now)
            result = await store_facts(session, run.source_id, batch.facts, received_at=wall, announces=False)
            tally = batch.settle(result, converter)
            await quarantine(session, run.id, run.source_id, list(batch.bad.values()), wall)
            counts = {name: getattr(tally, name) for name in ("stored", "duplicates", "quarantined")}
            await count_day(session, run.source_id, wall.date(), progress.spec, **counts)
            moved = replace(
                progress,
                position=batch.end,
                stored=progress.stored + tally.stored,
                duplicates=progress.duplicates + tally.duplicates,
                quarantined=progress.quarantined + tally.quarantined,
                facts=_added(progress.facts, tally.facts),
            )
            await save_progress(session, run.id, {batch.file: moved})
            await announce_change(session)
        return moved

    async def _close(self, run: ImportRun, name: str, progress: FileProgress) -> FileProgress:
        end = Position(progress.size, progress.position.line, progress.position.rows)
        closed = replace(progress, position=end, done=True)
        async with self._database.transaction() as session:
            await save_progress(session, run.id, {name: closed})
        return closed

    @activity.defn(name="finish_import")
    async def finish_import(self, request: FinishImportInput) -> FinishImportResult:
        """Bring every customer of the source in step, announce the new ones, and record the end."""
        async with beating():
            wall = self._clock.wall_now()
            async with self._database.transaction() as session:
                run = await load_run(session, request.import_id)
                ids = await customers_of(session, run.source_id)
            for first in range(0, len(ids), REFRESH_AT_ONCE):
                async with self._database.transaction() as session:
                    source = await get_source(session, run.source_id)
                    now = await business_now(session, wall)
                    some = ids[first : first + REFRESH_AT_ONCE]
                    changed = await refresh_customers(session, some, now, wall)
                    live = [notice for notice, known_at in changed if known_at >= source.connected_at]
                    await put_notices(session, live, wall)
                    await announce_customers(session, some, wall)
            async with self._database.transaction() as session:
                state = DONE if request.error is None else FAILED
                await end_run(session, run.id, state, self._clock.wall_now(), request.error)
                await note_ended(session, run.id, state)
                await announce_change(session)
                now = await business_now(session, wall)
        return FinishImportResult(now.date() if ids or run.total("stored") else None)


def _added(one: object, other: dict[str, int]) -> dict[str, int]:
    total = dict(one) if isinstance(one, dict) else {}
    for kind, count in other.items():
        total[kind] = total.get(kind, 0) + count
    return total


@contextlib.asynccontextmanager
async def final_when_invalid() -> AsyncIterator[None]:
    """End the import at once where a person must mend something: no retry would."""
    try:
        yield
    except InvalidInputError as error:
        raise ApplicationError(str(error), type="InvalidInputError", non_retryable=True) from error
