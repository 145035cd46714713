"""The sample portfolio in motion: each day yields the facts that its data sources would tell."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from domain.facts import Fact
from ml.simulation.archetypes import Care
from ml.simulation.facts_commercial import cancellation, invoices, renewal
from ml.simulation.facts_relations import TOUCH_DAYS, people, reviews, touches
from ml.simulation.facts_static import introduction
from ml.simulation.facts_support import support, surveys
from ml.simulation.facts_usage import usage
from ml.simulation.latent import Draws
from ml.simulation.life import Life, at
from ml.simulation.portfolio import Portfolio, SampleConfig, make_portfolio

ACTIVE = 0.5
"""A customer with at least this part of its normal engagement counts as active."""


@dataclass(frozen=True)
class Truth:
    """What only a simulation can know: how troubled customers are, and would be without any care of ours."""

    troubled: int
    active: int
    active_without_care: int
    left: int
    left_without_care: int


class Simulation:
    """Lives the portfolio day by day, in order. Days and care in, facts out; no clock, no other input."""

    def __init__(self, config: SampleConfig) -> None:
        self.portfolio: Portfolio = make_portfolio(config)
        self._config = config
        self._lives = {
            customer.key: Life.begin(customer, self._first_touch(customer.key, customer.plan))
            for customer in self.portfolio.customers
        }
        self._next_day = config.history_start

    @property
    def config(self) -> SampleConfig:
        """What decides this portfolio."""
        return self._config

    @property
    def next_day(self) -> dt.date:
        """The day that will be lived next."""
        return self._next_day

    def introductions(self) -> list[Fact]:
        """Return who the customers and their people are: known since the history began."""
        known = at(self._config.history_start, 0)
        return [fact for life in self._lives.values() for fact in introduction(life.customer, known)]

    def history(self) -> Iterator[tuple[dt.date, list[Fact]]]:
        """Live the days before the start, without any care of ours."""
        while self._next_day < self._config.start:
            yield self._next_day, self.live({})

    def live(self, cares: Mapping[str, Sequence[Care]]) -> list[Fact]:
        """Live the next day, after the care that customers got on the day before, and return its facts."""
        day = self._next_day
        yesterday = day - dt.timedelta(days=1)
        for key, received in cares.items():
            for care in received:
                self._lives[key].latent.receive(yesterday, care)
        self._next_day = day + dt.timedelta(days=1)
        return [fact for life in self._lives.values() for fact in self._live_one(life, day)]

    def truth(self) -> Truth:
        """Compare the treated world with the one in which nobody cared."""
        lives = [
            life
            for life in self._lives.values()
            if life.customer.onset is not None and life.customer.onset < self._next_day
        ]
        return Truth(
            troubled=len(lives),
            active=sum(_is_active(life.latent.engagement, life.latent.left_on) for life in lives),
            active_without_care=sum(_is_active(life.twin.engagement, life.twin.left_on) for life in lives),
            left=sum(life.latent.left_on is not None for life in lives),
            left_without_care=sum(life.twin.left_on is not None for life in lives),
        )

    def engagement(self, key: str) -> float:
        """Return how engaged a customer is; 1 is its own normal."""
        return self._lives[key].latent.engagement

    def _live_one(self, life: Life, day: dt.date) -> list[Fact]:
        random = Random(f"{self._config.seed}/{life.customer.key}/{day}")
        draws, is_renewal = Draws.of(random), day == life.renewal_on
        life.twin.live(day, draws, is_renewal=is_renewal)
        if life.has_told_end:
            return []
        life.latent.live(day, draws, is_renewal=is_renewal)
        if life.latent.left_on is not None:
            return list(cancellation(life, day))
        facts: list[Fact] = [
            *people(life, day, random),
            *usage(life, self._config, day, random),
            *support(life, day, random),
            *surveys(life, day, random),
            *invoices(life, day, random),
            *touches(life, day, random),
            *reviews(life, day, random),
        ]
        return [*facts, *renewal(life, day)]

    def _first_touch(self, key: str, plan: str) -> dt.date:
        wait = Random(f"{self._config.seed}/{key}/first-touch").randint(0, TOUCH_DAYS[plan])
        return self._config.history_start + dt.timedelta(days=wait)


def _is_active(engagement: float, left_on: dt.date | None) -> bool:
    return left_on is None and engagement >= ACTIVE
