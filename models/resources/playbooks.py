"""Versions of playbooks, as the API, the command line and the pages list them; archiving."""

import uuid
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import func, select, update

from domain.errors import NotFoundError
from domain.playbook import Playbook
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, InterventionState
from models.database import Session
from models.playbooks import read_stored
from models.resources.keyset import Row, read_rows
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.tables.playbooks import InterventionRow, PlaybookRow, PlaybookVersionRow

MOST_NAMES = 2_000


@dataclass(frozen=True)
class StoredVersion:
    """One version with its parsed document."""

    key: str
    version: int
    current: int
    version_id: uuid.UUID
    playbook: Playbook


async def load_version(session: Session, key: str, version: int | None = None) -> StoredVersion:
    """Return a version of a playbook, the current one if none is named; raises NotFoundError."""
    row, current = PlaybookVersionRow, PlaybookRow.current_version
    is_wanted = row.version == (current if version is None else version)
    query = (
        select(current, row.id, row.version, row.document)
        .outerjoin(row, (row.playbook_key == PlaybookRow.key) & is_wanted)
        .where(PlaybookRow.key == key)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFoundError(what="playbook", key=key)
    if found.id is None:
        raise NotFoundError(what=f"version of {key}", key=version)
    playbook = read_stored(found.document, f"{key}, version {found.version}")
    return StoredVersion(key, found.version, found.current_version, found.id, playbook)


async def find_current(session: Session, key: str) -> StoredVersion | None:
    """Return the current version, None for a playbook that is not there yet."""
    try:
        return await load_version(session, key)
    except NotFoundError:
        return None


async def list_versions(session: Session, key: str) -> list[Row]:
    """Return every version, the newest first, with the open runs that follow it; raises NotFoundError."""
    version, run = PlaybookVersionRow, InterventionRow
    is_open = run.state != InterventionState.ENDED
    query = (
        select(
            version.version,
            version.published_at,
            version.origin,
            version.note,
            UserRow.name.label("published_by"),
            func.count(run.id).filter(is_open).label("open_runs"),
            (version.version == PlaybookRow.current_version).label("is_current"),
        )
        .join(PlaybookRow, PlaybookRow.key == version.playbook_key)
        .outerjoin(run, run.version_id == version.id)
        .outerjoin(UserRow, UserRow.id == version.published_by_id)
        .where(version.playbook_key == key)
        .group_by(version.id, UserRow.name, PlaybookRow.key)
        .order_by(version.version.desc())
    )
    found = await read_rows(session, query)
    if not found:
        raise NotFoundError(what="playbook", key=key)
    return found


async def archive(session: Session, key: str, at: BusinessInstant | None) -> None:
    """Open no more runs of a playbook, or (None) open them again; open ones go on. Raises NotFoundError."""
    row = PlaybookRow
    query = update(row).where(row.key == key).values(archived_at=at).returning(row.key)
    if await session.scalar(query) is None:
        raise NotFoundError(what="playbook", key=key)


async def runs_by_step(session: Session, key: str) -> dict[str, int]:
    """Return how many open runs stand in each step; the empty name is for those that have not begun."""
    run = InterventionRow
    step = func.coalesce(run.position["step"].astext, "")
    query = select(step, func.count()).where(run.playbook_key == key, run.state != InterventionState.ENDED)
    return {row[0]: row[1] for row in await session.execute(query.group_by(step))}


async def find_customer(session: Session, name: str) -> uuid.UUID:
    """Return the customer with this id, or with this id in a source; raises NotFoundError."""
    row = CustomerRow
    by_id = row.external_id == name
    with suppress(ValueError):
        by_id = by_id | (row.id == uuid.UUID(name))
    found: uuid.UUID | None = await session.scalar(select(row.id).where(by_id).order_by(row.id).limit(1))
    if found is None:
        raise NotFoundError(what="customer", key=name)
    return found


async def names_of_customers(session: Session) -> list[tuple[uuid.UUID, str]]:
    """Return customers who are ours, by name, for a choice; as many as a list can hold."""
    row = CustomerRow
    query = select(row.id, row.name).where(row.status != CustomerStatus.CHURNED).order_by(row.name, row.id)
    return [(one.id, one.name) for one in await session.execute(query.limit(MOST_NAMES))]
