"""The design that Everstay does without: each customer wakes every day and looks whether something is due."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

QUEUE = "bench-naive"
LONGEST_LOOK = timedelta(seconds=10)


@dataclass(frozen=True)
class NaiveInput:
    """Whose days, how long each lasts on the wall, and how many there are."""

    customer_id: str
    day_seconds: float
    days: int


@dataclass(frozen=True)
class LookInput:
    """One daily look at one customer."""

    customer_id: str
    day: int


@activity.defn
async def look(_request: LookInput) -> bool:
    """Find that nothing is due."""
    return False


@workflow.defn
class NaiveWorkflow:
    """One timer and one activity a day: what polling costs at least."""

    @workflow.run
    async def run(self, request: NaiveInput) -> None:
        """Sleep, look, and again."""
        for day in range(request.days):
            await asyncio.sleep(request.day_seconds)
            await workflow.execute_activity(
                look, LookInput(request.customer_id, day), start_to_close_timeout=LONGEST_LOOK
            )
