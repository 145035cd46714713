"""A workflow that does nothing but wait, to see what its waits cost and when they end."""

from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import workflow

from domain.time import WallInstant
from workflows.waiting import Waiter, wait_until


@dataclass
class Plan:
    """Seconds from the start until which each wait lasts, None without a deadline."""

    deadlines: list[float | None]
    keeps_waiter: bool = True


@dataclass
class Waits:
    """How each wait ended, and after how many seconds since the start."""

    rung: list[bool] = field(default_factory=list)
    at: list[float] = field(default_factory=list)


@workflow.defn
class WaitProbe:
    """Waits as it is told; a ring ends the wait of the moment."""

    def __init__(self) -> None:
        self._rings = 0
        self._waits = Waits()

    @workflow.signal
    def ring(self) -> None:
        self._rings += 1

    @workflow.query
    def ended(self) -> int:
        """How many waits are over."""
        return len(self._waits.at)

    @workflow.run
    async def run(self, plan: Plan) -> Waits:
        start, waiter = workflow.now(), Waiter()
        for seconds in plan.deadlines:
            due = None if seconds is None else WallInstant(start + timedelta(seconds=seconds))
            wait = waiter.wait_until if plan.keeps_waiter else wait_until
            self._waits.rung.append(await wait(due, self._is_rung))
            self._rings = max(self._rings - 1, 0)
            self._waits.at.append((workflow.now() - start).total_seconds())
        return self._waits

    def _is_rung(self) -> bool:
        return self._rings > 0
