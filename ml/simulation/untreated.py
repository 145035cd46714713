"""A portfolio's hidden state without any care of ours, and the figures that it comes to."""

import datetime as dt

import numpy as np

from domain.retention_figures import Held, Wait
from ml.simulation.population import DRAWS, Origin, Population
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


def untreated(config: SampleConfig, opening: dt.date, closing: dt.date) -> tuple[list[Held], list[Wait]]:
    """Live a portfolio up to a day without telling facts; return what the period since `opening` did to it.

    Its luck is its own, so it is another draw of the same company than the one that Simulation tells.
    """
    portfolio = make_portfolio(config)
    population, random = population_of(portfolio), np.random.default_rng([config.seed, 1])
    renewals = np.array([one.renewal_on.toordinal() for one in portfolio.customers])
    revenue = np.array([one.arr_minor / 12 for one in portfolio.customers])
    first, last = opening.toordinal(), closing.toordinal()
    before, there = revenue, population.here
    for day in range(config.history_start.toordinal(), last):
        if day == first:
            before = revenue * population.revenue
            there = population.here & (population.joined < day)
        past = day - renewals
        population.live(day, random.random((len(revenue), DRAWS)), (past >= 0) & (past % YEAR == 0))
    after = np.where(population.here, revenue * population.revenue, 0.0)
    cohort = [
        Held(round(before[place]), round(after[place]), not population.here[place])
        for place in np.flatnonzero(there)
    ]
    return cohort, _waits(population, first, last)


def _waits(population: Population, first: int, last: int) -> list[Wait]:
    value, left, joined = population.value_on, population.left_on, population.joined
    until = np.where(value > 0, value, np.where(left > 0, left, last))
    entered = np.maximum(joined, first)
    return [
        Wait(float(entered[n] - joined[n]), float(until[n] - joined[n]), bool(value[n] > 0))
        for n in np.flatnonzero(until > entered)
    ]
