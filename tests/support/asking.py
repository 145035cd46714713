"""Ask for sends as the sending activity does, without a workflow and without a provider."""

import asyncio
import uuid

from sqlalchemy import insert, update

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import InterventionState, Purpose, StepState
from models.database import Database
from models.playbooks import PlaybookShelf
from models.send_claims import Begun, Route, begin_send
from models.step_visits import Visit
from models.tables.playbooks import InterventionRow, InterventionStepRow
from tests.support.forked import Told
from tests.support.runs import one_letter, open_run

SHELF = PlaybookShelf()
DOMAIN = "vendor.example"


async def letter_of(
    database: Database,
    customer_id: uuid.UUID,
    now: BusinessInstant,
    *,
    priority: int = 1,
    window: str = "30d",
    purpose: Purpose = Purpose.LIFECYCLE,
) -> Visit:
    """Open a run that stands at its letter."""
    document = one_letter(
        purpose,
        f"letter-{uuid.uuid4().hex[:12]}",
        priority=priority,
        goal={"when": "touchpoint", "window": window},
    )
    run_id = await open_run(database, document, customer_id, now)
    visit = Visit(run_id, "letter", 1)
    async with database.transaction() as session:
        position = {"step": "letter", "visits": {"letter": 1}}
        mine = update(InterventionRow).where(InterventionRow.id == run_id)
        await session.execute(mine.values(position=position, state=InterventionState.RUNNING))
        await session.execute(
            insert(InterventionStepRow).values(
                id=uuid.uuid4(),
                **vars(visit),
                kind="send_email",
                state=StepState.STARTED,
                detail={},
                started_at=now,
            )
        )
    return visit


async def ask(database: Database, visit: Visit, now: BusinessInstant) -> Begun:
    """Ask once, in a transaction of its own."""
    async with database.transaction() as session:
        return await begin_send(session, visit, SHELF, Route("fake", DOMAIN), now, WallInstant(now))


async def ask_and_hold(told: Told, url: str, visit: Visit, now: BusinessInstant) -> None:
    """Ask in a process that is killed before it commits, with the customer's row locked."""
    database = Database(url)
    async with database.transaction() as session:
        await begin_send(session, visit, SHELF, Route("fake", DOMAIN), now, WallInstant(now))
        told.send("asked")
        await asyncio.Event().wait()  # until the kill


async def ask_and_stay(told: Told, url: str, visit: Visit, now: BusinessInstant) -> None:
    """Ask in a process that is killed once it has committed, before its run is told."""
    await ask(Database(url), visit, now)
    told.send("asked")
    await asyncio.Event().wait()  # until the kill
