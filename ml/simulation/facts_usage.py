"""What a customer's people do in the product on one day."""

import datetime as dt
import math
from collections.abc import Iterator
from random import Random

from domain.facts import UsageFact
from ml.simulation.archetypes import Archetype
from ml.simulation.life import Life, at
from ml.simulation.portfolio import SampleConfig
from ml.simulation.words import FEATURES

WEEK = (1.0, 1.06, 1.05, 1.0, 0.9, 0.14, 0.1)
"""Monday to Sunday."""
NOISE = 0.1
MOST_GROWTH = 2.2
FIRST_USE, TAKES_UP_DAYS = 0.25, 60
"""Share of the later use in the first days, and days until it is reached."""
MOOD_DAYS, MOOD_SWING = (37, 71, 113), 0.2
"""Periods and swing of the ups and downs of an erratic customer."""


def usage(life: Life, config: SampleConfig, day: dt.date, random: Random) -> Iterator[UsageFact]:
    """Yield one fact for each feature that was used."""
    level = life.latent.engagement * _trend(life, config, day) * WEEK[day.weekday()]
    known = life.evening(day)
    for feature, per_person in _features(life, config, day):
        noise = math.exp(random.gauss(0, NOISE))
        people = min(round(life.customer.people * level * noise), round(life.customer.people * MOST_GROWTH))
        hour = random.uniform(7, 19)
        if people:
            yield UsageFact(
                key=f"{life.customer.key}/usage/{day}/{feature}",
                known_at=known,
                customer=life.customer.key,
                feature=feature,
                quantity=max(1, round(people * per_person * noise)),
                users=people,
                occurred_at=at(day, hour),
            )


def _trend(life: Life, config: SampleConfig, day: dt.date) -> float:
    """Return what moves a customer's use though nothing is wrong: growth, seasons, moods, a beginning."""
    customer, world, age = life.customer, config.world, (day - life.customer.started_on).days
    begun = min(1.0, FIRST_USE + age / TAKES_UP_DAYS) if customer.started_on >= config.history_start else 1.0
    if customer.archetype is Archetype.GROWING:
        return begun * min(MOST_GROWTH, world.growth_per_day ** (day - config.history_start).days)
    turns = day.toordinal() + customer.phase
    if customer.archetype is Archetype.SEASONAL:
        return begun * (1 + world.season_swing * math.sin(2 * math.pi * turns / world.season_days))
    if customer.archetype is Archetype.ERRATIC:
        moods = sum(math.sin(2 * math.pi * turns / days + customer.phase * days) for days in MOOD_DAYS)
        return begun * math.exp(MOOD_SWING * moods)
    return begun


def _features(life: Life, config: SampleConfig, day: dt.date) -> list[tuple[str, float]]:
    """Return what is used: a growing customer takes up another feature in the live days."""
    used = list(life.customer.features)
    is_broader = day >= config.start + dt.timedelta(days=life.customer.phase % 30)
    if life.customer.archetype is Archetype.GROWING and is_broader:
        names = {feature for feature, _ in used}
        used += [(feature, 1.0) for feature in FEATURES if feature not in names][:1]
    return used
