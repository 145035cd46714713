"""From a dropped file to its import and back: the steps that the page and the API share."""

import asyncio
import dataclasses
import re
import shutil
import uuid
from pathlib import Path
from typing import Any

from litestar.datastructures import UploadFile

from activities.import_orders import ImportOrder, open_import
from domain.column_profiles import Profile
from domain.errors import ConflictError, InvalidInputError
from domain.mapping import Mapping
from domain.mapping_check import parse_mapping
from domain.mapping_draft import SYMBOLS, Choices, draft, problems
from domain.mapping_guess import Guess, guess
from domain.time import WallInstant
from integrations.tabular import FileReader
from integrations.upload_files import Received, receive
from models.changes import announce_change
from models.database import Database, Session
from models.imports import note_option
from models.mapping_files import dump_mapping
from models.uploads import (
    IMPORTING,
    MAPPING,
    PREVIEWED,
    SavedMapping,
    Upload,
    ask_undo,
    change_upload,
    create_upload,
    list_mappings,
    load_upload,
    open_upload,
    same_content,
    save_mapping,
    wake_keeper,
)
from settings import Settings

MEGABYTE = 1_000_000


class UploadDesk:
    """Takes files in and moves them on; each step is one transaction."""

    def __init__(self, settings: Settings, database: Database) -> None:
        """Take where files lie and where they are recorded."""
        self._settings, self._database = settings, database

    async def receive(self, file: UploadFile, user_id: uuid.UUID | None, wall: WallInstant) -> Upload:
        """Keep a file with what its columns seem to mean; raises InvalidInputError for what is no table."""
        upload_id = uuid.uuid4()
        folder = self._settings.uploads / str(upload_id)
        largest = self._settings.upload_megabytes * MEGABYTE
        filename = Path(file.filename or "table.csv").name
        try:
            got = await asyncio.to_thread(receive, file.file, filename, folder, largest)
        finally:
            await file.close()
        async with self._database.transaction() as session:
            saved = _fitting(await list_mappings(session), got)
            upload = _upload(upload_id, filename, folder, got, saved, wall)
            await create_upload(session, upload, user_id)
        return await self.load(upload_id)

    async def load(self, upload_id: uuid.UUID) -> Upload:
        """Return an upload, or raise NotFoundError."""
        async with self._database.transaction() as session:
            return await load_upload(session, upload_id)

    async def choose(self, upload_id: uuid.UUID, choices: Choices) -> Upload:
        """Record what the columns mean and draft the mapping; raises InvalidInputError for what lacks."""
        async with self._database.transaction() as session:
            upload = await open_upload(session, upload_id)
            columns = profiles(upload)
            lacking = problems(choices, columns)
            if lacking:
                raise InvalidInputError(field="columns", reason=" ".join(lacking))
            document = document_of(upload, choices, columns)
            values = {"choices": choices.model_dump(mode="json"), "mapping": document, "checked": None}
            await change_upload(session, upload_id, state=PREVIEWED, **values)
            await announce_change(session)
        return await self.load(upload_id)

    async def start(self, upload_id: uuid.UUID, wall: WallInstant, *, again: bool = False) -> Upload:
        """Let an upload be imported; with `again`, even where the same bytes were imported before."""
        upload = await self.load(upload_id)
        if upload.state != PREVIEWED or upload.mapping is None:
            reason = "say first what its columns mean" if upload.state == MAPPING else f"it is {upload.state}"
            raise ConflictError(what=upload.filename, reason=reason)
        async with self._database.transaction() as session:
            await self._refuse_twice(session, upload, again=again)
        order = ImportOrder(upload.filename, mapping_of(upload), Path(upload.folder))
        opened = await open_import(self._database, FileReader(), order, wall)
        async with self._database.transaction() as session:
            await open_upload(session, upload_id)
            await note_option(session, opened.id, "header", [column["name"] for column in upload.columns])
            values = {"import_run_id": opened.id, "source_id": upload.source_id}
            await change_upload(session, upload_id, state=IMPORTING, **values)
            await wake_keeper(session)
            await announce_change(session)
        return await self.load(upload_id)

    async def _refuse_twice(self, session: Session, upload: Upload, *, again: bool) -> None:
        twins = await same_content(session, upload)
        if twins and not again:
            reason = "the same file was imported already, and would be counted twice; undo that import first"
            raise ConflictError(what=upload.filename, reason=reason)

    async def undo(self, upload_id: uuid.UUID) -> Upload:
        """Let what an upload told be taken back."""
        async with self._database.transaction() as session:
            upload = await ask_undo(session, upload_id)
            await announce_change(session)
        return upload

    async def discard(self, upload_id: uuid.UUID) -> None:
        """Forget a file that was not imported."""
        async with self._database.transaction() as session:
            upload = await open_upload(session, upload_id)
            await change_upload(session, upload_id, state="discarded")
        await asyncio.to_thread(shutil.rmtree, upload.folder, ignore_errors=True)

    async def save(
        self, upload_id: uuid.UUID, name: str, user_id: uuid.UUID | None, wall: WallInstant
    ) -> SavedMapping:
        """Keep what was chosen under a name, for the next file."""
        upload = await self.load(upload_id)
        if upload.choices is None:
            raise ConflictError(what=upload.filename, reason="say first what its columns mean")
        saved = SavedMapping(name, upload.choices, [column["name"] for column in upload.columns])
        async with self._database.transaction() as session:
            await save_mapping(session, saved, user_id, wall)
        return saved


