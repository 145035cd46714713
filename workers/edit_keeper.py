"""Carries out edits of playbooks that were interrupted: whoever published them may be gone."""

import asyncio

from domain.ports import Clock
from models.database import Database
from models.playbook_edits import finish_edits

EVERY_SECONDS = 60.0


async def keep_edits(database: Database, clock: Clock) -> None:
    """Look now and then for an edit that is not carried out yet, until cancelled."""
    while True:
        await finish_edits(database, clock)
        await asyncio.sleep(EVERY_SECONDS)
