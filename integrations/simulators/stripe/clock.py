"""The time at the simulated Stripe: the wall clock's, or one that follows a business clock."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime

from integrations.simulators.stripe.store import StripeStore

MINUTE, HOUR, DAY = 60, 3600, 86400
_SETTING = "clock"

Moments = AsyncGenerator[tuple[datetime, float] | None]
"""What another clock shows and its rate, at once and whenever it goes on otherwise; None is the wall's."""


class SimulatedClock:
    """Seconds since the epoch: `at` when it was set, from then on `rate` seconds per second of the wall."""

    def __init__(self, store: StripeStore, wall: Callable[[], float] = time.time) -> None:
        self._store = store
        self._wall = wall
        self._moment: float | None = None

    def now(self) -> int:
        """Return the time, or the one at which what is being made up for happened."""
        if self._moment is not None:
            return int(self._moment)
        return int(self.running())

    def running(self) -> float:
        """Return what the clock shows."""
        setting, wall = self._store.setting(_SETTING), self._wall()
        if "at" not in setting:
            return wall
        return float(setting["at"] + (wall - setting["set_at"]) * setting["rate"])

    def set(self, at: datetime, rate: float) -> None:
        """Show `at` now, and go on at a rate; 0 stands still."""
        self._store.set(_SETTING, at=at.timestamp(), set_at=self._wall(), rate=rate)

    def advance(self, seconds: float) -> None:
        """Move forward by so many seconds, at the rate as it was."""
        rate = float(self._store.setting(_SETTING).get("rate", 1.0))
        self.set(datetime.fromtimestamp(self.running() + seconds, UTC), rate)

    def shown(self) -> dict[str, str | float]:
        """Describe the clock."""
        rate = float(self._store.setting(_SETTING).get("rate", 1.0))
        return {"at": datetime.fromtimestamp(self.running(), UTC).isoformat(), "rate": rate}

    @contextmanager
    def at(self, moment: float) -> Iterator[None]:
        """Let everything within happen at a moment that has passed."""
        before, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = before


@asynccontextmanager
async def following(clock: SimulatedClock, store: StripeStore, moments: Moments) -> AsyncIterator[None]:
    """Keep a clock in step with another one, from before the body begins: nothing comes due too early."""

    def follow(moment: tuple[datetime, float] | None) -> None:
        if moment is not None:
            with store.transaction():
                clock.set(*moment)

    async def keep() -> None:
        async for moment in moments:
            follow(moment)

    async with aclosing(moments):
        follow(await anext(moments))
        task = asyncio.create_task(keep())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
