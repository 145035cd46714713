"""What an upload changed of customers that were here before, put back where nobody has changed it since."""

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.facts import CustomerFact
from models.arrays import among_ids
from models.fact_changes import take_back_edits
from models.facts_customers import COPIED
from models.tables.connections import UploadEditRow
from models.tables.customers import CustomerRow

Document = dict[str, Any]


async def put_back_edits(session: AsyncSession, source_id: str) -> int:
    """Give customers their former values back; return how many were changed by this source."""
    edit = UploadEditRow
    query = select(edit.customer_id, edit.before, edit.after).where(edit.source_id == source_id)
    edits = {row.customer_id: row for row in await session.execute(query)}
    found = select(CustomerRow.id, CustomerRow.declared, CustomerRow.known_at).where(
        among_ids(CustomerRow.id, list(edits))
    )
    rows = [
        _values(row, _restored(row.declared, edits[row.id].before, edits[row.id].after))
        for row in await session.execute(found.order_by(CustomerRow.id).with_for_update())
    ]
    if rows:
        await session.execute(update(CustomerRow), rows)
    await take_back_edits(session, source_id, {key: (row.before, row.after) for key, row in edits.items()})
    await session.execute(delete(edit).where(edit.source_id == source_id))
    return len(rows)


def _restored(declared: Document, before: Document, after: Document) -> Document:
    """Return what is declared without what this source changed, as far as it still stands."""
    changed = {name for name in after if after[name] != before.get(name)}
    ours = {name for name in changed if declared.get(name) == after[name]}
    kept = {name: value for name, value in declared.items() if name not in ours}
    return kept | {name: before[name] for name in ours if name in before}


def _values(row: Any, declared: Document) -> Document:
    """Return a customer's columns as its declared fields say."""
    told = CustomerFact.model_validate({"key": "-", "name": "-", "known_at": row.known_at} | declared)
    copied = {name: getattr(told, name) for name in COPIED}
    return {"id": row.id, "declared": declared} | copied | {"time_zone": told.time_zone or "UTC"}
