"""Objects that somebody wants read by themselves: a webhook named them, or they waited in quarantine."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from models.clock import wall_now
from models.connections import tell
from models.tables.connections import PullCursorRow

ASKED = "asked"
"""The stream of `pull_cursors` under which the wishes of a source stand, by `stream/object`."""


@dataclass(frozen=True)
class AskedObject:
    """One object that is to be read. `wish` tells this wish from a later one for the same object."""

    stream: str
    object_id: str
    wish: str = ""


async def ask_for(session: AsyncSession, source_id: str, stream: str, object_id: str) -> None:
    """Have one object of a source read soon. Asking again before it is read is asking once."""
    await ask_for_all(session, source_id, [(stream, object_id)])


async def ask_for_all(session: AsyncSession, source_id: str, objects: Iterable[tuple[str, str]]) -> None:
    """Have several objects of a source read soon, each named by its stream and its id there."""
    wishes = {f"{stream}/{object_id}": uuid.uuid4().hex for stream, object_id in objects}
    if not wishes:
        return
    statement = insert(PullCursorRow).values(
        source_id=source_id, stream=ASKED, cursor=wishes, moved_at=wall_now()
    )
    both = PullCursorRow.cursor.op("||")(statement.excluded.cursor)
    news = {"cursor": both, "moved_at": statement.excluded.moved_at}
    await session.execute(statement.on_conflict_do_update(index_elements=["source_id", "stream"], set_=news))
    await tell(session)


async def load_asked(session: AsyncSession, source_id: str) -> Sequence[AskedObject]:
    """Return what is to be read."""
    row = PullCursorRow
    query = select(row.cursor).where(row.source_id == source_id, row.stream == ASKED)
    wishes = await session.scalar(query) or {}
    keys = ((*key.partition("/")[::2], str(wish)) for key, wish in sorted(wishes.items()))
    return [AskedObject(*key) for key in keys]


async def settle_asked(session: AsyncSession, source_id: str, asked: AskedObject) -> None:
    """Take a wish off the list, in the transaction that stores its answer; one made since then stays."""
    row, key = PullCursorRow, f"{asked.stream}/{asked.object_id}"
    is_same = func.jsonb_extract_path_text(row.cursor, key) == asked.wish
    statement = update(row).where(row.source_id == source_id, row.stream == ASKED, is_same)
    await session.execute(statement.values(cursor=row.cursor.op("-")(key)))
