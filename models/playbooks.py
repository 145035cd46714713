"""Playbooks in the database: publishing versions, and reading the ones that may start runs."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import EverstayError
from domain.playbook import Playbook
from domain.playbook_problems import UNKNOWN, PlaybookDocumentError, Problem, read_playbook
from domain.time import BusinessInstant
from models.installation import load_installation
from models.playbook_yaml import read_document
from models.tables.playbooks import PlaybookRow, PlaybookVersionRow

LIBRARY, EDIT = "library", "edit"


class StaleEditError(EverstayError):
    """The playbook {key} has version {current} by now, and this edit began from version {seen}."""

    status = 412
    exit_code = 2


@dataclass(frozen=True)
class Published:
    """What publishing did."""

    key: str
    version: int
    is_new: bool
    version_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Author:
    """Who publishes, and what they say about it."""

    user_id: uuid.UUID | None = None
    note: str = ""
    origin: str = EDIT


FROM_LIBRARY = Author(origin=LIBRARY)


async def load_library(session: AsyncSession, folder: Path, now: BusinessInstant) -> list[Published]:
    """Publish every document of a folder whose content is new; the rest stays as it is.

    What people have edited stays theirs: a newer document of the library is not put over it.
    """
    return [await _load_one(session, document, now) for document in read_library(folder)]


async def _load_one(session: AsyncSession, document: Playbook, now: BusinessInstant) -> Published:
    rows = await _versions(session, document.key)
    edited = rows and rows[0].origin != LIBRARY
    known = any(_is_same(row.document, document) for row in rows)
    if rows and (edited or known):
        return Published(document.key, rows[0].version, is_new=False, version_id=rows[0].id)
    return await publish(session, document, now, FROM_LIBRARY)


async def _versions(session: AsyncSession, key: str) -> Sequence[Row[Any]]:
    row = PlaybookVersionRow
    query = select(row.id, row.version, row.document, row.origin).where(row.playbook_key == key)
    return (await session.execute(query.order_by(row.version.desc()))).all()


def read_library(folder: Path) -> list[Playbook]:
    """Read every document of a folder, in the order of their file names."""
    return [read_document(path) for path in sorted(folder.glob("*.yaml"))]


def content_hash(document: Playbook) -> str:
    """Return the hash of what a document says in full, defaults included."""
    body = json.dumps(document.model_dump(mode="json", by_alias=True), sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()


def read_stored(body: dict[str, Any], name: str = "as it is stored") -> Playbook:
    """Read a stored document, also of an older shape: names that the language has dropped are left out."""
    body = json.loads(json.dumps(body))
    playbook, problems = read_playbook(body)
    while playbook is None:
        dropped = [problem for problem in problems if problem.message == UNKNOWN]
        if not dropped:
            raise PlaybookDocumentError(name, problems)
        for problem in dropped:
            _drop(body, problem)
        playbook, problems = read_playbook(body)
    return playbook


def _drop(body: Any, problem: Problem) -> None:
    for part in problem.path[:-1]:
        body = body[part]
    del body[problem.path[-1]]


def _is_same(stored: dict[str, Any], document: Playbook) -> bool:
    """Tell whether a stored document means the same, in whatever shape it was stored."""
    try:
        return read_stored(stored) == document
    except PlaybookDocumentError:
        return False


async def publish(
    session: AsyncSession,
    document: Playbook,
    now: BusinessInstant,
    author: Author = FROM_LIBRARY,
    *,
    seen: int | None = None,
) -> Published:
    """Store a document as the next version unless the current one means the same.

    `seen` is the version that an edit began from, 0 where there was none; raises StaleEditError when
    another one has been published since. Publications of one playbook come one after the other.
    """
    current = await _lock(session, document)
    if seen is not None and seen != current:
        raise StaleEditError(key=document.key, current=current, seen=seen)
    if current:
        row = (await _versions(session, document.key))[0]
        if _is_same(row.document, document):
            return Published(document.key, row.version, is_new=False, version_id=row.id)
    version_id = await _store(session, document, current + 1, now, author)
    return Published(document.key, current + 1, is_new=True, version_id=version_id)


async def _lock(session: AsyncSession, document: Playbook) -> int:
    """Hold the playbook's row, making it if need be; return its newest version, 0 for none."""
    released = (await load_installation(session)).released_at
    statement = upsert(PlaybookRow).values(
        key=document.key,
        name=document.name,
        motion=document.motion,
        current_version=0,
        released_at=released,
    )
    await session.execute(statement.on_conflict_do_nothing(index_elements=["key"]))
    row = PlaybookRow
    current = await session.scalar(
        select(row.current_version).where(row.key == document.key).with_for_update(key_share=True)
    )
    return int(current or 0)


async def _store(
    session: AsyncSession, document: Playbook, version: int, now: BusinessInstant, author: Author
) -> uuid.UUID:
    version_id = uuid.uuid5(uuid.NAMESPACE_URL, f"everstay:playbook/{document.key}/{version}")
    await session.execute(
        insert(PlaybookVersionRow).values(
            id=version_id,
            playbook_key=document.key,
            version=version,
            document=document.model_dump(mode="json", by_alias=True),
            content_hash=content_hash(document),
            published_at=now,
            origin=author.origin,
            published_by_id=author.user_id,
            note=author.note.strip()[:500],
        )
    )
    changed = {"name": document.name, "motion": document.motion, "current_version": version}
    row = PlaybookRow
    await session.execute(update(row).where(row.key == document.key).values(changed))
    return version_id


class PlaybookShelf:
    """Parsed versions by id. They are immutable, so one reading per process is enough."""

    def __init__(self) -> None:
        """Start empty."""
        self._documents: dict[uuid.UUID, Playbook] = {}

    async def version(self, session: AsyncSession, version_id: uuid.UUID) -> Playbook:
        """Return one version's document."""
        if version_id not in self._documents:
            body = await session.scalar(
                select(PlaybookVersionRow.document).where(PlaybookVersionRow.id == version_id)
            )
            self._documents[version_id] = read_stored(body or {})
        return self._documents[version_id]
