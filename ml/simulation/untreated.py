"""What a period does to the hidden state of a portfolio, and what it does where nobody cares."""

import datetime as dt
from dataclasses import dataclass

import numpy as np

from domain.retention_figures import Held, Wait
from ml.simulation.population import DRAWS, Mask, Numbers, Origin, Population
from ml.simulation.portfolio import YEAR, Portfolio, SampleConfig, make_portfolio


def population_of(portfolio: Portfolio) -> Population:
    """Return the customers of a portfolio as they are when its history begins."""
    customers, begins = portfolio.customers, portfolio.config.history_start.toordinal()
    origin = Origin(
        stories=[one.archetype for one in customers],
        sizes=[one.size for one in customers],
        joined=[one.started_on.toordinal() for one in customers],
        onsets=[one.onset.toordinal() if one.onset else 0 for one in customers],
        paces=[one.timing.pace for one in customers],
        values=[one.timing.value_on.toordinal() if one.timing.value_on else 0 for one in customers],
    )
    found = Population(portfolio.config.world, origin)
    onsets = np.array(origin.onsets, dtype=np.int64)
    found.in_trouble_since(np.where(onsets < begins, onsets, 0), begins)
    return found


@dataclass(frozen=True)
class Opening:
    """What a population was on the first day of a period, before that day was lived."""

    day: int
    there: Mask
    revenue: Numbers
    """Monthly recurring revenue of each, in minor units."""

    @classmethod
    def of(cls, population: Population, initial: Numbers, day: int) -> "Opening":
        """Look at a population; `initial` is the monthly revenue with which each began."""
        return cls(day, population.here & (population.joined < day), initial * population.revenue)

    def until(self, population: Population, initial: Numbers, last: int) -> tuple[list[Held], list[Wait]]:
        """Return what the days since did to the cohort, and the waits for first value that they show."""
        after = np.where(population.here, initial * population.revenue, 0.0)
        cohort = [
            Held(round(self.revenue[place]), round(after[place]), not population.here[place])
            for place in np.flatnonzero(self.there)
        ]
        return cohort, _waits(population, self.day, last)


def initial_revenue(portfolio: Portfolio) -> Numbers:
    """Return the monthly recurring revenue with which each customer began, in minor units."""
    return np.array([one.arr_minor / 12 for one in portfolio.customers])


def untreated(config: SampleConfig, opening: dt.date, closing: dt.date) -> tuple[list[Held], list[Wait]]:
    """Live a portfolio up to a day without telling facts; return what the period since `opening` did to it.

    Its luck is its own, so it is another draw of the same company than the one that Simulation tells.
    """
    portfolio = make_portfolio(config)
    population, random = population_of(portfolio), np.random.default_rng([config.seed, 1])
    renewals = np.array([one.renewal_on.toordinal() for one in portfolio.customers])
    initial, first, last = initial_revenue(portfolio), opening.toordinal(), closing.toordinal()
    began = Opening.of(population, initial, first)
    for day in range(config.history_start.toordinal(), last):
        if day == first:
            began = Opening.of(population, initial, first)
        past = day - renewals
        population.live(day, random.random((len(initial), DRAWS)), (past >= 0) & (past % YEAR == 0))
    return began.until(population, initial, last)


def _waits(population: Population, first: int, last: int) -> list[Wait]:
    value, left, joined = population.value_on, population.left_on, population.joined
    until = np.where(value > 0, value, np.where(left > 0, left, last))
    entered = np.maximum(joined, first)
    return [
        Wait(float(entered[n] - joined[n]), float(until[n] - joined[n]), bool(value[n] > 0))
        for n in np.flatnonzero(until > entered)
    ]
