"""Checks of whole files beside the requests that asked for them: bounded, watched, one per upload."""

import asyncio
import time
import uuid

import structlog

from activities.upload_check import UploadCheck
from api.uploads import mapping_of
from domain.errors import EverstayError
from domain.time import BusinessInstant
from integrations.tabular import FileReader
from models.changes import announce_change
from models.database import Database
from models.uploads import OPEN, Upload, change_upload, load_upload

TELL_SECONDS = 0.7
"""A long check says how far it is at most this often."""


class UploadChecks:
    """The checks under way in this process."""

    def __init__(self, database: Database) -> None:
        """Begin with none."""
        self._database = database
        self._tasks: dict[uuid.UUID, asyncio.Task[None]] = {}

    def begin(self, upload: Upload, now: BusinessInstant) -> None:
        """Check an upload anew; a check of what was chosen before is given up."""
        self.give_up(upload.id)
        task = asyncio.create_task(self._check(upload, now))
        self._tasks[upload.id] = task
        task.add_done_callback(lambda done: self._forget(upload.id, done))

    def give_up(self, upload_id: uuid.UUID) -> None:
        """End the check of an upload, if one is under way."""
        task = self._tasks.pop(upload_id, None)
        if task is not None:
            task.cancel()

    def is_under_way(self, upload_id: uuid.UUID) -> bool:
        """Whether this process is checking the upload."""
        return upload_id in self._tasks

    async def stop(self) -> None:
        """Give up everything, when the server stops."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, upload_id: uuid.UUID, task: asyncio.Task[None]) -> None:
        if self._tasks.get(upload_id) is task:
            del self._tasks[upload_id]

    async def _check(self, upload: Upload, now: BusinessInstant) -> None:
        try:
            await self._read(upload, now)
        except EverstayError as error:
            await self._tell(upload.id, {"error": str(error), "done": True})
        except Exception as error:  # noqa: BLE001  a page waits for the answer, whatever it is
            structlog.get_logger("api.uploads").exception("check failed", exc_info=error)
            await self._tell(upload.id, {"error": "The check failed; the log says why.", "done": True})

    async def _read(self, upload: Upload, now: BusinessInstant) -> None:
        check = UploadCheck(upload, mapping_of(upload), FileReader(), now)
        chunks, told = check.chunks(), 0.0
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            async with self._database.transaction() as session:
                await check.compare(session, chunk)
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                await self._tell(upload.id, check.found.document(), check.found.rows)
        check.found.done = True
        await self._tell(upload.id, check.found.document(), check.found.rows)

    async def _tell(self, upload_id: uuid.UUID, document: dict[str, object], rows: int = 0) -> None:
        async with self._database.transaction() as session:
            upload = await load_upload(session, upload_id, lock=True)
            if upload.state in OPEN:
                await change_upload(session, upload_id, checked=document, rows=rows)
                await announce_change(session)
