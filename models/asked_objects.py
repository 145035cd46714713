"""Objects that a webhook only named: the source's next pull reads them whole."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from models.clock import wall_now
from models.tables.connections import PullCursorRow

ASKED = "asked"
"""The stream of `pull_cursors` under which the wishes of a source stand, by `stream/object`."""


async def ask_for(session: AsyncSession, source_id: str, stream: str, object_id: str) -> None:
    """Note that an object changed. Asking twice before it is read is asking once."""
    values = {"source_id": source_id, "stream": ASKED, "cursor": {f"{stream}/{object_id}": True}}
    statement = insert(PullCursorRow).values(**values, moved_at=wall_now())
    both = PullCursorRow.cursor.op("||")(statement.excluded.cursor)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["source_id", "stream"],
            set_={"cursor": both, "moved_at": statement.excluded.moved_at},
        )
    )
