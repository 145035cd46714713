"""When a sample customer begins, renews, is onboarded, has value, and meets trouble."""

import datetime as dt
import math
from dataclasses import dataclass
from random import Random

from ml.simulation.archetypes import Archetype
from ml.simulation.population import VALUE_SHAPE
from ml.simulation.worlds import World

YEAR = 365
OLDEST = 900
"""Days by which the oldest customers began before we look."""
ONBOARDING_DAYS = (14, 75, 28)
"""Least, most and usual."""
ALREADY_IN_TROUBLE = 0.2
"""Share of the troubled customers of a demo whose trouble began in the history: the baseline shows them."""
FIRST_TROUBLE_AFTER = 60
"""Nobody meets trouble in so many days after the start."""
LONGEST_BEFORE = 150
"""Trouble may have begun so long before we look."""
YOUNGEST_NEWCOMER = 10
Days = tuple[dt.date, dt.date, dt.date]
"""The first day of the history, the first live day, and the day after the last."""


@dataclass(frozen=True)
class Timing:
    """The days that nature gave a customer."""

    started_on: dt.date
    renewal_on: dt.date
    onboarded_on: dt.date
    value_on: dt.date | None
    """First value, where it came before we look; later ones depend on luck and care."""
    onset: dt.date | None
    pace: float


def timing_of(random: Random, world: World, archetype: Archetype, size: int, days: Days) -> Timing:
    """Draw the days of one customer."""
    history, start, _ = days
    started = _start(random, world, days)
    onboarded = started + dt.timedelta(days=round(random.triangular(*ONBOARDING_DAYS)))
    value = started + dt.timedelta(days=round(_wait(random, world)))
    renewal = _anniversary(started, history)
    if world.onsets_per_year is None:
        renewal = start + dt.timedelta(days=random.randint(2, YEAR))
    return Timing(
        started_on=started,
        renewal_on=renewal,
        onboarded_on=onboarded,
        value_on=value if value < history else None,
        onset=_onset(random, world, started, size, days) if archetype in world.troubles else None,
        pace=random.uniform(*world.pace),
    )


def _start(random: Random, world: World, days: Days) -> dt.date:
    """Return a day long before we look, or, for the share of the newcomers, one while we do."""
    history, start, end = days
    is_new, ago, part = random.random() < world.newcomers, random.randint(30, OLDEST), random.random()
    if not is_new:
        return history - dt.timedelta(days=ago)
    if world.onsets_per_year is None:
        end = start - dt.timedelta(days=YOUNGEST_NEWCOMER)
    return history + dt.timedelta(days=int(part * max(1, (end - history).days)))


def _wait(random: Random, world: World) -> float:
    """Return days to first value of who is not helped (Weibull, by its inverse)."""
    scale = world.value_days / math.log(2) ** (1 / VALUE_SHAPE)
    return float(scale * (-math.log(1 - random.random())) ** (1 / VALUE_SHAPE))


def _anniversary(started: dt.date, not_before: dt.date) -> dt.date:
    """Return the first renewal of yearly terms that is not before a day."""
    terms = max(1, math.ceil((not_before - started).days / YEAR))
    return started + dt.timedelta(days=YEAR * terms)


def _onset(random: Random, world: World, started: dt.date, size: int, days: Days) -> dt.date | None:
    """Return when trouble begins: at a steady rate, or condensed into the live days of a demo."""
    history, start, end = days
    if world.onsets_per_year is not None:
        first = max(
            started + dt.timedelta(days=FIRST_TROUBLE_AFTER), history - dt.timedelta(days=LONGEST_BEFORE)
        )
        rate = world.onsets_per_year * world.by_size[size - 1] / YEAR
        return first + dt.timedelta(days=round(random.expovariate(rate)))
    if random.random() < ALREADY_IN_TROUBLE:
        return start - dt.timedelta(days=random.randint(5, 40))
    return start + dt.timedelta(days=random.randint(-4, max(1, int((end - start).days * 0.7) - 4)))
