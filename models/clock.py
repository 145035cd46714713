"""Business time as stored: its segments, its heartbeat, and the clock that every process reads."""

import datetime as dt
from dataclasses import replace

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline, rescaled, stopped
from models.database import Database
from models.tables.system import ClockHeartbeatRow, ClockSegmentRow

CHANNEL = "everstay_clock"


def wall_now() -> WallInstant:
    """Return the machine's time: the one place, beside tests, that reads it for the clock."""
    return WallInstant(dt.datetime.now(dt.UTC))


async def load_timeline(session: AsyncSession) -> Timeline | None:
    """Return the stored timeline, None on a database that has no clock yet."""
    query = select(ClockSegmentRow.wall_start, ClockSegmentRow.business_start, ClockSegmentRow.rate)
    rows = (await session.execute(query.order_by(ClockSegmentRow.wall_start, ClockSegmentRow.id))).all()
    return Timeline(tuple(Segment(*row) for row in rows)) if rows else None


async def append_segment(session: AsyncSession, segment: Segment, reason: str) -> None:
    """Add the segment that holds from its wall start on, and tell every process when this commits."""
    await session.execute(
        insert(ClockSegmentRow).values(
            wall_start=segment.wall_start,
            business_start=segment.business_start,
            rate=segment.rate,
            reason=reason,
        )
    )
    await session.execute(text(f"NOTIFY {CHANNEL}"))


async def beat(session: AsyncSession, wall: WallInstant) -> None:
    """Record that the stack was alive at this wall instant."""
    statement = upsert(ClockHeartbeatRow).values(id=1, wall_at=wall)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"wall_at": statement.excluded.wall_at})
    )


async def last_beat(session: AsyncSession) -> WallInstant | None:
    """Return when the stack was last seen alive."""
    return await session.scalar(select(ClockHeartbeatRow.wall_at))


async def start_clock(
    session: AsyncSession, wall: WallInstant, *, at: BusinessInstant | None = None, rate: float = 1.0
) -> Timeline:
    """Give a new installation its first segment, or set the clock anew to `at` with `rate`."""
    business = BusinessInstant(wall) if at is None else at
    await append_segment(session, Segment(wall, business, rate), "start" if at is None else "set")
    timeline = await load_timeline(session)
    assert timeline is not None  # noqa: S101 - just inserted
    return timeline


def is_compressed(timeline: Timeline) -> bool:
    """Tell whether business time stops with the stack: only where it runs faster than the wall."""
    return timeline.segments[-1].rate not in {0.0, 1.0}


async def close_after_stop(session: AsyncSession, timeline: Timeline) -> Timeline:
    """Stop compressed time where the stack was last alive, so that no business day passes unlived."""
    seen = await last_beat(session)
    if seen is None or not is_compressed(timeline):
        return timeline
    segment = stopped(timeline, seen)
    await append_segment(session, segment, "stopped")
    return Timeline((*timeline.segments, segment))


async def postpone(session: AsyncSession, seconds: float) -> None:
    """Let the newest segment begin so much later, unless it has begun: business time never goes back."""
    timeline = await load_timeline(session)
    if timeline is not None and timeline.segments[-1].wall_start > wall_now():
        newest = timeline.segments[-1]
        later = WallInstant(newest.wall_start + dt.timedelta(seconds=seconds))
        await append_segment(session, replace(newest, rate=0.0), "postponed")
        await append_segment(session, replace(newest, wall_start=later), "set")


async def change_rate(session: AsyncSession, wall: WallInstant, rate: float, reason: str) -> None:
    """Go on from business now at another pace."""
    timeline = await load_timeline(session)
    if timeline is not None and timeline.segments[-1].rate != rate:
        await append_segment(session, rescaled(timeline, wall, rate), reason)


class StoredClock:
    """The clock port over the stored segments, re-read when `refresh` says so."""

    def __init__(self, timeline: Timeline) -> None:
        """Start from a timeline; a process refreshes it while it runs."""
        self._timeline = timeline

    def wall_now(self) -> WallInstant:
        """Return the machine's time."""
        return wall_now()

    def now(self) -> BusinessInstant:
        """Return business time."""
        return self._timeline.business_at(self.wall_now())

    def wall_at(self, due: BusinessInstant) -> WallInstant:
        """Return when, at today's pace, the business instant will have come."""
        return self._timeline.wall_at(due, self.wall_now())

    def business_at(self, wall: WallInstant) -> BusinessInstant:
        """Return what business time was when the machine's time was this."""
        return self._timeline.business_at(wall)

    @property
    def timeline(self) -> Timeline:
        """The segments as last read."""
        return self._timeline

    @property
    def rate(self) -> float:
        """Business seconds per wall second, now."""
        return self._timeline.segments[-1].rate

    @property
    def running_since(self) -> WallInstant:
        """When business time last began to run after it stood still."""
        segments = self._timeline.segments
        stops = [number for number, segment in enumerate(segments) if segment.rate == 0]
        return segments[min(stops[-1] + 1 if stops else 0, len(segments) - 1)].wall_start

    def replace(self, timeline: Timeline) -> None:
        """Go on with newly stored segments."""
        self._timeline = timeline

    async def refresh(self, database: Database) -> bool:
        """Re-read the segments; say whether they changed."""
        async with database.transaction() as session:
            timeline = await load_timeline(session)
        changed = timeline is not None and timeline != self._timeline
        if timeline is not None:
            self._timeline = timeline
        return changed


async def open_clock(database: Database) -> StoredClock:
    """Return the installation's clock, starting it at the wall's time if it never ran."""
    async with database.transaction() as session:
        timeline = await load_timeline(session) or await start_clock(session, wall_now())
    return StoredClock(timeline)
