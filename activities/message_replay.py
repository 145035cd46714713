"""Replaying a tracked message from the quarantine: as it came, or with corrected fields."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from domain.errors import InvalidInputError
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline
from domain.tracked_message import ClientClock, MessageError, MessageReader
from models.clock import load_timeline
from models.database import Session
from models.quarantine import BadRow, Quarantined
from models.tracking import FILE, Group, TrackingStore

PATIENCE_SECONDS = 10.0


def is_message(row: Quarantined) -> bool:
    """Tell messages of the tracking API from rows of files."""
    return row.import_run_id is None and row.file == FILE


async def replay_message(
    session: Session,
    database_url: str,
    row: Quarantined,
    raw: Mapping[str, Any],
    reader: MessageReader,
    wall: WallInstant,
) -> BadRow | None:
    """Store the message as if it had come like this when it came; return what is still wrong."""
    timeline = await load_timeline(session) or Timeline((Segment(wall, BusinessInstant(wall), 1.0),))
    try:
        message = reader.read_message(raw, ClientClock(timeline, row.quarantined_at))
    except MessageError as error:
        return BadRow(row.file, row.line, "invalid", error.field, error.reason, dict(raw))
    group = Group()
    group.add(row.source_id, [message], [])
    await asyncio.to_thread(_store, database_url, group, wall, timeline.business_at(wall))
    return None


def _store(database_url: str, group: Group, wall: WallInstant, known_at: BusinessInstant) -> None:
    """Commit it before the row is settled: were that lost, the next replay would find it stored."""
    store = TrackingStore(database_url, PATIENCE_SECONDS)
    try:
        store.store(group, wall, known_at)
    finally:
        store.close()


def corrected_message(
    raw: Mapping[str, Any], cells: Mapping[str, str] | None, text: str | None
) -> dict[str, Any]:
    """Return the message with corrected fields, or as it was written anew; fields are text or JSON."""
    if text is not None:
        whole = _json(text)
        if not isinstance(whole, dict):
            raise InvalidInputError(field="text", reason="is no JSON object")
        return whole
    found = dict(raw)
    for name, cell in (cells or {}).items():
        if cell not in _shown(found.get(name)):
            value = _json(cell)
            found[name] = value if isinstance(value, dict | list) else cell
    return found


def _shown(value: object) -> tuple[str, ...]:
    """Return how a form may show a field that nobody has changed."""
    return ("" if value is None else str(value), json.dumps(value), json.dumps(value, ensure_ascii=False))


def _json(text: str) -> object:
    try:
        found: object = json.loads(text)
    except ValueError:
        return None
    return found
