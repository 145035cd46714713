"""What people who get our mail do on the pages that it links to."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from domain.errors import NotFoundError
from domain.time import BusinessInstant, WallInstant, after
from domain.vocabulary import Channel, Severity, TaskState
from models.changes import announce_change
from models.database import Session
from models.inbound_email import receive_touch
from models.tables.customers import ContactRoleRow, ContactRow, CustomerRow
from models.tables.system import InstallationRow
from models.tables.work import TaskRow

CALL_DUE = dt.timedelta(days=1)


@dataclass(frozen=True)
class Recipient:
    """A person at the customer that they joined last."""

    contact_id: uuid.UUID
    name: str
    customer_id: uuid.UUID
    csm_id: uuid.UUID | None
    company_name: str


async def load_recipient(session: Session, contact_id: uuid.UUID) -> Recipient:
    """Return who the link is about; raises NotFoundError when they are at no customer any more."""
    company = select(InstallationRow.company_name).where(InstallationRow.id == 1).scalar_subquery()
    query = (
        select(
            ContactRow.id, ContactRow.name, CustomerRow.id, CustomerRow.csm_id, func.coalesce(company, "us")
        )
        .join(ContactRoleRow, ContactRoleRow.contact_id == ContactRow.id)
        .join(CustomerRow, CustomerRow.id == ContactRoleRow.customer_id)
        .where(ContactRow.id == contact_id)
        .order_by(ContactRoleRow.until.is_not(None), ContactRoleRow.since.desc(), CustomerRow.id)
        .limit(1)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError(what="person", key="this link names")
    return Recipient(*row)


async def ask_for_a_call(
    session: Session, person: Recipient, now: BusinessInstant, wall: WallInstant
) -> bool:
    """Give the owner a task to call, once a day however often the button is pressed."""
    key = f"talk/{person.contact_id}/{now.date().isoformat()}"
    statement = insert(TaskRow).values(
        id=uuid.uuid4(),
        customer_id=person.customer_id,
        effect_key=key,
        kind="call",
        title=f"Call {person.name}: they asked for it",
        body="They pressed “ask for a call” in one of our e-mails.",
        severity=Severity.HIGH,
        assignee_id=person.csm_id,
        state=TaskState.OPEN,
        created_at=now,
        due_at=after(now, CALL_DUE),
    )
    fresh = statement.on_conflict_do_nothing(index_elements=["effect_key"]).returning(TaskRow.id)
    if await session.scalar(fresh) is None:
        return False
    known = (person.customer_id, person.contact_id, None)
    await receive_touch(session, known, key, Channel.NOTE, "Asked for a call", now, wall)
    await announce_change(session)
    return True
