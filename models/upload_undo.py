"""Taking back what an upload told: its facts, its people and customers unless others need them, its edits."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from models.arrays import among_ids
from models.changes import announce_change
from models.customer_standing import refresh_customers
from models.fact_changes import forget_changes
from models.facts_entities import TABLES
from models.outbox import put_notices
from models.references import count_references, delete_references
from models.rescoring import FACTS, ask_rescoring
from models.tables.customers import ContactRoleRow, ContactRow, CustomerRow
from models.tables.data import QuarantinedRow, SourceRow
from models.tables.facts import UsageEventRow, UsageSeenRow
from models.tables.ledger import TouchpointRow
from models.tables.tracking import IdentityRow
from models.upload_edits import put_back_edits
from models.uploads import UNDOING, UNDONE, change_upload, load_upload
from models.usage_rollups import recompute_usage

DERIVED = frozenset(
    {
        "assessments",
        "contact_roles",
        "customer_values",
        "shadow_scores",
        "fact_changes",
        "field_points",
        "heads_ups",
        "identities",
        "lifecycles",
        "outbox",
        "rescore_queue",
        "scores",
        "signals",
        "upload_edits",
        "usage_contact_daily",
        "usage_daily",
        "usage_windows",
    }
)
"""Tables with what we made of a customer ourselves; it goes with the customer and keeps none here."""
OF_PEOPLE = frozenset({"contact_roles", "consents", "identities", "usage_contact_daily"})
SHOWN = 100
"""Names of those who stay, at most; the count is of all."""


async def undo_upload(
    session: AsyncSession, upload_id: uuid.UUID, now: BusinessInstant, wall: WallInstant
) -> dict[str, Any]:
    """Take an upload back in this transaction and return what went and what stays, as kept with it.

    A customer stays where another source, a playbook's run, a task, a message or a decision refers to it.
    """
    upload = await load_upload(session, upload_id, lock=True)
    if upload.state != UNDOING:
        return upload.undo or {}
    source_id = upload.source_id
    await _lock(session, source_id)
    touched = await _touched(session, source_id)
    deleted = await _delete_facts(session, source_id)
    deleted["edits"] = await put_back_edits(session, source_id)
    deleted["contacts"], people_stay = await _delete_people(session, source_id)
    gone, stay = await _delete_customers(session, source_id)
    left = sorted(touched - set(gone))
    await _settle(session, left, now, wall)
    await session.execute(update(SourceRow).where(SourceRow.id == source_id).values(provides=[]))
    undone = {
        "deleted": {name: times for name, times in deleted.items() if times},
        "customers_gone": len(gone),
        "customers_stay": len(stay),
        "stay": stay[:SHOWN],
        "people_stay": people_stay,
        "end_workflows": [str(key) for key in gone],
    }
    await change_upload(session, upload_id, state=UNDONE, undone_at=wall, undo=undone, source_id=source_id)
    await announce_change(session)
    return undone


async def _lock(session: AsyncSession, source_id: str) -> None:
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"facts/{source_id}"}
    )


async def _touched(session: AsyncSession, source_id: str) -> set[uuid.UUID]:
    """Return every customer that the source spoke of, locked in the one order."""
    found: set[uuid.UUID] = set()
    queries = [select(row.customer_id).where(row.source_id == source_id) for row in _fact_tables()]
    queries += [
        select(CustomerRow.id).where(CustomerRow.source_id == source_id),
        select(IdentityRow.customer_id).where(
            IdentityRow.source_id == source_id, IdentityRow.customer_id.is_not(None)
        ),
    ]
    for query in queries:
        found |= set((await session.scalars(query.distinct())).all())
    lock = select(CustomerRow.id).where(among_ids(CustomerRow.id, found)).order_by(CustomerRow.id)
    await session.execute(lock.with_for_update())
    return found


def _fact_tables() -> list[Any]:
    return [*TABLES.values(), UsageEventRow]


async def _delete_facts(session: AsyncSession, source_id: str) -> dict[str, int]:
    """Delete what the source told; return how many of each kind."""
    deleted: dict[str, int] = {}
    for kind, row in (*TABLES.items(), ("usage", UsageEventRow)):
        table: Any = row
        if kind in TABLES:
            await forget_changes(session, table, table.source_id == source_id)
        result = await session.execute(delete(table).where(table.source_id == source_id))
        deleted[kind] = int(getattr(result, "rowcount", 0))
    for row in (UsageSeenRow, QuarantinedRow):
        table = row
        await session.execute(delete(table).where(table.source_id == source_id))
    return deleted


async def _delete_people(session: AsyncSession, source_id: str) -> tuple[int, int]:
    """Delete the source's contacts unless something else names them; return how many went and stay."""
    query = select(ContactRow.id).where(ContactRow.source_id == source_id)
    ids = list((await session.scalars(query)).all())
    named = await count_references(session, "contacts", ids, OF_PEOPLE)
    used = select(UsageEventRow.contact_id).where(among_ids(UsageEventRow.contact_id, ids))  # type: ignore[arg-type]  # null fits none
    kept = set(named) | set((await session.scalars(used.distinct())).all())
    kept |= await _linked_elsewhere(session, IdentityRow.contact_id, ids, source_id)
    gone = [key for key in ids if key not in kept]
    await forget_changes(session, ContactRow, among_ids(ContactRow.id, gone))
    await forget_changes(session, ContactRoleRow, among_ids(ContactRoleRow.contact_id, gone))
    await delete_references(session, "contacts", gone, OF_PEOPLE)
    await session.execute(delete(ContactRow).where(among_ids(ContactRow.id, gone)))
    return len(gone), len(ids) - len(gone)


