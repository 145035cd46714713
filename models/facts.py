"""The one way that facts enter the database: set-wise, idempotent, in one transaction, nothing lost."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.facts import Fact
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import Direction, Purpose
from models.arrays import among, among_ids
from models.clock import load_timeline
from models.connections import is_billing
from models.customer_matching import GROUP, USER, linked
from models.customer_standing import refresh_customers
from models.dunning_stops import heed_invoices
from models.facts_addresses import contacts_at, customers_at
from models.facts_batch import Batch, Indexed, StoreResult, Verdict
from models.facts_contacts import store_contacts
from models.facts_customers import store_customers
from models.facts_entities import TABLES, store_entities
from models.facts_usage import store_usage
from models.meeting_feed import take_own_meetings
from models.outbox import put_notices
from models.rescoring import FACTS, USAGE, ask_rescoring
from models.sources import get_source, note_facts
from models.tables.customers import ContactRow, CustomerRow
from models.tables.ledger import TouchpointRow
from models.tables.people import UserRow

LINKED_KINDS = frozenset(
    {"upload", "hubspot", "zendesk", "stripe", "intercom", "salesforce", "webhook", "calendar", "warehouse"}
)
"""Kinds of source whose own keys may stand for what another source told of, as `identities` says."""
OWN_IDS = frozenset({"hubspot", "zendesk", "stripe"})
"""Kinds of source that give ids of their own: the same number elsewhere is somebody else's."""
CUSTOMERS = "customers"
ByType = dict[str, list[tuple[int, Fact]]]
Stage = Callable[[Batch, Indexed], Awaitable[None]]


async def store_facts(
    session: AsyncSession,
    source_id: str,
    facts: Sequence[Fact],
    *,
    received_at: WallInstant,
    announces: bool = True,
    customers: Mapping[str, uuid.UUID] | None = None,
    people: Mapping[str, uuid.UUID] | None = None,
) -> StoreResult:
    """Store facts of one source and everything that follows from them at once.

    Entities go in the order of their dependencies whatever the order of `facts`; among facts of one key the
    given order counts. A fact with a known key and the same content is a duplicate, one that fills in or
    moves forward what may change is stored, one that contradicts is a conflict, and one about an unknown
    customer or contact is unresolved; the caller quarantines the last two. Facts known before their source
    was connected put no notices, except that a customer was added; with `announces` False the caller says
    that later, by announce_customers, when all of the customers' history is there. The other stored facts
    ask that their customers be scored again. `customers` and `people` name some that the caller has found
    already.

    Raises NotFoundError for an unknown source (see models.sources.connect_source), ValueError for an
    instant without time zone.
    """
    by_type = _by_type(facts)
    batch = await _open(session, source_id, facts, received_at)
    batch.announces = announces
    batch.given = dict(customers or {})
    if set(by_type) - {"usage"}:
        await _lock_source(session, source_id)
    await _resolve_customers(batch, by_type)
    if "customer" in by_type:
        await store_customers(batch, by_type["customer"])
        await _resolve_customers(batch, by_type)
    await _stage(batch, by_type, "contact", store_contacts)
    await _resolve_people(batch, by_type)
    batch.contacts |= people or {}
    if "meeting" in by_type:
        by_type["meeting"] = list(await take_own_meetings(batch, by_type["meeting"]))
    if "invoice" in by_type:
        batch.can_collect = await is_billing(session, source_id)
    for kind in TABLES:
        if kind in by_type:
            await store_entities(batch, kind, by_type[kind])
    if batch.moved_invoices:
        await heed_invoices(session, batch.moved_invoices, batch.now, received_at)
    await _stage(batch, by_type, "usage", store_usage)
    await _settle(batch, facts, by_type)
    batch.result.customers = batch.customers
    return batch.result


def _by_type(facts: Sequence[Fact]) -> ByType:
    sorted_out: ByType = {}
    for index, fact in enumerate(facts):
        sorted_out.setdefault(fact.type, []).append((index, fact))
    return sorted_out


async def _open(
    session: AsyncSession, source_id: str, facts: Sequence[Fact], received_at: WallInstant
) -> Batch:
    source = await get_source(session, source_id)
    result = StoreResult([Verdict.DUPLICATE] * len(facts))
    return Batch(session, source, received_at, await _business_now(session, received_at), result)


async def _business_now(session: AsyncSession, received_at: WallInstant) -> BusinessInstant:
    timeline = await load_timeline(session)
    return BusinessInstant(received_at) if timeline is None else timeline.business_at(received_at)


