"""The only place that arms a timer: a negative sleep wedges a run, and a re-armed one costs history."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

from temporalio import workflow

from domain.time import WallInstant


class Waiter:
    """Waits for a wall deadline or a condition, keeping its timer while the deadline stays the same."""

    def __init__(self) -> None:
        """Start without a timer."""
        self._due: WallInstant | None = None
        self._timer: asyncio.Task[None] | None = None

    async def wait_until(
        self, due: WallInstant | None, *conditions: Callable[[], bool], lazily: bool = False
    ) -> bool:
        """Return True once a condition holds, False when the deadline came first.

        Without a deadline only a condition ends the wait. A deadline that has passed ends it at once. A lazy
        wait keeps a timer that was armed for an earlier instant, and arms the rest of the time when it fires.
        """
        while True:
            self._arm(due, lazily=lazily)
            await workflow.wait_condition(lambda: _holds(conditions) or self._is_done())
            if _holds(conditions):
                return True
            if self._due == due:
                return False

    def stop(self) -> None:
        """Take back the timer, if one is armed."""
        self._arm(None)

    def _arm(self, due: WallInstant | None, *, lazily: bool = False) -> None:
        """Replace the timer when the deadline has changed or its timer has fired."""
        if self._timer is not None and not self._timer.done() and self._serves(due, lazily=lazily):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due, self._timer = due, None
        if due is not None:
            left = max(due - WallInstant(workflow.now()), timedelta())
            self._timer = asyncio.create_task(_sleep(left))

    def _serves(self, due: WallInstant | None, *, lazily: bool) -> bool:
        """Tell whether the armed timer is good for this deadline."""
        is_earlier = due is not None and self._due is not None and self._due < due
        return due == self._due or (lazily and is_earlier)

    def _is_done(self) -> bool:
        return self._timer is not None and self._timer.done()


def _holds(conditions: Iterable[Callable[[], bool]]) -> bool:
    return any(condition() for condition in conditions)


async def _sleep(left: timedelta) -> None:
    if left:
        await asyncio.sleep(left.total_seconds())


async def wait_until(due: WallInstant | None, *conditions: Callable[[], bool]) -> bool:
    """Wait once, for workflows that wait in a straight line; no timer stays behind."""
    waiter = Waiter()
    answer = await waiter.wait_until(due, *conditions)
    waiter.stop()
    return answer
