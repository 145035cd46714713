"""Playbooks in the database: publishing versions, and reading the ones that may start runs."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import EverstayError
from domain.playbook import Playbook
from domain.time import BusinessInstant
from models.installation import load_installation
from models.tables.playbooks import PlaybookRow, PlaybookVersionRow


class PlaybookDocumentError(EverstayError):
    """The playbook {file} is not valid at {where}: {reason}."""

    exit_code = 2
    status = 422


@dataclass(frozen=True)
class Published:
    """What publishing did."""

    key: str
    version: int
    is_new: bool


def read_document(path: Path) -> Playbook:
    """Read one YAML document; an error names the file, the path inside it and the fix."""
    try:
        return Playbook.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise PlaybookDocumentError(file=path.name, where="its YAML", reason=str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise PlaybookDocumentError(file=path.name, where=where, reason=first["msg"]) from error


async def load_library(session: AsyncSession, folder: Path, now: BusinessInstant) -> list[Published]:
    """Publish every document of a folder whose content is new; the rest stays as it is."""
    return [await publish(session, document, now) for document in read_library(folder)]


def read_library(folder: Path) -> list[Playbook]:
    """Read every document of a folder, in the order of their file names."""
    return [read_document(path) for path in sorted(folder.glob("*.yaml"))]


def content_hash(document: Playbook) -> str:
    """Return the hash that tells whether a document has changed."""
    body = json.dumps(document.model_dump(mode="json", by_alias=True), sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()


async def publish(session: AsyncSession, document: Playbook, now: BusinessInstant) -> Published:
    """Store a document as the next version unless the current one says the same."""
    newest = (
        await session.execute(
            select(PlaybookVersionRow.version, PlaybookVersionRow.content_hash)
            .where(PlaybookVersionRow.playbook_key == document.key)
            .order_by(PlaybookVersionRow.version.desc())
            .limit(1)
        )
    ).one_or_none()
    digest = content_hash(document)
    if newest is not None and newest.content_hash == digest:
        return Published(document.key, newest.version, is_new=False)
    version = 1 if newest is None else newest.version + 1
    await _store(session, document, version, digest, now)
    return Published(document.key, version, is_new=True)


async def _store(
    session: AsyncSession, document: Playbook, version: int, digest: str, now: BusinessInstant
) -> None:
    released = (await load_installation(session)).released_at
    statement = upsert(PlaybookRow).values(
        key=document.key,
        name=document.name,
        motion=document.motion,
        current_version=version,
        released_at=released,
    )
    changed = {"name": document.name, "motion": document.motion, "current_version": version}
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=changed))
    await session.execute(
        insert(PlaybookVersionRow).values(
            id=uuid.uuid5(uuid.NAMESPACE_URL, f"everstay:playbook/{document.key}/{version}"),
            playbook_key=document.key,
            version=version,
            document=document.model_dump(mode="json", by_alias=True),
            content_hash=digest,
            published_at=now,
        )
    )


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
            self._documents[version_id] = Playbook.model_validate(body)
        return self._documents[version_id]
