"""Watching an import: a live bar per file on a terminal, a line now and then elsewhere."""

import asyncio
import time
import uuid
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from temporalio.client import Client

from models.database import Database
from models.imports import RUNNING, FileProgress, ImportRun, load_run
from workers.imports import ImportFailedError, is_working

POLL_SECONDS = 0.25
ASK_EVERY = 20
"""Polls between two questions to Temporal whether someone still works."""
LINE_SECONDS = 5.0


class Board(Protocol):
    """Shows how far a run is."""

    def show(self, run: ImportRun) -> None:
        """Show the newest state."""
        ...


async def watch(database: Database, client: Client, import_id: uuid.UUID, board: Board) -> ImportRun:
    """Return the run when it has ended well; raises ImportFailedError with the reason otherwise."""
    polls = 0
    while True:
        run = await _load(database, import_id)
        board.show(run)
        if run.state != RUNNING:
            break
        polls += 1
        if polls % ASK_EVERY == 0 and not await is_working(client, import_id):
            run = await _load(database, import_id)
            if run.state == RUNNING:
                reason = f"no workflow works on {import_id}; run the command again to go on where it stopped"
                raise ImportFailedError(reason=reason)
        await asyncio.sleep(POLL_SECONDS)
    if run.error is not None:
        raise ImportFailedError(reason=run.error)
    return run


async def _load(database: Database, import_id: uuid.UUID) -> ImportRun:
    async with database.transaction() as session:
        return await load_run(session, import_id)


class LiveBoard:
    """Bars on a terminal."""

    def __init__(self, console: Console) -> None:
        """Draw on this console."""
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[rows]:>9,} rows"),
            TextColumn("[yellow]{task.fields[bad]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last picture standing."""
        self._progress.stop()

    def show(self, run: ImportRun) -> None:
        """Move the bars."""
        for name, file in run.files.items():
            bad = f"{file.quarantined:,} in quarantine" if file.quarantined else ""
            if name not in self._tasks:
                self._tasks[name] = self._progress.add_task(name, rows=0, bad="", start=False)
            if file.position.offset and not self._progress.tasks[self._tasks[name]].started:
                self._progress.start_task(self._tasks[name])
            self._progress.update(
                self._tasks[name],
                total=max(file.size, 1),
                completed=max(file.size, 1) if file.done else file.position.offset,
                rows=file.rows_read,
                bad=bad,
            )


class LineBoard:
    """A line every few seconds, for logs."""

    def __init__(self, console: Console) -> None:
        """Print to this console."""
        self._console, self._next = console, 0.0

    def show(self, run: ImportRun) -> None:
        """Print which file is being read, now and then."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LINE_SECONDS
        for name, file in run.files.items():
            if not file.done:
                self._console.print(f"{name}: {_share(file):.0%}, {file.rows_read:,} rows")
                return


def _share(file: FileProgress) -> float:
    return file.position.offset / max(file.size, 1)
