"""The sample portfolio in motion: each day yields the facts that its data sources would tell."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from domain.facts import Fact
from domain.retention_figures import Held, Wait
from domain.time import BusinessInstant
from ml.simulation.archetypes import Archetype, Care
from ml.simulation.facts_commercial import cancellation, invoices
from ml.simulation.facts_relations import TOUCH_DAYS, people, reviews, touches
from ml.simulation.facts_static import introduction, news
from ml.simulation.facts_support import support, surveys
from ml.simulation.facts_terms import first_term, resizing
from ml.simulation.facts_usage import usage
from ml.simulation.latent import Latent
from ml.simulation.life import Life, at
from ml.simulation.population import DRAWS, Mask
from ml.simulation.portfolio import Portfolio, SampleConfig, SampleCustomer, make_portfolio
from ml.simulation.untreated import Opening, initial_revenue, population_of

Cohort = tuple[list[Held], list[Wait]]
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


@dataclass(frozen=True)
class Fate:
    """What became of one customer."""

    key: str
    archetype: Archetype
    onset: dt.date | None
    left_on: dt.date | None


class Simulation:
    """Lives the portfolio day by day, in order. Days and care in, facts out; no clock, no other input."""

    def __init__(self, config: SampleConfig) -> None:
        self.portfolio: Portfolio = make_portfolio(config)
        self._config = config
        self._treated, self._twin = (population_of(self.portfolio) for _ in range(2))
        self._places = {customer.key: place for place, customer in enumerate(self.portfolio.customers)}
        self._lives = [self._life(customer, place) for place, customer in enumerate(self.portfolio.customers)]
        self._next_day = config.history_start
        self._initial = initial_revenue(self.portfolio)
        self._opening: tuple[Opening, ...] = ()

    @property
    def config(self) -> SampleConfig:
        """What decides this portfolio."""
        return self._config

    @property
    def next_day(self) -> dt.date:
        """The day that will be lived next."""
        return self._next_day

    def introductions(self) -> list[Fact]:
        """Return who the customers and their people are that were there when the history began."""
        known = at(self._config.history_start, 0)
        old = [life for life in self._lives if life.customer.started_on < self._config.history_start]
        return [fact for life in old for fact in _introduce(life, known)]

    def history(self) -> Iterator[tuple[dt.date, list[Fact]]]:
        """Live the days before the start, without any care of ours."""
        while self._next_day < self._config.start:
            yield self._next_day, self.live({})

    def live(self, cares: Mapping[str, Sequence[Care]]) -> list[Fact]:
        """Live the next day, after the care that customers got on the day before, and return its facts."""
        day = self._next_day
        for key, received in cares.items():
            for care in received:
                self._treated.receive(self._places[key], care)
        self._next_day = day + dt.timedelta(days=1)
        randoms = [Random(f"{self._config.seed}/{life.customer.key}/{day}") for life in self._lives]
        luck = np.array([[random.random() for _ in range(DRAWS)] for random in randoms])
        renews = np.array([life.customer.renews_on(day) for life in self._lives])
        if day == self._config.start:
            self._treated.decide_elsewhere(self._failing_cards())
            first = day.toordinal()
            self._opening = tuple(
                Opening.of(one, self._initial, first) for one in (self._treated, self._twin)
            )
        for population in (self._treated, self._twin):
            population.live(day.toordinal(), luck, renews)
        told = zip(self._lives, randoms, strict=True)
        return [fact for life, random in told for fact in self._live_one(life, day, random)]

    def truth(self) -> Truth:
        """Compare the treated world with the one in which nobody cared."""
        today = self._next_day
        met = np.array([c.onset is not None and c.onset < today for c in self.portfolio.customers])
        treated, twin = self._treated, self._twin
        return Truth(
            troubled=int(met.sum()),
            active=int((met & treated.here & (treated.engagement >= ACTIVE)).sum()),
            active_without_care=int((met & twin.here & (twin.engagement >= ACTIVE)).sum()),
            left=int((met & ~treated.here).sum()),
            left_without_care=int((met & ~twin.here).sum()),
        )

    def live_days(self) -> tuple[Cohort, Cohort]:
        """Return what the days since the start did to the customers, and what they did without any care."""
        pairs = zip(self._opening, (self._treated, self._twin), strict=True)
        last = self._next_day.toordinal()
        treated, twin = (opening.until(one, self._initial, last) for opening, one in pairs)
        return treated, twin

    def engagement(self, key: str) -> float:
        """Return how engaged a customer is; 1 is its own normal."""
        return float(self._treated.engagement[self._places[key]])

    def is_in_trouble(self, key: str) -> bool:
        """Tell whether a customer is in the trouble of its story."""
        return bool(self._treated.trouble_since[self._places[key]])

    def meets_trouble_by(self, key: str, day: dt.date) -> bool:
        """Tell whether it is, or will be for the first time on a day until then."""
        return self._treated.meets_trouble_by(self._places[key], day.toordinal())

    def has_left(self, key: str) -> bool:
        """Tell whether a customer has gone."""
        return not self._treated.here[self._places[key]]

    def pays(self, key: str) -> None:
        """Let a customer whose card was refused have paid: with that its trouble is over."""
        self._treated.settle(self._places[key], self._next_day.toordinal())

    def cut_off(self, key: str) -> None:
        """Let a customer have lost what it had, for want of payment."""
        self._treated.leave(self._places[key], self._next_day.toordinal())

    def subscribe_again(self, key: str) -> None:
        """Let a customer who had left be back, with what it had."""
        place = self._places[key]
        self._treated.come_back(place, self._next_day.toordinal())
        life = self._lives[place]
        life.has_told_end = False
        life.term = first_term(life, life.evening(self._next_day))

    def fates(self) -> list[Fate]:
        """Return what became of everybody, which no data source tells."""
        return [
            Fate(life.customer.key, life.customer.archetype, life.customer.onset, life.latent.left_on)
            for life in self._lives
        ]

    def _live_one(self, life: Life, day: dt.date, random: Random) -> list[Fact]:
        customer, left_on = life.customer, life.latent.left_on
        if life.has_told_end or day < customer.started_on:
            return []
        if left_on is not None:
            return list(cancellation(life, day))
        arrived = [] if life.term is not None else _introduce(life, life.evening(day))
        facts: list[Fact] = [
            *arrived,
            *people(life, day, random),
            *usage(life, self._config, day, random),
            *support(life, day, random),
            *surveys(life, day, random),
            *invoices(life, day, random),
            *touches(life, day, random),
            *reviews(life, day, random),
        ]
        known = life.evening(day)
        return [
            *facts,
            *resizing(life, day),
            *news(customer, day, life.latent.value_on, known),
        ]

    def _failing_cards(self) -> Mask:
        """Return whose story is decided by the payments of a card."""
        failing = (one.pays_by_card and one.archetype is Archetype.FAILING_PAYMENT
                   for one in self.portfolio.customers)  # fmt: skip
        return np.fromiter(failing, dtype=bool)

    def _life(self, customer: SampleCustomer, place: int) -> Life:
        latent = Latent(self._treated, place, customer.archetype, self._config.world)
        return Life(customer, latent, self._first_touch(customer.key, customer.plan))

    def _first_touch(self, key: str, plan: str) -> dt.date:
        wait = Random(f"{self._config.seed}/{key}/first-touch").randint(0, TOUCH_DAYS[plan])
        return self._config.history_start + dt.timedelta(days=wait)


def _introduce(life: Life, known_at: BusinessInstant) -> list[Fact]:
    customer, *others = introduction(life.customer, known_at)
    return [customer, first_term(life, known_at), *others]
