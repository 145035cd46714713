import datetime as dt
from collections import Counter, defaultdict
from itertools import pairwise
from statistics import fmean

import numpy as np
import pytest

from domain.commercial import Departure, Term
from domain.facts import CancellationFact, CustomerFact, Fact, SubscriptionFact
from domain.labels import Relation
from domain.retention_figures import gross_retention, held, logo_churn, median_wait, net_retention, wait
from domain.time import BusinessInstant, start_of_day
from ml.simulation.archetypes import Archetype
from ml.simulation.population import DRAWS
from ml.simulation.portfolio import SampleConfig, make_portfolio
from ml.simulation.simulation import Simulation
from ml.simulation.untreated import population_of, untreated
from ml.simulation.worlds import Preset

START = dt.date(2026, 9, 7)


def company(customers: int, seed: int = 1, **rest: object) -> SampleConfig:
    return SampleConfig(customers, START, 0, seed, preset=Preset.COMPANY, **rest)  # type: ignore[arg-type] # a test gives few


def figures(config: SampleConfig, days: int, closing: dt.date) -> list[float]:
    cohort, waits = untreated(config, closing - dt.timedelta(days=days), closing)
    found = logo_churn(cohort), gross_retention(cohort), net_retention(cohort), median_wait(waits)
    return [float("nan") if one is None else one for one in found]


def test_an_untreated_company_has_the_figures_of_one_without_such_a_system() -> None:
    years = [figures(company(1500, seed), 365, START) for seed in range(8)]
    assert np.mean(years, axis=0) == pytest.approx((0.20, 0.82, 1.05, 100), rel=0.06)


def test_an_untreated_demo_lives_about_a_year_in_sixty_days() -> None:
    demos = [SampleConfig(300, START, 60, seed) for seed in range(20)]
    found = [figures(demo, 60, demo.end) for demo in demos]
    assert np.nanmean(found, axis=0) == pytest.approx((0.20, 0.82, 1.05, 100), rel=0.1)


def test_slow_decliners_are_down_three_months_before_they_leave_and_others_look_alike() -> None:
    config = company(2000)
    portfolio, random = make_portfolio(config), np.random.default_rng(1)
    population, begins = population_of(portfolio), config.history_start.toordinal()
    seen = []
    for day in range(730):
        population.live(begins + day, random.random((2000, DRAWS)), np.zeros(2000, dtype=bool))
        seen.append(population.engagement.copy())
    slow = np.array([one.archetype is Archetype.DECLINING for one in portfolio.customers])
    left = population.left_on - begins
    gone = np.flatnonzero(slow & (left > 240))
    before = np.array([seen[left[one] - 90][one] for one in gone])
    assert len(gone) > 50
    assert (before < 0.75).mean() > 0.65
    low = np.flatnonzero((np.array(seen[365]) < 0.5) & ((left > 365) | population.here))
    assert 0.1 < ((left[low] > 365) & (left[low] <= 365 + 90)).mean() < 0.6


@pytest.fixture(scope="module")
def told() -> tuple[Simulation, list[Fact]]:
    simulation = Simulation(company(40, history_days=420))
    facts = simulation.introductions()
    return simulation, facts + [fact for _, day in simulation.history() for fact in day]


def relations(facts: list[Fact]) -> dict[str, Relation]:
    terms: dict[str, dict[str, SubscriptionFact]] = defaultdict(dict)
    gone: dict[str, CancellationFact] = {}
    for fact in facts:
        if isinstance(fact, SubscriptionFact):
            terms[fact.customer][fact.key] = fact
        elif isinstance(fact, CancellationFact):
            gone[fact.customer] = fact
    return {key: _relation(list(of.values()), gone.get(key)) for key, of in terms.items()}


def _relation(terms: list[SubscriptionFact], gone: CancellationFact | None) -> Relation:
    read = tuple(
        Term(one.started_at, one.ended_at, one.ended_known_at, one.mrr_minor, one.currency, is_trial=False,
             billing_months=one.billing_months)
        for one in terms
    )  # fmt: skip
    departures = () if gone is None else (Departure(gone.occurred_at, gone.known_at, gone.reason, False),)
    return Relation(min(one.started_at for one in terms), read, departures)


def test_the_facts_tell_who_left_and_what_everybody_pays(told: tuple[Simulation, list[Fact]]) -> None:
    simulation, facts = told
    closing = start_of_day(START)
    found = relations(facts)
    for fate in simulation.fates():
        assert found[fate.key].is_live_at(closing) == (fate.left_on is None)
    opening = BusinessInstant(closing - dt.timedelta(days=365))
    cohort = [one for each in found.values() if (one := held(each, opening, closing)) is not None]
    assert any(one.left for one in cohort)
    assert any(one.closing_minor > one.opening_minor for one in cohort)
    assert any(one.terms[-1].mrr_minor < one.terms[0].mrr_minor for one in found.values())


def test_a_change_of_what_is_paid_ends_a_term_and_begins_the_next_at_once(
    told: tuple[Simulation, list[Fact]],
) -> None:
    for relation in relations(told[1]).values():
        terms = sorted(relation.terms, key=lambda one: one.started_at)
        for earlier, later in pairwise(terms):
            assert earlier.ended_at == later.started_at
            assert earlier.mrr_minor != later.mrr_minor


def test_newcomers_are_told_of_on_their_first_day_and_their_first_value_when_it_comes(
    told: tuple[Simulation, list[Fact]],
) -> None:
    simulation, facts = told
    introduced: dict[str, dt.date] = {}
    valued: dict[str, BusinessInstant] = {}
    for fact in facts:
        if isinstance(fact, CustomerFact):
            introduced.setdefault(fact.key, fact.known_at.date())
            if fact.first_value_at is not None:
                assert fact.first_value_at <= fact.known_at
                assert valued.setdefault(fact.key, fact.first_value_at) == fact.first_value_at
    new = [one for one in simulation.portfolio.customers if one.started_on >= simulation.config.history_start]
    assert new
    assert all(introduced[one.key] == one.started_on for one in new)
    opening, closing = (start_of_day(day) for day in (simulation.config.history_start, START))
    waits = [wait(each, valued.get(key), opening, closing) for key, each in relations(facts).items()]
    assert any(one is not None and one.reached for one in waits)


def test_nothing_is_told_of_a_customer_before_it_began_or_after_it_left(
    told: tuple[Simulation, list[Fact]],
) -> None:
    simulation, facts = told
    left = {fate.key: fate.left_on for fate in simulation.fates()}
    for fact in facts:
        gone = left[fact.key.split("/")[0].split("-P")[0]]
        assert gone is None or fact.known_at.date() <= gone


def test_both_kinds_of_leaving_happen() -> None:
    simulation = Simulation(company(60, history_days=300, shares={
        Archetype.FAILING_PAYMENT: 0.5, Archetype.SILENT: 0.5
    }))  # fmt: skip
    facts = [fact for _, day in simulation.history() for fact in day]
    kinds = Counter(fact.involuntary for fact in facts if isinstance(fact, CancellationFact))
    assert min(kinds[True], kinds[False]) > 0
    assert fmean(kinds.values()) > 1
