"""Who a provider's companies and payers are, by what it tells of them: kept, and tried again."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.pulling import Hint
from domain.time import BusinessInstant
from models.arrays import among
from models.customer_matching import GROUP
from models.facts import CUSTOMERS
from models.facts_batch import fact_id
from models.sources import Source
from models.tables.customers import ContactRoleRow, ContactRow, CustomerRow
from models.tables.tracking import IdentityRow, TrackedTraitRow

MATCH = "match"
TOLD = "company"
"""What is told of a provider's company is kept apart from a tracking client's groups, whose keys are our own
customers' ids: a provider's number says nothing across systems."""
Owners = dict[str, set[uuid.UUID]]


async def remember_hints(
    session: AsyncSession, source_id: str, hints: Sequence[Hint], at: BusinessInstant
) -> None:
    """Keep what was told of each key, so that a customer who comes later is recognised too."""
    rows = [
        {
            "source_id": source_id,
            "kind": TOLD,
            "key": hint.key,
            "traits": {
                "name": hint.name,
                "external_ids": list(hint.external_ids),
                "domains": list(hint.domains),
                "emails": list(hint.emails),
            },
            "group_key": None,
            "told_at": at,
        }
        for hint in {hint.key: hint for hint in hints}.values()
    ]
    if rows:
        statement = insert(TrackedTraitRow)
        news = {name: statement.excluded[name] for name in ("traits", "told_at")}
        await session.execute(
            statement.on_conflict_do_update(index_elements=["source_id", "kind", "key"], set_=news), rows
        )


async def heard_of(session: AsyncSession, source_id: str, keys: Collection[str]) -> set[str]:
    """Return those of a provider's companies that it has told of before as customers."""
    trait, customer = TrackedTraitRow, CustomerRow
    hinted = select(trait.key).where(
        trait.source_id == source_id, trait.kind == TOLD, among(trait.key, list(keys))
    )
    own = select(customer.external_id).where(
        customer.source_id == source_id, among(customer.external_id, list(keys))
    )
    return set(await session.scalars(hinted.union(own)))


async def waiting_hints(session: AsyncSession, source_id: str) -> list[Hint]:
    """Return what was told of the keys that nobody could be named for yet."""
    trait, identity = TrackedTraitRow, IdentityRow
    is_decided = select(identity.id).where(
        identity.source_id == trait.source_id, identity.kind == GROUP, identity.key == trait.key
    )
    query = select(trait.key, trait.traits).where(
        trait.source_id == source_id, trait.kind == TOLD, ~is_decided.exists()
    )
    return [_hint(key, traits) for key, traits in await session.execute(query)]


def _hint(key: str, traits: dict[str, object]) -> Hint:
    def words(name: str) -> tuple[str, ...]:
        given = traits.get(name)
        return tuple(str(each) for each in given) if isinstance(given, list) else ()

    return Hint(key, str(traits.get("name") or ""), words("external_ids"), words("domains"), words("emails"))


async def link_group(
    session: AsyncSession,
    source_id: str,
    key: str,
    customer_id: uuid.UUID,
    at: BusinessInstant,
    made_by: str = MATCH,
) -> bool:
    """Say that a source's key stands for a customer; tell whether that is new."""
    row = {
        "id": fact_id(source_id, f"identity/{GROUP}/{at.isoformat()}", key),
        "source_id": source_id,
        "kind": GROUP,
        "key": key,
        "contact_id": None,
        "customer_id": customer_id,
        "since": at,
        "until": None,
        "made_by": made_by,
    }
    statement = insert(IdentityRow).values(row).on_conflict_do_nothing().returning(IdentityRow.id)
    return await session.scalar(statement) is not None


async def match_hints(
    session: AsyncSession, source_id: str, hints: Sequence[Hint], at: BusinessInstant
) -> list[str]:
    """Link the keys whose hints fit exactly one customer of another source; return those newly linked.

    An id that somebody wrote down counts before a domain, and that before the address of a known person. A
    key that was ever linked, or unlinked by a person, is left as it is.
    """
    decided = await _decided(session, source_id, [hint.key for hint in hints])
    hints = [hint for hint in hints if hint.key not in decided]
    if not hints:
        return []
    by_id = await _by_id(session, source_id, {one for hint in hints for one in hint.external_ids})
    by_domain = await _by_domain(session, source_id, {one for hint in hints for one in hint.domains})
    by_mail = await _by_mail(session, source_id, {one for hint in hints for one in hint.emails})
    linked: list[str] = []
    for hint in hints:
        found = (
            _only(by_id, hint.external_ids) or _only(by_domain, hint.domains) or _only(by_mail, hint.emails)
        )
        if found is not None and await link_group(session, source_id, hint.key, found, at):
            linked.append(hint.key)
    return linked


async def recognise(
    session: AsyncSession, source: Source, hints: Sequence[Hint], at: BusinessInstant
) -> list[str]:
    """Keep what was told of another source's customers and link those that it fits; return the keys linked.

    A source that tells of its customers itself knows them by its own ids.
    """
    if not hints or CUSTOMERS in source.provides:
        return []
    await remember_hints(session, source.id, hints, at)
    return await match_hints(session, source.id, hints, at)


async def _decided(session: AsyncSession, source_id: str, keys: Sequence[str]) -> set[str]:
    row = IdentityRow
    query = select(row.key).where(row.source_id == source_id, row.kind == GROUP, among(row.key, keys))
    return set(await session.scalars(query))


def _only(owners: Owners, names: Sequence[str]) -> uuid.UUID | None:
    """Return the customer whom all of the names mean together, None where they mean two or nobody."""
    found = {customer for name in names for customer in owners.get(name, ())}
    return next(iter(found)) if len(found) == 1 else None


async def _by_id(session: AsyncSession, source_id: str, names: Collection[str]) -> Owners:
    row = CustomerRow
    query = select(row.external_id, row.id).where(
        row.source_id != source_id, among(row.external_id, list(names))
    )
    return _grouped((await session.execute(query)).all())


async def _by_domain(session: AsyncSession, source_id: str, names: Collection[str]) -> Owners:
    row = CustomerRow
    bare = func.regexp_replace(func.lower(row.domain), r"^(https?://)?(www\.)?|/$", "", "g")
    query = select(bare, row.id).where(row.source_id != source_id, among(bare, list(names)))
    return _grouped((await session.execute(query)).all())


async def _by_mail(session: AsyncSession, source_id: str, names: Collection[str]) -> Owners:
    mail = func.lower(ContactRow.email)
    query = (
        select(mail, ContactRoleRow.customer_id)
        .join(ContactRoleRow, ContactRoleRow.contact_id == ContactRow.id)
        .where(ContactRow.source_id != source_id, among(mail, list(names)), ContactRoleRow.until.is_(None))
    )
    return _grouped((await session.execute(query)).all())


def _grouped(rows: Sequence[tuple[str, uuid.UUID]]) -> Owners:
    owners: Owners = {}
    for name, customer in rows:
        owners.setdefault(name, set()).add(customer)
    return owners
