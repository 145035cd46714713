"""The only place that arms a timer: a negative sleep wedges a run, and a re-armed one costs history."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow

from domain.time import WallInstant


class Waiter:
    """Waits for a wall deadline or a condition, keeping its timer while the deadline stays the same."""

    def __init__(self) -> None:
        """Start without a timer."""
        self._due: WallInstant | None = None
        self._timer: asyncio.Task[None] | None = None

    async def wait_until(self, due: WallInstant | None, *conditions: Callable[[], bool]) -> bool:
        """Return True once a condition holds, False when the deadline came first.

        Without a deadline only a condition ends the wait. A deadline that has passed ends it at once.
        """
        self._arm(due)
        timer = self._timer
        await workflow.wait_condition(
            lambda: any(condition() for condition in conditions) or (timer is not None and timer.done())
        )
        return any(condition() for condition in conditions)

    def stop(self) -> None:
        """Take back the timer, if one is armed."""
        self._arm(None)

    def _arm(self, due: WallInstant | None) -> None:
        """Replace the timer when the deadline has changed or its timer has fired."""
        if due == self._due and self._timer is not None and not self._timer.done():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due, self._timer = due, None
        if due is not None:
            left = max(due - WallInstant(workflow.now()), timedelta())
            self._timer = asyncio.create_task(_sleep(left))


async def _sleep(left: timedelta) -> None:
    if left:
        await asyncio.sleep(left.total_seconds())


async def wait_until(due: WallInstant | None, *conditions: Callable[[], bool]) -> bool:
    """Wait once, for workflows that wait in a straight line; no timer stays behind."""
    waiter = Waiter()
    answer = await waiter.wait_until(due, *conditions)
    waiter.stop()
    return answer
