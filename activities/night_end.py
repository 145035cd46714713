"""What a night does once everybody is scored: each part by itself, so that a failure stops no other."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import Any, Protocol

import structlog

from activities.model_watch import watch_models
from activities.weight_proposals import propose_once_a_quarter
from domain.ports import Clock
from domain.statistician import Statistician
from models.database import Database
from models.disagreements import reconcile
from models.health_overrides import expire_overrides
from models.scores import load_policy

log: Any = structlog.get_logger("night")


class Part(Protocol):
    """One thing that a night does; the second time on a date it finds nothing left to do."""

    __name__: str

    async def __call__(
        self, database: Database, clock: Clock, statistician: Statistician, date: dt.date, /
    ) -> object:
        """Do it."""


async def expire(database: Database, clock: Clock, _statistician: Statistician, _date: dt.date) -> int:
    """End people's verdicts on health that have passed their end."""
    async with database.transaction() as session:
        ended = await expire_overrides(session, clock.now(), clock.wall_now())
    if ended:
        log.info("verdicts of people expired", customers=ended)
    return ended


async def reconcile_views(
    database: Database, clock: Clock, _statistician: Statistician, _date: dt.date
) -> dict[str, int]:
    """Take every disagreement of health, risk and forecast one step on."""
    async with database.transaction() as session:
        took = await reconcile(session, await load_policy(session), clock.now())
    if took:
        log.info("views reconciled", **took)
    return took


PARTS: tuple[tuple[Part, float], ...] = (
    (expire, 3.0),
    (reconcile_views, 5.0),
    (watch_models, 6.0),
    (propose_once_a_quarter, 13.0),
)
"""With the wall seconds that each may take: together within the activity's thirty."""


async def end_night(
    database: Database,
    clock: Clock,
    statistician: Statistician,
    date: dt.date,
    parts: Sequence[tuple[Part, float]] = PARTS,
) -> None:
    """Expire people's verdicts, reconcile views, look at the models, and ask outcomes for weights."""
    for part, seconds in parts:
        try:
            async with asyncio.timeout(seconds):
                await part(database, clock, statistician, date)
        except Exception:  # whatever it is, the other parts are still worth doing; the next night tries again
            log.exception("a part of the night failed", part=part.__name__)
