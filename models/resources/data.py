"""Imports and quarantined rows as the API shows them."""

import uuid

from sqlalchemy import select

from models.database import Session
from models.resources.keyset import Order, Slice, only, read_slice
from models.tables.data import ImportRunRow, QuarantinedRow


async def list_imports(session: Session, cursor: str | None, limit: int) -> Slice:
    """Return imports, the newest first."""
    query = select(
        ImportRunRow.id,
        ImportRunRow.source_id,
        ImportRunRow.mapping,
        ImportRunRow.state,
        ImportRunRow.files,
        ImportRunRow.error,
        ImportRunRow.started_at,
        ImportRunRow.finished_at,
    )
    order = Order(
        "started_at", ImportRunRow.started_at.expression, ImportRunRow.id.expression, descending=True
    )
    return await read_slice(session, query, order, cursor, limit)


async def list_quarantine(
    session: Session, import_id: uuid.UUID | None, state: str | None, cursor: str | None, limit: int
) -> Slice:
    """Return rows that could not be stored, with where they stood and why, the newest first."""
    row = QuarantinedRow
    query = select(
        row.id,
        row.import_run_id,
        row.source_id,
        row.file,
        row.line,
        row.kind,
        row.field,
        row.reason,
        row.raw,
        row.state,
        row.quarantined_at,
        row.settled_at,
    ).where(*only(import_id=(row.import_run_id.expression, import_id), state=(row.state.expression, state)))
    order = Order("quarantined_at", row.quarantined_at.expression, row.id.expression, descending=True)
    return await read_slice(session, query, order, cursor, limit)
