"""Presets: the lively two months of the demo, and a company as it is over a year and more."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ml.simulation import archetypes, causes, company
from ml.simulation.archetypes import Archetype, Trouble
from ml.simulation.causes import Effects


class Preset(StrEnum):
    """Which world a portfolio lives in."""

    DEMO = "demo"
    """So much happens in the live days as in a year: for looking at it."""
    COMPANY = "company"
    """The pace of real life: for learning, backtests and trials."""


@dataclass(frozen=True)
class World:
    """What decides how customers fare when nobody cares, and what care changes. Hazards are per day."""

    shares: Mapping[Archetype, float]
    troubles: Mapping[Archetype, Trouble]
    effects: Effects
    history_days: int
    relapse: float
    """Hazard that trouble comes again after a return."""
    onsets_per_year: float | None
    """How often trouble comes to who may meet it; None: once, within the live days."""
    ordinary_leaving: float
    """Hazard of cancelling out of the blue."""
    by_size: tuple[float, float, float]
    """What the hazards of leaving and paying less of small, middle and large customers are multiplied by."""
    grows: Mapping[Archetype, float]
    """Hazard of buying more, of customers without trouble."""
    grows_by: tuple[float, float]
    shrinks_by: tuple[float, float]
    """Least and most share by which recurring revenue changes at once."""
    newcomers: float
    """Share of the customers who begin while we look."""
    pace: tuple[float, float]
    """Least and most speed at which a customer's trouble runs, 1 being the table's."""
    season_days: int
    season_swing: float
    growth_per_day: float
    """By which the use of a growing customer rises."""
    value_days: float = 100.0
    """Median days from the start to first value when nobody helps."""


DEMO = World(
    shares=archetypes.SHARES,
    troubles=archetypes.TROUBLES,
    effects=causes.LIVELY,
    history_days=120,
    relapse=0.002,
    onsets_per_year=None,
    ordinary_leaving=0.00005,
    by_size=(1.0, 1.0, 1.0),
    grows={Archetype.GROWING: 0.031, Archetype.HEALTHY: 0.0105, Archetype.SEASONAL: 0.009},
    grows_by=(0.15, 0.45),
    shrinks_by=(0.15, 0.50),
    newcomers=0.16,
    pace=(1.0, 1.0),
    season_days=42,
    season_swing=0.3,
    growth_per_day=1.005,
)
COMPANY = World(
    shares=company.SHARES,
    troubles=company.TROUBLES,
    effects=causes.MEASURED,
    history_days=730,
    relapse=0.0030,
    onsets_per_year=1.25,
    ordinary_leaving=0.00006,
    by_size=(1.1, 0.95, 0.8),
    grows={
        Archetype.GROWING: 0.0063,
        Archetype.HEALTHY: 0.0033,
        Archetype.SEASONAL: 0.0024,
        Archetype.ERRATIC: 0.0024,
        Archetype.DECLINING: 0.0024,
        Archetype.TICKET_STORM: 0.0024,
    },
    grows_by=(0.08, 0.35),
    shrinks_by=(0.15, 0.50),
    newcomers=0.30,
    pace=(0.75, 1.35),
    season_days=170,
    season_swing=0.4,
    growth_per_day=1.0012,
)
WORLDS: Mapping[Preset, World] = {Preset.DEMO: DEMO, Preset.COMPANY: COMPANY}
