"""How late workflows act on their deadlines."""

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.ports import Clock
from domain.time import BusinessInstant
from models.tables.system import WakeRow


async def record_wake(
    session: AsyncSession, workflow: str, woken_for: BusinessInstant | None, clock: Clock
) -> None:
    """Record a wake by timer; one that came early (the pace has changed) was not late and is no wake yet."""
    now = clock.now()
    if woken_for is None or now < woken_for:
        return
    await session.execute(
        insert(WakeRow).values(workflow=workflow, due_at=woken_for, woke_at=now, wall_at=clock.wall_now())
    )
