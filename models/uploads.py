"""Files that people dropped into the browser: from the drop to the import, and back again."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, NotFoundError
from domain.time import WallInstant
from models.tables.connections import SavedMappingRow, UploadRow
from models.tables.data import ImportRunRow
from models.tables.people import UserRow

MAPPING, PREVIEWED, IMPORTING, DONE, FAILED = "mapping", "previewed", "importing", "done", "failed"
UNDOING, UNDONE = "undoing", "undone"
UPLOAD = "upload"
"""The kind of an upload's source, and the beginning of the source's id."""
CHANNEL = "everstay_uploads"
"""Announces that an import waits to be started, or an upload to be taken back."""
OPEN = frozenset({MAPPING, PREVIEWED})


@dataclass(frozen=True)
class Upload:
    """One dropped file."""

    id: uuid.UUID
    filename: str
    folder: str
    content_hash: str
    rows: int
    details: dict[str, Any]
    columns: list[dict[str, Any]]
    choices: dict[str, Any] | None
    mapping: dict[str, Any] | None
    checked: dict[str, Any] | None
    undo: dict[str, Any] | None
    state: str
    import_run_id: uuid.UUID | None
    created_at: WallInstant
    undone_at: WallInstant | None
    user: str | None = None

    @property
    def source_id(self) -> str:
        """Return the id of the source that it is, or will be."""
        return source_of(self.id)

    @property
    def path(self) -> Path:
        """Return where the file lies."""
        return Path(self.folder) / str(self.details["file"])


def source_of(upload_id: uuid.UUID) -> str:
    """Return the source of an upload: its own, so that all that it told can be found."""
    return f"{UPLOAD}/{upload_id}"


@dataclass(frozen=True)
class SavedMapping:
    """What was chosen for one file, for the next one like it."""

    name: str
    choices: dict[str, Any]
    header: list[str]


_COLUMNS = (
    UploadRow.id,
    UploadRow.filename,
    UploadRow.folder,
    UploadRow.content_hash,
    UploadRow.rows,
    UploadRow.details,
    UploadRow.columns,
    UploadRow.choices,
    UploadRow.mapping,
    UploadRow.checked,
    UploadRow.undo,
    UploadRow.state,
    UploadRow.import_run_id,
    UploadRow.created_at,
    UploadRow.undone_at,
)


async def create_upload(session: AsyncSession, upload: Upload, user_id: uuid.UUID | None) -> None:
    """Keep a file that has arrived."""
    names = ("id", "filename", "folder", "content_hash", "rows", "details", "columns", "choices", "mapping")
    values = {name: getattr(upload, name) for name in (*names, "checked", "undo", "state", "created_at")}
    await session.execute(insert(UploadRow).values(values | {"user_id": user_id}))


async def load_upload(session: AsyncSession, upload_id: uuid.UUID, *, lock: bool = False) -> Upload:
    """Return an upload, or raise NotFoundError; with `lock`, nobody else moves it meanwhile."""
    query = select(*_COLUMNS, UserRow.name).outerjoin(UserRow, UserRow.id == UploadRow.user_id)
    query = query.where(UploadRow.id == upload_id)
    row = (await session.execute(query.with_for_update(of=UploadRow) if lock else query)).one_or_none()
    if row is None:
        raise NotFoundError(what="upload", key=upload_id)
    return Upload(*row)


async def list_uploads(session: AsyncSession, states: Sequence[str] = (), limit: int = 50) -> list[Upload]:
    """Return the newest uploads, of some states or of all."""
    query = select(*_COLUMNS, UserRow.name).outerjoin(UserRow, UserRow.id == UploadRow.user_id)
    if states:
        query = query.where(UploadRow.state.in_(states))
    found = await session.execute(query.order_by(UploadRow.created_at.desc(), UploadRow.id).limit(limit))
    return [Upload(*row) for row in found]


async def same_content(session: AsyncSession, upload: Upload) -> list[Upload]:
    """Return the uploads of the same bytes that are in the database now: twice told, twice counted."""
    query = select(*_COLUMNS, UserRow.name).outerjoin(UserRow, UserRow.id == UploadRow.user_id)
    query = query.where(
        UploadRow.content_hash == upload.content_hash,
        UploadRow.id != upload.id,
        UploadRow.state.in_([IMPORTING, DONE]),
    )
    return [Upload(*row) for row in await session.execute(query.order_by(UploadRow.created_at))]


async def change_upload(session: AsyncSession, upload_id: uuid.UUID, **values: Any) -> None:
    """Write some columns of an upload."""
    await session.execute(update(UploadRow).where(UploadRow.id == upload_id).values(**values))


async def open_upload(session: AsyncSession, upload_id: uuid.UUID) -> Upload:
    """Return an upload that is not imported yet, locked; raises ConflictError for any other."""
    upload = await load_upload(session, upload_id, lock=True)
    if upload.state not in OPEN:
        raise ConflictError(what=upload.filename, reason=f"it is {upload.state} already")
    return upload


async def note_ended(session: AsyncSession, run_id: uuid.UUID, state: str) -> None:
    """Say of the upload of an import, if there is one, how the import ended."""
    statement = update(UploadRow).where(UploadRow.import_run_id == run_id, UploadRow.state == IMPORTING)
    await session.execute(statement.values(state=state))


async def ask_undo(session: AsyncSession, upload_id: uuid.UUID) -> Upload:
    """Let what an upload told be taken back; raises ConflictError where nothing was told or it still is."""
    upload = await load_upload(session, upload_id, lock=True)
    if upload.state in {UNDOING, UNDONE}:
        return upload
    if upload.state not in {DONE, FAILED} or upload.import_run_id is None:
        reason = "only an import that has ended can be undone"
        raise ConflictError(what=upload.filename, reason=reason)
    await change_upload(session, upload_id, state=UNDOING)
    await wake_keeper(session)
    return await load_upload(session, upload_id)


async def wake_keeper(session: AsyncSession) -> None:
    """Tell whoever starts imports and takes uploads back, when this transaction commits."""
    await session.execute(text(f"NOTIFY {CHANNEL}"))


async def runs_to_start(session: AsyncSession) -> list[uuid.UUID]:
    """Return the imports of uploads whose workflow has not been started."""
    query = (
        select(ImportRunRow.id)
        .join(UploadRow, UploadRow.import_run_id == ImportRunRow.id)
        .where(UploadRow.state == IMPORTING, ImportRunRow.state == "running")
        .where(~ImportRunRow.options.has_key("started"))
    )
    return list((await session.scalars(query.order_by(ImportRunRow.started_at))).all())


async def save_mapping(
    session: AsyncSession, saved: SavedMapping, user_id: uuid.UUID | None, wall: WallInstant
) -> None:
    """Keep choices under a name; a name that is taken is written anew."""
    values = {"choices": saved.choices, "header": saved.header, "user_id": user_id, "saved_at": wall}
    statement = upsert(SavedMappingRow).values(name=saved.name, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


async def list_mappings(session: AsyncSession) -> list[SavedMapping]:
    """Return what was saved, by name."""
    row = SavedMappingRow
    query = select(row.name, row.choices, row.header).order_by(row.name).limit(200)
    return [SavedMapping(*found) for found in await session.execute(query)]
