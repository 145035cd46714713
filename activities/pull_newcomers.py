"""Companies that have become customers: what belongs to them was passed over until now."""

from collections.abc import Sequence

from domain.pulling import NamesChildren, PullReader, Told
from models.database import Database
from models.hints import heard_of
from models.pulls import begun_streams


async def brought_along(
    database: Database, source_id: str, reader: PullReader, told: Sequence[Told]
) -> list[tuple[str, str]]:
    """Return stream and id of what new customers among these objects have, and a pass will not meet again.

    Streams that have not begun will be read from their beginning; nothing of them is missing.
    """
    if not isinstance(reader, NamesChildren):
        return []
    ids = {one.id for one in told if one.kind == reader.parents}
    if not ids:
        return []
    async with database.transaction() as session:
        begun = await begun_streams(session, source_id) - {reader.parents}
        new = ids - await heard_of(session, source_id, ids)
    if not begun.intersection(reader.streams):
        return []
    return [child for parent in sorted(new) for child in await reader.children(parent, begun)]
