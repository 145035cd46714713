"""The signals that the tenant declared, as they are stored."""

import uuid

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidInputError, NotFoundError
from domain.signal_own import OwnSignal, OwnSignalDocument
from domain.time import BusinessInstant
from models.tables.scoring import OwnSignalRow

MOST = 100
"""Each is looked at for every customer at every scoring."""


async def load_own_signals(session: AsyncSession) -> tuple[OwnSignal, ...]:
    """Return all that can be read, in order of key: a field that is gone must not stop the scoring."""
    return tuple(own for _document, own in await list_own_signals(session) if own is not None)


async def list_own_signals(
    session: AsyncSession,
) -> list[tuple[OwnSignalDocument, OwnSignal | None]]:
    """Return each as it was written, and as it is read; the second is missing where it cannot be."""
    rows = await session.scalars(select(OwnSignalRow).order_by(OwnSignalRow.key))
    return [(document := _document(row), _read(document)) for row in rows]


def _document(row: OwnSignalRow) -> OwnSignalDocument:
    return OwnSignalDocument(
        key=row.key, title=row.title, condition=row.condition, severity=row.severity, enabled=row.enabled
    )


def _read(document: OwnSignalDocument) -> OwnSignal | None:
    try:
        return document.read()
    except InvalidInputError:
        return None


async def get_own_signal(session: AsyncSession, key: str) -> OwnSignalDocument:
    """Return one as it was written, or raise NotFoundError."""
    row = await session.scalar(select(OwnSignalRow).where(OwnSignalRow.key == key))
    if row is None:
        raise NotFoundError(what="signal of your own", key=key)
    return _document(row)


async def save_own_signal(
    session: AsyncSession, document: OwnSignalDocument, user_id: uuid.UUID | None, now: BusinessInstant
) -> OwnSignal:
    """Create or change one; raises InvalidInputError with the path of what is wrong."""
    own = document.read()
    known = set(await session.scalars(select(OwnSignalRow.key)))
    if own.key not in known and len(known) >= MOST:
        raise InvalidInputError(field="key", reason=f"there are {MOST} signals of your own already")
    values = {
        "title": own.title,
        "condition": document.condition,
        "severity": own.severity,
        "enabled": own.enabled,
        "updated_at": now,
        "updated_by_id": user_id,
    }
    statement = upsert(OwnSignalRow).values(key=own.key, created_at=now, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
    return own


async def delete_own_signal(session: AsyncSession, key: str) -> None:
    """Remove one; what it has open ends with the next look. Raises NotFoundError."""
    gone = await session.scalar(
        delete(OwnSignalRow).where(OwnSignalRow.key == key).returning(OwnSignalRow.key)
    )
    if gone is None:
        raise NotFoundError(what="signal of your own", key=key)
