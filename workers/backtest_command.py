"""What `everstay backtest` does: replay scoring as it would have been, and say how early it saw who left."""

import csv
import datetime as dt
import getpass
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.backtest import begun_on, departures, replay_looks, settled_on
from activities.training_data import open_world
from domain.backtest import Replay
from domain.backtest_figures import document
from domain.errors import InvalidInputError
from domain.learning_rows import World
from domain.progress import Progress, part_of
from domain.scoring_policy import RiskPolicy
from domain.time import start_of_day
from ml.recipes import RECIPES, Recipe
from models.backtests import customer_keys, file_backtest
from models.clock import open_clock
from models.database import Database
from models.scores import load_policy
from models.snapshots import told_until
from settings import Settings
from workers.backtest_voices import CHAMPION, RETRAIN, SCORECARD, Cast, card_cast, filed_cast, retrained_cast

STEPS = {"day": 1, "week": 7, "month": 30}
YEAR, QUARTER_OF_HISTORY = dt.timedelta(days=365), dt.timedelta(days=90)


@dataclass(frozen=True)
class Asked:
    """What was asked for; dates that are None are chosen: the newest year that is settled."""

    model: str = SCORECARD
    first: dt.date | None = None
    last: dt.date | None = None
    every: str = "week"
    capacity: int | None = None
    groups: Path | None = None
    allow_seen: bool = False
    is_kept: bool = False


async def run_backtest(
    settings: Settings, asked: Asked, tell: Progress, recipes: Sequence[Recipe] = RECIPES
) -> dict[str, Any]:
    """Return the backtest as published; raises InvalidInputError where it cannot be honest."""
    database = Database(settings.database_url or "", pool_size=2)
    try:
        return await backtest(database, asked, tell, recipes)
    finally:
        await database.close()


async def backtest(
    database: Database, asked: Asked, tell: Progress, recipes: Sequence[Recipe] = RECIPES
) -> dict[str, Any]:
    """Replay with an open database."""
    clock = await open_clock(database)
    async with database.transaction() as session:
        known_until = await told_until(session, clock.now())
        policy = (await load_policy(session)).risk
        keys = await customer_keys(session) if asked.groups else {}
    world = await open_world(database, known_until, start_of_day(asked.first or known_until.date()))
    days = days_between(*_bounds(asked, world), STEPS[asked.every])
    groups = read_groups(asked.groups, keys) if asked.groups else {}
    share = 0.5 if asked.model == RETRAIN else 0.0
    cast = await _cast(database, asked, world, (policy, recipes), days, part_of(tell, 0.0, share))
    looks = await replay_looks(database, world, days, cast.on, part_of(tell, share, 1.0))
    replay = Replay(looks, departures(world, groups), settled_on(world), asked.capacity)
    found = _head(asked, days, cast, world) | document(replay)
    if asked.is_kept:
        key = uuid.uuid4()
        async with database.transaction() as session:
            await file_backtest(session, key, found, getpass.getuser(), clock.now())
        found["id"] = str(key)
    return found


async def _cast(
    database: Database,
    asked: Asked,
    world: World,
    how: tuple[RiskPolicy, Sequence[Recipe]],
    days: Sequence[dt.date],
    tell: Progress,
) -> Cast:
    policy, recipes = how
    if asked.model == SCORECARD:
        return card_cast(policy, days[0])
    if asked.model == RETRAIN:
        return await retrained_cast(database, world, policy, (days[0], days[-1]), tell, recipes)
    name = None if asked.model == CHAMPION else asked.model
    return await filed_cast(database, name, policy, days[0], allow_seen=asked.allow_seen)


def _bounds(asked: Asked, world: World) -> tuple[dt.date, dt.date]:
    begun = begun_on(world)
    last = asked.last or settled_on(world)
    first = asked.first or max(begun + QUARTER_OF_HISTORY, last - YEAR)
    if not first <= last <= world.known_until.date():
        reason = f"dates must rise up to {world.known_until.date()}, the last known day: {first} to {last}"
        raise InvalidInputError(field="to", reason=reason)
    if first <= begun:
        raise InvalidInputError(field="from", reason=f"nothing was known before {begun}: start after it")
    return first, last


def days_between(first: dt.date, last: dt.date, step: int) -> list[dt.date]:
    """Return the first day and every so many days after it."""
    return [first + dt.timedelta(days=place) for place in range(0, (last - first).days + 1, step)]


def read_groups(path: Path, keys: dict[str, uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the grouping of a file with the columns `customer` (its id at its source) and `group`."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if rows and not {"customer", "group"} <= set(rows[0]):
        raise InvalidInputError(field="groups", reason=f"{path} needs the columns customer and group")
    return {keys[row["customer"]]: row["group"] for row in rows if row["customer"] in keys}


def _head(asked: Asked, days: Sequence[dt.date], cast: Cast, world: World) -> dict[str, Any]:
    return {
        "model": asked.model,
        "from": days[0].isoformat(),
        "to": days[-1].isoformat(),
        "every": asked.every,
        "known_until": world.known_until.isoformat(),
        "has_seen": cast.has_seen,
        "note": cast.note,
        "stages": list(cast.stages),
    }
