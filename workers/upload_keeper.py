"""Keeps uploads going: starts their imports, takes them back, and clears away the files of those that ended.

The API only records what people ask for; this loop, beside the relay, speaks to Temporal. Whatever is away
for a while makes uploads wait, and a repetition changes nothing.
"""

import asyncio
import shutil
import uuid
from pathlib import Path

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.ports import Clock
from models.database import Database
from models.imports import note_option
from models.listening import announcements
from models.upload_undo import undo_upload
from models.uploads import CHANNEL, DONE, UNDOING, UNDONE, change_upload, list_uploads, runs_to_start
from workers.imports import start_import

POLL_SECONDS = 2.0
AT_ONCE = 100
log = structlog.get_logger("uploads")


async def keep_uploads(client: Client, database: Database, clock: Clock) -> None:
    """Look whenever something changed, and now and then, until cancelled."""
    async for _ in announcements(database.url, CHANNEL, at_least_every=POLL_SECONDS):
        try:
            await UploadKeeper(client, database, clock).look()
        except RPCError as error:
            log.warning("uploads wait for Temporal", reason=error.message)
        await asyncio.sleep(POLL_SECONDS / 4)


class UploadKeeper:
    """Does what uploads wait for."""

    def __init__(self, client: Client, database: Database, clock: Clock) -> None:
        """Take both ends and the clock."""
        self._client, self._database, self._clock = client, database, clock

    async def look(self) -> None:
        """Start, take back and clear away whatever waits for it."""
        await self._start()
        await self._undo()
        await self._end_workflows()
        await self._clear()

    async def _start(self) -> None:
        async with self._database.transaction() as session:
            waiting = await runs_to_start(session)
        for run_id in waiting:
            await start_import(self._client, run_id)
            async with self._database.transaction() as session:
                await note_option(session, run_id, "started", value=True)

    async def _undo(self) -> None:
        async with self._database.transaction() as session:
            waiting = await list_uploads(session, [UNDOING])
        for upload in waiting:
            async with self._database.transaction() as session:
                await undo_upload(session, upload.id, self._clock.now(), self._clock.wall_now())

    async def _end_workflows(self) -> None:
        """End the workflows of customers that are gone: there is nobody left to watch over."""
        async with self._database.transaction() as session:
            undone = await list_uploads(session, [UNDONE])
        for upload in undone:
            left = list((upload.undo or {}).get("end_workflows", ()))
            for customer_id in left[:]:
                await self._terminate(uuid.UUID(customer_id))
            if left:
                async with self._database.transaction() as session:
                    kept = upload.undo or {}
                    await change_upload(session, upload.id, undo=kept | {"end_workflows": []})

    async def _terminate(self, customer_id: uuid.UUID) -> None:
        handle = self._client.get_workflow_handle(f"customer/{customer_id}")
        try:
            await handle.terminate("the upload that brought this customer was undone")
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def _clear(self) -> None:
        """Delete the files of uploads that are imported; what is in quarantine is kept in the database."""
        async with self._database.transaction() as session:
            ended = await list_uploads(session, [DONE, UNDONE], AT_ONCE)
        for upload in ended:
            folder = Path(upload.folder)
            if folder.name == str(upload.id):
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
