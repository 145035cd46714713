"""Whom a contact step of a run means: by role or by behaviour, in the order of the document."""

import datetime as dt
import uuid
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from domain.guard import Recipient
from domain.playbook_contacts import Person as Described
from domain.playbook_contacts import ToPeople
from domain.time import BusinessInstant, after
from domain.vocabulary import ContactRole, Purpose, TouchpointState
from models.arrays import among_ids
from models.opt_outs import consents_of
from models.tables.customers import ContactRoleRow, ContactRow, CustomerRow
from models.tables.ledger import TouchpointRow
from models.tables.tracking import UsageContactDailyRow
from models.topic_choices import refused_topics

NOT_SENT = [TouchpointState.FAILED, TouchpointState.SUPPRESSED]


@dataclass(frozen=True)
class Person:
    """Whom a message goes to."""

    contact_id: uuid.UUID
    name: str
    email: str
    locale: str


Addressee = tuple[Person, Recipient]


async def choose_addressee(
    session: AsyncSession,
    customer: CustomerRow,
    order: ToPeople,
    purpose: Purpose,
    visits: Sequence[str],
    now: BusinessInstant,
    topic: str = "",
) -> Addressee | None:
    """Return the first reachable person whom the step means, else the first who is there at all.

    `visits` begin the effect keys of the people whom the step was for before: nobody is asked twice.
    """
    found = await everybody_meant(session, customer, order, await _asked_before(session, visits), now)
    good = (one for one in found if is_reachable(one[1], purpose, topic))
    return next(good, found[0] if found else None)


async def everybody_meant(
    session: AsyncSession,
    customer: CustomerRow,
    order: ToPeople,
    besides: AbstractSet[uuid.UUID],
    now: BusinessInstant,
) -> list[Addressee]:
    """Return everybody whom the step means, each once, the most wanted first."""
    found: dict[uuid.UUID, Addressee] = {}
    for wanted in order.to:
        for contact in await _people(session, customer.id, wanted, now):
            if contact.id not in besides and contact.id not in found:
                found[contact.id] = await _addressee(session, contact, customer)
    return list(found.values())


def is_reachable(recipient: Recipient, purpose: Purpose, topic: str = "") -> bool:
    """Tell whether a message of this purpose, on this topic, may and can go to a person."""
    agreed = purpose in recipient.consents and topic not in recipient.refused_topics
    allowed = purpose is Purpose.TRANSACTIONAL or agreed
    return recipient.has_address and not recipient.suppressed and allowed


async def _asked_before(session: AsyncSession, visits: Sequence[str]) -> set[uuid.UUID]:
    row = TouchpointRow
    asked: set[uuid.UUID] = set()
    for visit in visits:
        query = select(row.contact_id).where(
            row.effect_key.startswith(visit, autoescape=True), row.state.not_in(NOT_SENT)
        )
        asked |= {one for one in await session.scalars(query) if one is not None}
    return asked


async def _people(
    session: AsyncSession, customer_id: uuid.UUID, wanted: ContactRole | Described, now: BusinessInstant
) -> Sequence[ContactRow]:
    """Return those who are there and fit, the longest there first."""
    role = wanted if isinstance(wanted, ContactRole) else wanted.role
    row = ContactRoleRow
    there = select(row.contact_id).where(row.customer_id == customer_id, row.until.is_(None))
    if role is not None:
        there = there.where(row.role == role)
    ids = list((await session.scalars(there.order_by(row.since, row.contact_id))).all())
    fits = true() if isinstance(wanted, ContactRole) else _behaves(wanted, customer_id, now)
    query = select(ContactRow).where(among_ids(ContactRow.id, ids), ContactRow.left_at.is_(None), fits)
    found = {contact.id: contact for contact in await session.scalars(query)}
    return [found[one] for one in dict.fromkeys(ids) if one in found]


def _behaves(wanted: Described, customer_id: uuid.UUID, now: BusinessInstant) -> ColumnElement[bool]:
    """Tell of a contact whether they do, or leave undone, what is asked for."""
    tests: list[ColumnElement[bool]] = [true()]
    if wanted.inactive_for is not None:
        seen = ContactRow.last_active_at
        tests.append(seen.is_(None) | (seen <= after(now, -wanted.inactive_for)))
    if wanted.used is not None:
        tests.append(_has_used(wanted.used, customer_id, wanted.within, now))
    if wanted.never_used is not None:
        tests.append(~_has_used(wanted.never_used, customer_id, wanted.within, now))
    return and_(*tests)


def _has_used(
    feature: str, customer_id: uuid.UUID, within: dt.timedelta, now: BusinessInstant
) -> ColumnElement[bool]:
    row = UsageContactDailyRow
    return exists().where(
        row.contact_id == ContactRow.id,
        row.customer_id == customer_id,
        row.feature == feature,
        row.day > after(now, -within).date(),
    )


async def _addressee(session: AsyncSession, contact: ContactRow, customer: CustomerRow) -> Addressee:
    holding = await consents_of(session, contact.id)
    recipient = Recipient(
        key=str(contact.id),
        time_zone=contact.time_zone or customer.time_zone,
        has_address=bool(contact.email),
        suppressed=contact.suppressed_at is not None,
        consents=frozenset(purpose for purpose, granted in holding.items() if granted),
        refused_topics=frozenset(await refused_topics(session, contact.id)),
    )
    return Person(contact.id, contact.name, contact.email or "", contact.locale), recipient