async def _linked_elsewhere(
    session: AsyncSession, column: Any, ids: Collection[uuid.UUID], source_id: str
) -> set[uuid.UUID]:
    """Return those for whom a key of another source stands."""
    query = select(column).where(among_ids(column, ids), IdentityRow.source_id != source_id)
    return set((await session.scalars(query.distinct())).all())


async def _delete_customers(
    session: AsyncSession, source_id: str
) -> tuple[list[uuid.UUID], list[dict[str, Any]]]:
    """Delete the source's customers unless others refer to them; return who went, and who stays and why."""
    await session.execute(delete(IdentityRow).where(IdentityRow.source_id == source_id))
    query = select(CustomerRow.id, CustomerRow.name).where(CustomerRow.source_id == source_id)
    names = dict((await session.execute(query.order_by(CustomerRow.name))).all())
    reasons = await count_references(session, "customers", list(names), DERIVED)
    for key in await _linked_elsewhere(session, IdentityRow.customer_id, list(names), source_id):
        reasons.setdefault(key, {})["identities"] = 1
    await _add_usage(session, list(names), reasons)
    for key in await _edited_elsewhere(session, list(names), source_id):
        reasons.setdefault(key, {})["upload_edits"] = 1
    gone = [key for key in names if key not in reasons]
    await delete_references(session, "customers", gone, DERIVED)
    await session.execute(delete(CustomerRow).where(among_ids(CustomerRow.id, gone)))
    stay = [{"id": str(key), "name": names[key], "why": reasons[key]} for key in names if key in reasons]
    return gone, stay


async def _edited_elsewhere(
    session: AsyncSession, ids: Collection[uuid.UUID], source_id: str
) -> Sequence[uuid.UUID]:
    found = await session.execute(
        text(
            "SELECT DISTINCT customer_id FROM upload_edits"
            " WHERE source_id <> :source AND customer_id = ANY(CAST(:ids AS uuid[]))"
        ),
        {"source": source_id, "ids": list(ids)},
    )
    return list(found.scalars())


async def _add_usage(
    session: AsyncSession, ids: Collection[uuid.UUID], reasons: dict[uuid.UUID, dict[str, int]]
) -> None:
    """Count the usage that others told: it has no foreign key, since it is partitioned."""
    row = UsageEventRow
    query = select(row.customer_id, func.count()).where(among_ids(row.customer_id, ids))
    for key, times in await session.execute(query.group_by(row.customer_id)):
        reasons.setdefault(key, {})["usage_events"] = times


async def _settle(
    session: AsyncSession, ids: Sequence[uuid.UUID], now: BusinessInstant, wall: WallInstant
) -> None:
    """Bring those who are left in step: rollups, last touch, standing, and the question for a new score."""
    if not ids:
        return
    await recompute_usage(session, ids, now.date())
    newest = select(func.max(TouchpointRow.occurred_at)).where(TouchpointRow.customer_id == CustomerRow.id)
    statement = update(CustomerRow).where(among_ids(CustomerRow.id, ids))
    await session.execute(statement.values(last_touch_at=newest.scalar_subquery()))
    changed = await refresh_customers(session, ids, now, wall)
    await put_notices(session, [notice for notice, _ in changed], wall)
    await ask_rescoring(session, ids, wall, FACTS)
