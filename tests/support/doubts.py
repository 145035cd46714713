"""Effects of which nobody knows, of a run and of a case, each with the task that asks a person."""

import datetime as dt
import uuid

from sqlalchemy import insert, select

from domain.case_vocabulary import CaseKind
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import EffectState, Severity, SignalKind, TaskState
from models.cases import NewCase, open_case
from models.clock import wall_now
from models.database import Database
from models.tables.ledger import EffectRow
from models.tables.playbooks import InterventionRow
from models.tables.work import TaskRow
from tests.support.endpoints import KEY
from tests.support.events import messages, stage_of, subscribe_to
from tests.support.simulators import Receiver, running_receiver
from tests.support.steps import MONDAY, HandClock
from tests.support.webhook_news import some_news


async def doubt(
    database: Database, origin: str, customer_id: uuid.UUID, owner_id: uuid.UUID | None = None
) -> str:
    """Put an effect in doubt, and the question to its owner; return its key."""
    key = f"{origin}somebody"
    async with database.transaction() as session:
        await session.execute(
            insert(EffectRow).values(
                key=key,
                delivery_id=uuid.uuid4().hex,
                kind="email",
                payload_hash="h",
                customer_id=customer_id,
                state=EffectState.UNCERTAIN,
                attempts=2,
                claimed_at=WallInstant(wall_now() - dt.timedelta(days=400)),
                provider="sendgrid",
                error="it did not answer in time",
            )
        )
        await session.execute(
            insert(TaskRow).values(
                id=uuid.uuid4(),
                customer_id=customer_id,
                effect_key=f"{origin}uncertain",
                kind="review",
                title="Find out whether it arrived",
                body="",
                severity=Severity.HIGH,
                assignee_id=owner_id,
                state=TaskState.OPEN,
                created_at=MONDAY,
                due_at=MONDAY,
            )
        )
    return key


async def a_run(database: Database) -> InterventionRow:
    """Any run of the sample."""
    async with database.transaction() as session:
        row = InterventionRow
        query = select(row).where(row.state == "running").order_by(row.id).limit(1)
        found = (await session.scalars(query)).one()
        session.expunge(found)
        return found


async def a_case(database: Database, customer_id: uuid.UUID, now: BusinessInstant = MONDAY) -> uuid.UUID:
    """Open a case of unpaid money."""
    subject = uuid.uuid4().hex
    new = NewCase(
        CaseKind.DUNNING, customer_id, subject, f"dunning/{subject}", {}, "reminding", "It is unpaid."
    )
    async with database.transaction() as session:
        found = await open_case(session, new, now, wall_now())
    assert found is not None
    return found


async def outgoing_sample(database_url: str, customer_id: uuid.UUID) -> tuple[str, ...]:
    """Put an effect in doubt and let an endpoint refuse an event; return the pages that show both."""
    database = Database(database_url)
    receiver = Receiver(status=500)
    try:
        run = await a_run(database)
        key = await doubt(database, f"{run.id}/hello/9/", run.customer_id)
        async with running_receiver(receiver) as url:
            await subscribe_to(database, url, ["run.*", "signal.opened"])
            await some_news(database, customer_id, SignalKind.USAGE_DROP)
            await some_news(database, customer_id, SignalKind.QBR_MISSED)
            await stage_of(database, HandClock(wall=wall_now())).post_all()
        async with database.transaction() as session:
            name = await session.scalar(select(EffectRow.delivery_id).where(EffectRow.key == key))
        message = (await messages(database))[0]
    finally:
        await database.close()
    endpoint = f"/endpoints/{KEY}"
    return "/effects", f"/effects/{name}", "/endpoints", endpoint, f"{endpoint}/messages/{message.id}"
