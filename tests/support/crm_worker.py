"""A process that writes at the CRM and stops around a call, so that a test can kill it there."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from activities.crm_writing import CrmPerformer
from domain.crm import SETTLE, CrmWriter
from domain.time import BusinessInstant
from integrations.providers import open_crm_writer
from models.crm_writes import NOTE, PROPERTIES, CrmTools
from models.database import Database
from tests.support.forked import Told
from tests.support.pulls import CIPHER
from tests.support.scenario import Scenario
from tests.support.steps import HandClock, Standing
from tests.support.worker_at import Point

Answer = TypeVar("Answer")


@dataclass
class StoppingWriter:
    """The real writer, which stops just before the CRM is called with one part, or just after it answered."""

    writer: CrmWriter
    part: str
    point: Point

    async def set_properties(self, company: str, properties: Mapping[str, str]) -> None:
        """Set them, around the stop."""
        await self._around(PROPERTIES, lambda: self.writer.set_properties(company, properties))

    async def add_note(self, company: str, text: str, delivery_id: str, at: BusinessInstant) -> str:
        """Leave it, around the stop."""
        return await self._around(NOTE, lambda: self.writer.add_note(company, text, delivery_id, at))

    async def find_note(self, delivery_id: str) -> str | None:
        """Look for it."""
        return await self.writer.find_note(delivery_id)

    async def _around(self, part: str, call: Callable[[], Awaitable[Answer]]) -> Answer:
        if (part, self.point.name) == (self.part, "before_call"):
            await self.point.stop_here(part)
        answer = await call()
        if (part, self.point.name) == (self.part, "after_call"):
            await self.point.stop_here(part)
        return answer


async def write_until_killed(told: Told, database_url: str, run_id: uuid.UUID, part: str, point: str) -> None:
    """Do the step of the run, and stop at the point, for ever."""
    database = Database(database_url)

    @asynccontextmanager
    async def stopping(
        provider: str, options: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> AsyncIterator[CrmWriter]:
        async with open_crm_writer(provider, options, secrets) as writer:
            yield StoppingWriter(writer, part, Point(point, told))

    clock = HandClock()
    standing = Standing(database, Scenario(database, clock.now()), run_id, "write_crm", clock)
    await standing.perform(CrmPerformer(database, clock, CrmTools(CIPHER, SETTLE), stopping))
