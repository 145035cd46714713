"""How much each source told on each day of receipt, by kind: the rows per day of the data page."""

import datetime as dt

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from models.tables.tracking import SourceDayRow

COUNTS = ("received", "stored", "duplicates", "quarantined")


async def count_day(  # noqa: PLR0913 - four counts by name
    session: AsyncSession,
    source_id: str,
    day: dt.date,
    kind: str,
    *,
    received: int = 0,
    stored: int = 0,
    duplicates: int = 0,
    quarantined: int = 0,
) -> None:
    """Add to the counts of a day, in the transaction that stored what is counted.

    `kind` says what was counted: the name of a file, a topic, a stream, or `track`. `received` is what
    came; where it is left out, it is the sum of what became of it.
    """
    total = received or stored + duplicates + quarantined
    if not total:
        return
    counts = {"received": total, "stored": stored, "duplicates": duplicates, "quarantined": quarantined}
    statement = insert(SourceDayRow).values(source_id=source_id, day=day, kind=kind, **counts)
    added = {name: getattr(SourceDayRow, name) + getattr(statement.excluded, name) for name in COUNTS}
    keys = ["source_id", "day", "kind"]
    await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=added))
