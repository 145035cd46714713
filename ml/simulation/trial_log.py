"""Assignments of a guided company and what became of them, as the database would keep them."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

from domain.features import UsageNumbers
from domain.impact import TrialRow
from domain.trial_labels import FALLEN, RECOVERY_DAYS, STAY_DAYS, WINDOWS, Measure
from ml.simulation.observed import Observed
from ml.simulation.population import Population


@dataclass
class Kept:
    """One assignment, and what its labels are read from. `day` counts from the start."""

    row: TrialRow
    place: int
    day: int
    usual: float
    has_fallen: bool
    recovered: bool | None = None


class TrialLog:
    """Every assignment in order, with labels that are written once their window has passed."""

    def __init__(self, observed: Observed, population: Population, first: int) -> None:
        """Count days from the ordinal `first`."""
        self._observed, self._population, self._first = observed, population, first
        self._kept: list[Kept] = []

    def keep(self, row: TrialRow, place: int, day: int, usage: UsageNumbers) -> None:
        """Write an assignment down as the customer is today."""
        has_fallen = usage.baseline > 0 and usage.week < FALLEN * usage.baseline
        self._kept.append(Kept(row, place, day, usage.baseline, has_fallen))

    def end_week(self, today: int) -> None:
        """Say of those whose second week is over whether use was back."""
        for one in self._kept:
            if one.has_fallen and today - one.day == RECOVERY_DAYS:
                is_back = self._observed.has_recovered(one.place, one.usual)
                one.recovered = is_back and bool(self._population.here[one.place])

    def rows(self, today: int) -> Iterator[TrialRow]:
        """Yield them as a night reads them."""
        for one in self._kept:
            good = {}
            passed = dt.timedelta(days=today - one.day)
            if one.recovered is not None and passed >= WINDOWS[Measure.RECOVERED]:
                good[Measure.RECOVERED] = one.recovered
            if passed >= WINDOWS[Measure.STAYED]:
                good[Measure.STAYED] = self._stayed(one)
            yield replace(one.row, good=good)

    def _stayed(self, one: Kept) -> bool:
        left = int(self._population.left_on[one.place])
        return not left or left - self._first > one.day + STAY_DAYS
