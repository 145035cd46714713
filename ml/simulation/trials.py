"""Randomised trials whose truth is known: a portfolio in trouble, arms drawn by lot, and what came of it.

No Temporal, no database: thousands of customers over half a year in a fraction of a second, so that an
estimator of uplift can be held against the truth over many seeds. The truth is the mean difference between
twin worlds that share all luck (common random numbers) and differ in treatment alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.vocabulary import Segment
from ml.simulation.archetypes import Archetype
from ml.simulation.enrolment import DAY_0, Enrolled, enrol
from ml.simulation.population import DRAWS, Days, Mask, Numbers, Population
from ml.simulation.portfolio import YEAR
from ml.simulation.treatments import CONTROL, TREATMENTS, Step
from ml.simulation.worlds import COMPANY, World

Words = NDArray[np.str_]
FOLLOWED_DAYS = 180
PROXY_DAYS = 14
"""Usage of the second week tells early who comes back."""
RECOVERED = 0.8
"""Share of its normal use from which a customer counts as recovered."""
PROXY_NOISE = 0.08
NOT_YET = np.inf


@dataclass(frozen=True)
class TrialPlan:
    """What decides a trial: the same values give the same one."""

    customers: int
    seed: int = 1
    odds: Mapping[str, float] = field(default_factory=lambda: {CONTROL: 0.5, "value-conversation": 0.5})
    """Chance of each arm; control is the holdout."""
    odds_by_story: Mapping[Archetype, Mapping[str, float]] = field(default_factory=dict)
    """Other chances for some, as a policy that has learned would have: propensities differ then."""
    shares: Mapping[Archetype, float] | None = None
    """Share of each story of trouble; None: as in the world."""
    false_alarms: float = 0.15
    """Share of those taken in who have no trouble."""
    days: int = FOLLOWED_DAYS
    world: World = COMPANY

    def enrolled(self) -> Enrolled:
        """Return who takes part."""
        shares = self.world.shares if self.shares is None else self.shares
        return enrol(self.world, shares, self.false_alarms, self.customers, self.seed)


@dataclass(frozen=True)
class Trial:
    """What an estimator may see of a trial, one value per customer, and `stories`, the hidden cause."""

    customers: Days
    segments: tuple[Segment, ...]
    stories: tuple[Archetype, ...]
    arms: Words
    propensities: Numbers
    """Chance that the customer had of the arm that it got."""
    recovered: Mask
    """Early proxy: usage of the second week was near normal again, and the customer was still there."""
    left_after: Numbers
    """Days to leaving, infinite for who stayed as long as the trial looked."""

    def churned(self, days: int) -> Mask:
        """Return who left within so many days."""
        return self.left_after <= days


@dataclass(frozen=True)
class TrueEffect:
    """The mean effect of a treatment on churn within some days; below 0 it helps, above 0 it harms."""

    effect: float
    churn_untreated: float
    churn_treated: float
    customers: int


def run_trial(plan: TrialPlan) -> Trial:
    """Draw arms by lot and follow everybody."""
    enrolled = plan.enrolled()
    arms, propensities = _drawn(plan, enrolled)
    recovered, left_after = follow(plan, enrolled, arms)
    return Trial(
        customers=np.arange(plan.customers),
        segments=enrolled.segments,
        stories=tuple(enrolled.names[code] for code in enrolled.stories),
        arms=arms,
        propensities=propensities,
        recovered=recovered,
        left_after=left_after,
    )


def true_effects(
    plan: TrialPlan, treatment: str, days: int, *, customers: int = 20_000
) -> dict[str, TrueEffect]:
    """Return the true effect of giving everybody a treatment: by story, by segment, and of `all`.

    It is that of the population from which the plan draws, read from a sample of its own that is large enough
    for an error of a few thousandths.
    """
    return true_policy_effects(
        plan, dict.fromkeys((*plan.world.troubles, *Archetype), treatment), days, customers
    )


def true_policy_effects(
    plan: TrialPlan, policy: Mapping[Archetype, str], days: int, customers: int = 20_000
) -> dict[str, TrueEffect]:
    """Return the true effect of a policy (a treatment by story, control where it names none)."""
    large = TrialPlan(
        customers=customers,
        seed=plan.seed + 1_000_003,
        shares=plan.shares,
        false_alarms=plan.false_alarms,
        days=days,
        world=plan.world,
    )
    enrolled = large.enrolled()
    by_code = np.array([policy.get(story, CONTROL) for story in enrolled.names])
    left, stayed = (
        follow(large, enrolled, arms)[1] <= days
        for arms in (by_code[enrolled.stories], np.full(customers, CONTROL))
    )
    groups = {story.value: enrolled.stories == code for code, story in enumerate(enrolled.names)}
    segments = np.array([segment.value for segment in enrolled.segments])
    groups |= {segment.value: segments == segment.value for segment in Segment}
    groups["all"] = np.ones(customers, dtype=bool)
    return {name: _effect(left[mask], stayed[mask]) for name, mask in groups.items() if mask.any()}


def _effect(treated: Mask, untreated: Mask) -> TrueEffect:
    with_it, without = float(treated.mean()), float(untreated.mean())
    return TrueEffect(with_it - without, without, with_it, len(treated))


def _drawn(plan: TrialPlan, enrolled: Enrolled) -> tuple[Words, Numbers]:
    luck = np.random.default_rng([plan.seed, 2]).random(plan.customers)
    arms = np.full(plan.customers, CONTROL, dtype="<U40")
    chances = np.zeros(plan.customers)
    for code, story in enumerate(enrolled.names):
        odds = plan.odds_by_story.get(story, plan.odds)
        names = np.array(list(odds))
        shares = np.array(list(odds.values())) / sum(odds.values())
        places = np.flatnonzero(enrolled.stories == code)
        drawn = np.minimum(np.searchsorted(np.cumsum(shares), luck[places]), len(names) - 1)
        arms[places], chances[places] = names[drawn], shares[drawn]
    return arms, chances


def follow(plan: TrialPlan, enrolled: Enrolled, arms: Words) -> tuple[Mask, Numbers]:
    """Live the days; return who recovered and after how many days each left.

    Luck depends on the plan alone, never on the arms.
    """
    population = enrolled.population()
    random = np.random.default_rng([plan.seed, 3])
    cares = _cares(plan, arms)
    second_week = np.zeros(plan.customers)
    for number in range(1, plan.days + 1):
        day = DAY_0 + number
        population.live(day, random.random((plan.customers, DRAWS)), (day + enrolled.phases) % YEAR == 0)
        if PROXY_DAYS / 2 < number <= PROXY_DAYS:
            second_week += population.engagement / (PROXY_DAYS / 2)
        for step, reached in cares.get(number, []):
            population.receive(reached & population.here, step.care)
    noise = np.exp(np.random.default_rng([plan.seed, 4]).normal(0, PROXY_NOISE, plan.customers))
    left = _left_after(population)
    return (second_week * noise >= RECOVERED) & (left > PROXY_DAYS), left


def _left_after(population: Population) -> Numbers:
    return np.where(population.here, NOT_YET, population.left_on - DAY_0)


def _cares(plan: TrialPlan, arms: Words) -> dict[int, list[tuple[Step, Mask]]]:
    """Return, by day, who will be reached by which step."""
    random = np.random.default_rng([plan.seed, 5])
    luck = random.random((max(len(steps) for steps in TREATMENTS.values()), plan.customers))
    found: dict[int, list[tuple[Step, Mask]]] = {}
    for name, steps in TREATMENTS.items():
        for place, step in enumerate(steps):
            reached = (arms == name) & (luck[place] < step.chance)
            found.setdefault(step.day, []).append((step, reached))
    return found