def _fitting(saved: list[SavedMapping], got: Received) -> SavedMapping | None:
    """Return the saved mapping for files with just these columns."""
    names = {column.name for column in got.columns}
    return next((one for one in saved if set(one.header) == names), None)


def _upload(
    upload_id: uuid.UUID,
    filename: str,
    folder: Path,
    got: Received,
    saved: SavedMapping | None,
    wall: WallInstant,
) -> Upload:
    guessed = guess(filename, got.columns)
    details = {
        "file": got.file,
        "format": got.sniffed.format,
        "encoding": got.sniffed.encoding,
        "delimiter": got.sniffed.delimiter,
        "size": got.size,
        "kind": guessed.kind,
        "confidence": guessed.confidence,
        "saved": None if saved is None else saved.name,
    }
    return Upload(
        upload_id,
        filename,
        str(folder),
        got.content_hash,
        0,
        details,
        [_column(column, guessed) for column in got.columns],
        suggested(got.columns, guessed).model_dump(mode="json") if saved is None else saved.choices,
        None,
        None,
        None,
        MAPPING,
        None,
        wall,
        None,
    )


def _column(column: Profile, guessed: Guess) -> dict[str, Any]:
    known = dataclasses.asdict(column) | {"traits": sorted(column.traits)}
    found = guessed.fields.get(column.name)
    return known | {"guess": None if found is None else dataclasses.asdict(found)}


def suggested(columns: tuple[Profile, ...], guessed: Guess) -> Choices:
    """Return what we would choose."""
    symbol = next((column.symbol for column in columns if column.symbol), "$")
    fields = {name: one.field for name, one in guessed.fields.items()}
    kind: Any = guessed.kind
    return Choices(kind=kind, fields=fields, currency=SYMBOLS.get(symbol, "USD"))


def profiles(upload: Upload) -> list[Profile]:
    """Return the columns of an upload."""
    names = {field.name for field in dataclasses.fields(Profile)}
    tuples = ("forms", "rivals", "empties", "examples", "words")
    found = []
    for kept in upload.columns:
        told = {name: value for name, value in kept.items() if name in names}
        told |= {name: tuple(told[name]) for name in tuples} | {"traits": frozenset(told["traits"])}
        found.append(Profile(**told))
    return found


def document_of(upload: Upload, choices: Choices, columns: list[Profile]) -> dict[str, Any]:
    """Return the mapping document; raises InvalidInputError where the choices do not make one."""
    source = {"id": upload.source_id, "name": upload.filename}
    file = {name: upload.details[name] for name in ("format", "delimiter")}
    document = draft(choices, columns, source, {"match": upload.details["file"], **file})
    found = parse_mapping(document)
    if not isinstance(found, Mapping):
        raise InvalidInputError(field="mapping", reason="; ".join(one.reason for one in found))
    return found.model_dump(mode="json", exclude_defaults=True)


def mapping_of(upload: Upload) -> Mapping:
    """Return the drafted mapping."""
    return Mapping.model_validate(upload.mapping)


def yaml_of(upload: Upload) -> str:
    """Return the drafted mapping as people write it, its columns in the order of the file."""
    if upload.mapping is None:
        raise ConflictError(what=upload.filename, reason="say first what its columns mean")
    order = [column["name"] for column in upload.columns]
    files = [
        {**file, "columns": {name: file["columns"][name] for name in order}}
        for file in upload.mapping["files"]
    ]
    source = upload.mapping["source"] | {"id": _slug(upload.filename)}
    return dump_mapping({"source": source, "files": [_ordered(file) for file in files]})


def _slug(filename: str) -> str:
    """Return an id for the source of a mapping that is used again: not this upload's."""
    plain = re.sub(r"[^a-z0-9]+", "-", filename.lower().rsplit(".", 1)[0]).strip("-")
    return plain or "table"


def _ordered(file: dict[str, Any]) -> dict[str, Any]:
    first = ("name", "match", "format", "delimiter", "columns", "facts")
    facts = [
        {name: fact[name] for name in ("type", "when", "fields") if name in fact} for fact in file["facts"]
    ]
    return {name: (file | {"facts": facts})[name] for name in first if name in file}
