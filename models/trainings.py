"""Trainings under way: when they began, what they have gathered, and how they ended."""

import datetime as dt

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from domain.trained_model import ModelTarget
from domain.training_calendar import Training
from models.tables.facts import CancellationRow, SubscriptionRow
from models.tables.trained import TrainingPartRow, TrainingRow


async def begin_training(
    session: AsyncSession,
    key: str,
    target: ModelTarget,
    now: BusinessInstant,
    wall: WallInstant,
    known_until: BusinessInstant,
) -> Training:
    """Note that a training begins, or return the one that has begun under this key."""
    values = {
        "key": key, "target": target, "started_at": now, "started_wall": wall, "known_until": known_until,
        "departures": await count_departures(session, now),
    }  # fmt: skip
    await session.execute(upsert(TrainingRow).values(values).on_conflict_do_nothing())
    return await load_training(session, key)


async def load_training(session: AsyncSession, key: str) -> Training:
    """Return a training that has begun."""
    return _training((await session.scalars(select(TrainingRow).where(TrainingRow.key == key))).one())


async def last_training(session: AsyncSession, target: ModelTarget) -> Training | None:
    """Return the training of a target that began last."""
    query = select(TrainingRow).where(TrainingRow.target == target)
    row = (await session.scalars(query.order_by(TrainingRow.started_wall.desc()).limit(1))).first()
    return None if row is None else _training(row)


async def newest_start(session: AsyncSession) -> WallInstant | None:
    """Return when the last training of anything began, by the machine's clock."""
    at: WallInstant | None = await session.scalar(select(func.max(TrainingRow.started_wall)))
    return at


async def free_key(session: AsyncSession, target: ModelTarget, date: dt.date) -> str:
    """Return a key under which nothing has been trained yet."""
    stem = f"{target.value}/{date.isoformat()}"
    had = set(await session.scalars(select(TrainingRow.key).where(TrainingRow.key.startswith(stem))))
    numbered = (f"{stem}/{number}" for number in range(2, len(had) + 3))
    return next(key for key in (stem, *numbered) if key not in had)


async def end_training(session: AsyncSession, key: str, now: BusinessInstant, outcome: str) -> None:
    """Say in words how a training ended, and drop what it gathered."""
    await session.execute(
        update(TrainingRow)
        .where(TrainingRow.key == key, TrainingRow.ended_at.is_(None))
        .values(ended_at=now, outcome=outcome)
    )
    await session.execute(delete(TrainingPartRow).where(TrainingPartRow.training == key))


async def keep_part(session: AsyncSession, key: str, date: dt.date, rows: int, content: bytes) -> None:
    """Keep the snapshots of one date."""
    values = {"training": key, "as_of": date, "rows": rows, "content": content}
    statement = upsert(TrainingPartRow).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["training", "as_of"], set_=values))


async def kept_dates(session: AsyncSession, key: str) -> dict[dt.date, int]:
    """Return the dates that were gathered, and how many rows each gave."""
    row = TrainingPartRow
    found = await session.execute(select(row.as_of, row.rows).where(row.training == key))
    return {one.as_of: one.rows for one in found}


async def load_part(session: AsyncSession, key: str, date: dt.date) -> bytes:
    """Return the snapshots of one date."""
    row = TrainingPartRow
    query = select(row.content).where(row.training == key, row.as_of == date)
    return (await session.execute(query)).scalar_one()


async def count_departures(session: AsyncSession, now: BusinessInstant) -> int:
    """Return how many customers are known to have left: they said so, or all of their terms have ended."""
    said, term = CancellationRow, SubscriptionRow
    gone = select(said.customer_id).where(~said.reactivated, said.occurred_at <= now)
    over = select(term.customer_id).group_by(term.customer_id)
    left = gone.union(over.having(func.bool_and(func.coalesce(term.ended_at <= now, False))))
    return int(await session.scalar(select(func.count()).select_from(left.subquery())) or 0)


def _training(row: TrainingRow) -> Training:
    return Training(
        row.key, row.target, row.started_at, row.started_wall, row.known_until, row.ended_at,
        row.departures, row.outcome,
    )  # fmt: skip
