"""People and subjects in what providers tell: whom we know already, and what was said first."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.facts import ContactFact, Fact
from domain.time import BusinessInstant
from models.arrays import among
from models.customer_matching import GROUP, USER, linked, people_named
from models.facts_batch import fact_id
from models.tables.customers import ContactRoleRow, ContactRow
from models.tables.facts import TicketRow
from models.tables.ledger import TouchpointRow
from models.tables.tracking import IdentityRow

Entries = list[tuple[int, Fact]]
"""Facts, each with the number of the object that told it."""


async def without_known_people(
    session: AsyncSession, source_id: str, entries: Entries, now: BusinessInstant
) -> Entries:
    """Link a person whom another source has told of at the same customer, instead of having them twice."""
    same = await link_known_people(session, source_id, [fact for _, fact in entries], now)
    return [(n, fact) for n, fact in entries if not (isinstance(fact, ContactFact) and fact.key in same)]


async def link_known_people(
    session: AsyncSession, source_id: str, facts: Sequence[Fact], now: BusinessInstant
) -> Collection[str]:
    """Link the people whom another source has told of at the same customer; return their keys here."""
    people = {fact.key: fact for fact in facts if isinstance(fact, ContactFact) and fact.email}
    if not people:
        return ()
    customers = await linked(session, source_id, GROUP, [fact.customer for fact in people.values()])
    mail = func.lower(ContactRow.email)
    query = (
        select(mail, ContactRoleRow.customer_id, ContactRow.id)
        .join(ContactRoleRow, ContactRoleRow.contact_id == ContactRow.id)
        .where(ContactRow.source_id != source_id, ContactRoleRow.until.is_(None))
        .where(among(mail, [(fact.email or "").lower() for fact in people.values()]))
    )
    known = {(one, customer): contact for one, customer, contact in await session.execute(query)}
    same: dict[str, uuid.UUID] = {}
    for key, fact in people.items():
        contact = known.get(((fact.email or "").lower(), customers.get(fact.customer, uuid.UUID(int=0))))
        if contact is not None:
            same[key] = contact
    await _link_people(session, source_id, same, now)
    return same.keys()


async def _link_people(
    session: AsyncSession, source_id: str, same: Mapping[str, uuid.UUID], now: BusinessInstant
) -> None:
    rows = [
        {
            "id": fact_id(source_id, f"identity/{USER}/{now.isoformat()}", key),
            "source_id": source_id,
            "kind": USER,
            "key": key,
            "contact_id": contact,
            "customer_id": None,
            "since": now,
            "until": None,
            "made_by": "match",
        }
        for key, contact in same.items()
    ]
    if rows:
        await session.execute(insert(IdentityRow).on_conflict_do_nothing(), rows)


async def aligned(session: AsyncSession, source_id: str, entries: Entries) -> Entries:
    """Keep the first subject of a request or message, and name nobody where nobody was named.

    Providers let people edit a subject; to us it is content, and other content under a key is a conflict.
    A person who cannot be named yet is left out instead of leaving the whole request out.
    """
    people = {getattr(fact, "contact", None) for _, fact in entries} - {None}
    known_people = await people_named(session, source_id, [str(one) for one in people])
    known_people |= {fact.key for _, fact in entries if isinstance(fact, ContactFact)}
    first: dict[tuple[str, str], tuple[str | None, uuid.UUID | None]] = {}
    for kind, table in (("ticket", TicketRow), ("touchpoint", TouchpointRow)):
        keys = [fact.key for _, fact in entries if fact.type == kind]
        query = select(table.external_id, table.subject, table.contact_id).where(
            table.source_id == source_id, among(table.external_id, keys)
        )
        for key, subject, contact in (await session.execute(query)) if keys else ():
            first[kind, key] = (subject, contact)
    return [(n, _align(fact, first, known_people)) for n, fact in entries]


def _align(
    fact: Fact, first: Mapping[tuple[str, str], tuple[str | None, uuid.UUID | None]], people: set[str]
) -> Fact:
    changes: dict[str, Any] = {}
    if (fact.type, fact.key) in first:
        changes["subject"], contact = first[fact.type, fact.key]
        if contact is None:
            changes["contact"] = None
    named = getattr(fact, "contact", None)
    if named is not None and named not in people:
        changes["contact"] = None
    return fact.model_copy(update=changes) if changes else fact
