"""Who a source's keys stand for: what was said of them, whom they were matched with, who was made of them.

`tracked_traits` keeps what was said of every user and group that named itself; `identities` says, dated,
which contact or customer that is. A key that anybody ever linked or unlinked by hand is matched no more.
Whatever is learnt of a key marks it (`is_news`), so that its held events are looked at again.
"""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.facts import ContactFact, CustomerFact
from domain.time import BusinessInstant, WallInstant
from domain.tracked import (
    KeyTold,
    company_domain,
    company_name,
    department_of,
    email_of,
    employees_of,
    person_name,
    time_zone_of,
    word_of,
)
from models import identity_queries as sql
from models.facts import store_facts


async def tell(session: AsyncSession, told: Sequence[KeyTold]) -> None:
    """Keep what calls said, the newest word for each trait."""
    if told:
        rows = [
            {
                "source_id": one.source_id,
                "kind": one.kind,
                "key": one.key,
                "traits": _with_marks(one),
                "group_key": one.group_key,
                "stands_for": one.stands_for,
                "told_at": one.told_at.isoformat(),
            }
            for one in told
        ]
        await session.execute(text(sql.TELL), {"told": json.dumps(rows)})


def _with_marks(told: KeyTold) -> dict[str, object]:
    """Add what is matched by, as we read it: $email of a user, $domain of a group."""
    mark = ("$domain", company_domain(told.traits)) if told.kind == "group" else ("$email", _mail(told))
    return told.traits | ({mark[0]: mark[1]} if mark[1] else {})


def _mail(told: KeyTold) -> str | None:
    return email_of(told.traits) or email_of({"email": told.key})


async def resolve(session: AsyncSession, now: BusinessInstant, wall: WallInstant) -> None:
    """Find or make the customers and contacts of what was staged; mark every key that was learnt of."""
    await session.execute(text(sql.MEET))
    await _match(session, "group", sql.MET.format(column="group_key"))
    if await _make_companies(session, now, wall):
        await _match(session, "group", sql.MET.format(column="group_key"))
    await _match(session, "user", sql.MET.format(column="user_key"))
    if await _make_people(session, now, wall):
        await _match(session, "user", sql.MET.format(column="user_key"))
    await session.execute(text(sql.FOLLOW))
    await _rename_people(session)
    await _retell_companies(session, now, wall)


async def match_everything(session: AsyncSession) -> int:
    """Match the keys that nobody is known for with whom other sources told of meanwhile; return how many."""
    return await _match(session, "group", "true") + await _match(session, "user", "true")


async def _match(session: AsyncSession, kind: str, scope: str) -> int:
    statement = sql.MATCH_GROUPS if kind == "group" else sql.MATCH_USERS
    found = (await session.execute(text(statement.format(scope=scope)), {"kind": kind})).all()
    if found:
        await mark(session, kind, [(row.source_id, row.key) for row in found])
    return len(found)


async def mark(session: AsyncSession, kind: str, keys: Sequence[tuple[str, str]]) -> None:
    """Have the held events of these keys, and of those who belong to them, looked at again."""
    sources, names = zip(*keys, strict=True)
    values = {"sources": list(sources), "keys": list(names), "kind": kind}
    await session.execute(text(sql.MARK_KIND[kind]), values)


async def _make_companies(session: AsyncSession, now: BusinessInstant, wall: WallInstant) -> int:
    """Make customers of unknown groups where the source may."""
    facts: dict[str, list[CustomerFact]] = {}
    for row in (await session.execute(text(sql.NEW_COMPANIES))).all():
        facts.setdefault(row.source_id, []).append(company_fact(row.key, row.traits, now))
    for source_id, told in facts.items():
        await store_facts(session, source_id, told, received_at=wall)
    return len(facts)


async def _retell_companies(session: AsyncSession, now: BusinessInstant, wall: WallInstant) -> None:
    """Move customers forward that this very source made."""
    facts: dict[str, list[CustomerFact]] = {}
    for row in (await session.execute(text(sql.OWN_COMPANIES))).all():
        facts.setdefault(row.source_id, []).append(company_fact(row.key, row.traits, now))
    for source_id, told in facts.items():
        await store_facts(session, source_id, told, received_at=wall)


def company_fact(key: str, traits: dict[str, object], known_at: BusinessInstant) -> CustomerFact:
    """Return a group as a customer."""
    return CustomerFact(
        key=key,
        known_at=known_at,
        name=company_name(traits, key),
        domain=company_domain(traits),
        industry=word_of(traits, "industry"),
        country=word_of(traits, "country"),
        time_zone=time_zone_of(traits),
        employees=employees_of(traits),
        plan=word_of(traits, "plan", "plan_name"),
    )


async def _make_people(session: AsyncSession, now: BusinessInstant, wall: WallInstant) -> int:
    """Make contacts of users who were identified and whose customer is known."""
    facts: dict[str, list[ContactFact]] = {}
    customers: dict[str, uuid.UUID] = {}
    for row in (await session.execute(text(sql.NEW_PEOPLE))).all():
        name = person_name(row.traits, row.key)
        if name is not None:
            customers[str(row.customer_id)] = row.customer_id
            since = min(BusinessInstant(row.told_at), now)
            facts.setdefault(row.source_id, []).append(_contact_fact(row, name, since, now))
    for source_id, told in facts.items():
        await store_facts(session, source_id, told, received_at=wall, customers=customers)
    return len(facts)


def _contact_fact(row: Row[Any], name: str, since: BusinessInstant, now: BusinessInstant) -> ContactFact:
    traits: dict[str, object] = row.traits
    return ContactFact(
        key=row.key,
        customer=str(row.customer_id),
        known_at=now,
        name=name,
        email=email_of(traits) or email_of({"email": row.key}),
        department=department_of(traits),
        time_zone=time_zone_of(traits),
        since=since,
    )


async def _rename_people(session: AsyncSession) -> None:
    """Move contacts forward that this very source made; whom another source told of stays as told there."""
    people = [
        {
            "id": str(row.id),
            "name": person_name(row.traits, row.key) or row.key,
            "email": email_of(row.traits),
            "department": department_of(row.traits),
            "time_zone": time_zone_of(row.traits),
            "told_at": row.told_at.isoformat(),
        }
        for row in (await session.execute(text(sql.OWN_PEOPLE))).all()
    ]
    if people:
        await session.execute(text(sql.RENAME), {"people": json.dumps(people)})


async def current(session: AsyncSession, source_id: str, kind: str, key: str) -> uuid.UUID | None:
    """Return whom a key stands for now."""
    query = """
        SELECT COALESCE(contact_id, customer_id) FROM identities
        WHERE source_id = :source_id AND kind = :kind AND key = :key AND until IS NULL
    """
    found: uuid.UUID | None = await session.scalar(
        text(query), {"source_id": source_id, "kind": kind, "key": key}
    )
    return found