async def _lock_source(session: AsyncSession, source_id: str) -> None:
    """Let one writer of entities per source at a time compare and write (usage needs no such lock)."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"facts/{source_id}"}
    )


async def _stage(batch: Batch, by_type: ByType, kind: str, store: Stage) -> None:
    if kind in by_type:
        await store(batch, by_type[kind])


def _named(by_type: ByType, field: str) -> list[str]:
    """Return the distinct values of a field over the types that have it."""
    named: dict[str | None, None] = {}
    for facts in by_type.values():
        if field in type(facts[0][1]).model_fields:
            named |= {getattr(fact, field): None for _, fact in facts}
    return [name for name in named if name]


async def _resolve_customers(batch: Batch, by_type: ByType) -> None:
    """Find and lock the customers that the facts name, in one order everywhere, so that nobody deadlocks.

    A source that provides no customers of its own speaks of those of another one, by its ids, where
    exactly one customer has the id. Where it knows no ids at all, it names an address (domain.addresses).
    """
    names = [*_named(by_type, "customer"), *(fact.key for _, fact in by_type.get("customer", ()))]
    if not names:
        return
    if batch.source.kind in LINKED_KINDS:
        batch.linked = await linked(batch.session, batch.source.id, GROUP, names)
    addressed = await customers_at(batch.session, names) | batch.linked | batch.given
    named = among(CustomerRow.external_id, [name for name in names if name not in addressed])
    if CUSTOMERS in batch.source.provides or batch.source.kind in OWN_IDS:
        named &= CustomerRow.source_id == batch.source.id
    wanted = or_(named, among_ids(CustomerRow.id, addressed.values()))
    query = select(CustomerRow.external_id, CustomerRow.id, named).where(wanted)
    rows = (await batch.session.execute(query.order_by(CustomerRow.id).with_for_update(key_share=True))).all()
    counts: dict[str, int] = {}
    for name, _, is_named in rows:
        counts[name] = counts.get(name, 0) + is_named
    known = {name: customer for name, customer, is_named in rows if is_named and counts[name] == 1}
    batch.customers = known | addressed


async def _resolve_people(batch: Batch, by_type: ByType) -> None:
    """Find the contacts and the users that the facts name."""
    names = _named(by_type, "contact")
    emails = [mail.lower() for mail in _named(by_type, "user_email")]
    if names:
        query = select(ContactRow.external_id, ContactRow.id).where(
            ContactRow.source_id == batch.source.id, among(ContactRow.external_id, names)
        )
        batch.contacts = dict((await batch.session.execute(query)).all())
        if batch.source.kind in LINKED_KINDS:
            batch.contacts = await linked(batch.session, batch.source.id, USER, names) | batch.contacts
        batch.contacts |= await contacts_at(batch.session, names)
    if emails:
        query = select(func.lower(UserRow.email), UserRow.id).where(among(func.lower(UserRow.email), emails))
        batch.users = dict((await batch.session.execute(query)).all())


async def _settle(batch: Batch, facts: Sequence[Fact], by_type: ByType) -> None:
    """Bring the customers' current state, the source's freshness and the outbox in step."""
    told = [f.known_at for f, v in zip(facts, batch.result.verdicts, strict=True) if v is Verdict.STORED]
    if not told:
        return
    await _touch(batch, by_type)
    live = [at for at in (min(told), max(told)) if batch.is_live(at)]
    now = max([batch.now, *live])
    if batch.to_refresh:
        changed = await refresh_customers(batch.session, batch.to_refresh, now, batch.received_at)
        for notice, known_at in changed:
            batch.notify(notice, known_at)
    await note_facts(batch.session, batch.source.id, max(told))
    await put_notices(batch.session, batch.notices, batch.received_at)
    if batch.announces:
        await _ask_rescoring(batch, facts)


async def _ask_rescoring(batch: Batch, facts: Sequence[Fact]) -> None:
    """Have the customers scored about whom something is known that was not before; history waits."""
    asked: dict[str, set[uuid.UUID]] = {USAGE: set(), FACTS: set()}
    for fact, verdict in zip(facts, batch.result.verdicts, strict=True):
        name = fact.key if fact.type == "customer" else fact.customer
        if verdict is Verdict.STORED and batch.is_live(fact.known_at) and name in batch.customers:
            asked[USAGE if fact.type == "usage" else FACTS].add(batch.customers[name])
    for reason, ids in asked.items():
        await ask_rescoring(batch.session, ids, batch.received_at, reason)


async def _touch(batch: Batch, by_type: ByType) -> None:
    """Keep `customers.last_touch_at` at the newest touchpoint; a campaign's mail ends no silence."""
    named = _named({"touchpoint": by_type["touchpoint"]} if "touchpoint" in by_type else {}, "customer")
    ids = [batch.customers[name] for name in named if name in batch.customers]
    if not ids:
        return
    is_campaign = (TouchpointRow.purpose == Purpose.MARKETING) & (TouchpointRow.direction == Direction.OUT)
    mine = (TouchpointRow.customer_id == CustomerRow.id) & ~is_campaign
    newest = select(func.max(TouchpointRow.occurred_at)).where(mine)
    statement = update(CustomerRow).where(among_ids(CustomerRow.id, ids))
    await batch.session.execute(statement.values(last_touch_at=newest.scalar_subquery()))
