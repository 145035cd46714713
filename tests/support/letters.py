"""A message that we sent, and what its provider says of it."""

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any

from httpx import Response
from sqlalchemy import func, insert, select

from domain.vocabulary import (
    Channel,
    Direction,
    EffectState,
    NoticeKind,
    Purpose,
    TouchpointState,
)
from models.clock import wall_now
from models.database import Database
from models.tables.customers import ContactRow
from models.tables.ledger import EffectRow, OutboxRow, ProviderEventRow, TouchpointRow
from tests.support.sample_rows import NOW, SOURCE, Sample
from tests.support.web import Client, provider_key


@dataclass(frozen=True)
class Letter:
    """What tests ask for."""

    delivery_id: str
    customer_id: uuid.UUID
    contact_id: uuid.UUID
    provider_message_id: str = "msg-1"


async def sent_letter(database: Database, sample: Sample, state: EffectState = EffectState.SENT) -> Letter:
    """Write a message to the first person of the second customer, as the sending activity does."""
    customer = sample.customers[1]
    letter = Letter(uuid.uuid4().hex, customer, sample.contacts[customer][0])
    key, now = f"run/mail/{letter.delivery_id}/{letter.contact_id}", NOW
    async with database.transaction() as session:
        await session.execute(
            insert(EffectRow).values(
                key=key,
                delivery_id=letter.delivery_id,
                kind="email",
                payload_hash="0",
                customer_id=customer,
                state=state,
                attempts=1,
                claimed_at=wall_now(),
                provider="sendgrid",
                provider_message_id=letter.provider_message_id,
            )
        )
        await session.execute(
            insert(TouchpointRow).values(
                id=uuid.uuid4(),
                source_id=SOURCE,
                external_id=letter.delivery_id,
                content_hash="0",
                customer_id=customer,
                contact_id=letter.contact_id,
                effect_key=key,
                direction=Direction.OUT,
                channel=Channel.EMAIL,
                purpose=Purpose.LIFECYCLE,
                state=TouchpointState(state.value),
                occurred_at=now,
                known_at=now,
            )
        )
    return letter


def event(letter: Letter | None, kind: str, **fields: Any) -> dict[str, Any]:
    """One event in SendGrid's words; a person takes a minute to react."""
    later = 60 if kind in {"open", "click"} else 0
    ours = {"delivery_id": letter.delivery_id} if letter else {}
    return {
        "event": kind,
        "sg_event_id": uuid.uuid4().hex,
        "timestamp": int(dt.datetime.now(dt.UTC).timestamp()) + later,
        "email": "hanna@customer1.example",
        "sg_message_id": "msg-1.filter-2",
        **ours,
        **fields,
    }


async def post_events(client: Client, *events: dict[str, Any]) -> Response:
    """Deliver a signed batch."""
    body = json.dumps(events).encode()
    headers = {"content-type": "application/json", **provider_key().headers(body)}
    return await client.post("/webhooks/sendgrid/events", content=body, headers=headers)


async def waiting_events(database: Database) -> int:
    """How many stored events still wait to be applied."""
    async with database.transaction() as session:
        query = (
            select(func.count()).select_from(ProviderEventRow).where(ProviderEventRow.applied_at.is_(None))
        )
        return await session.scalar(query) or 0


async def states(database: Database, letter: Letter) -> tuple[EffectState, TouchpointState]:
    """What the ledger says of the message."""
    async with database.transaction() as session:
        query = (
            select(EffectRow.state, TouchpointRow.state)
            .join(TouchpointRow, TouchpointRow.effect_key == EffectRow.key)
            .where(EffectRow.delivery_id == letter.delivery_id)
        )
        effect, touchpoint = (await session.execute(query)).one()
    return effect, touchpoint


async def suppression(database: Database, contact_id: uuid.UUID) -> str | None:
    """Why we write to them no more."""
    async with database.transaction() as session:
        query = select(ContactRow.suppressed_reason).where(ContactRow.id == contact_id)
        return await session.scalar(query)


async def notices(database: Database, customer_id: uuid.UUID) -> list[NoticeKind]:
    """What the customer's workflow will hear."""
    async with database.transaction() as session:
        query = select(OutboxRow.kind).where(OutboxRow.customer_id == customer_id).order_by(OutboxRow.id)
        return list((await session.scalars(query)).all())
