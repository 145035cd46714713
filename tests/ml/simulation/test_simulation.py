import datetime as dt
import json
from collections import Counter

import pytest
from pydantic import TypeAdapter

from domain.facts import CancellationFact, Fact, TicketFact, TouchpointFact, UsageFact
from ml.simulation.archetypes import SHARES, TROUBLES, Archetype, Care
from ml.simulation.portfolio import SampleConfig, make_portfolio
from ml.simulation.simulation import Simulation, Truth

START = dt.date(2026, 9, 7)
TROUBLED = dict.fromkeys(TROUBLES, 1.0)
FACT: TypeAdapter[Fact] = TypeAdapter(Fact)


def config(customers: int = 20, days: int = 20, seed: int = 1, **rest: object) -> SampleConfig:
    return SampleConfig(customers=customers, start=START, days=days, seed=seed, **rest)  # type: ignore[arg-type] # a test gives few


def lived(given: SampleConfig, care_every: int = 0) -> tuple[list[Fact], Simulation]:
    """Live history and live days; `care_every` so many days, a finished task for everybody."""
    simulation = Simulation(given)
    facts = simulation.introductions()
    facts += [fact for _, told in simulation.history() for fact in told]
    for number in range(given.days):
        cared = care_every and number % care_every == 0
        keys = [customer.key for customer in simulation.portfolio.customers] if cared else []
        facts += simulation.live({key: [Care.TASK_DONE] for key in keys})
    return facts, simulation


def test_the_same_seed_tells_the_same_facts_and_another_seed_others() -> None:
    first, second, other = (lived(config(seed=seed))[0] for seed in (7, 7, 8))
    assert first == second
    assert first != other


def test_every_fact_is_valid_and_known_by_the_evening_of_its_day() -> None:
    simulation = Simulation(config())
    for day, facts in simulation.history():
        for fact in facts:
            assert FACT.validate_python(json.loads(fact.model_dump_json())) == fact
            assert fact.known_at.date() <= day


def test_nothing_occurs_after_it_is_known() -> None:
    for fact in lived(config())[0]:
        if isinstance(fact, UsageFact | TouchpointFact | CancellationFact):
            assert fact.occurred_at <= fact.known_at
        elif isinstance(fact, TicketFact) and fact.resolved_at and fact.resolved_known_at:
            assert fact.opened_at <= fact.resolved_at <= fact.resolved_known_at


def test_a_key_names_one_fact_and_what_is_told_again_differs() -> None:
    facts, _ = lived(config(customers=40))
    tellings = Counter((fact.type, fact.key, fact.model_dump_json()) for fact in facts)
    assert {telling for telling, times in tellings.items() if times > 1} == set()
    again = Counter((fact.type, fact.key) for fact in facts)
    retold = {kind for (kind, _), times in again.items() if times > 1}
    assert retold <= {"ticket", "invoice", "customer", "contact", "subscription"}


def test_every_story_gets_its_share() -> None:
    portfolio = make_portfolio(config(customers=300))
    found = Counter(customer.archetype for customer in portfolio.customers)
    assert all(abs(found[archetype] - 300 * share) <= 3 for archetype, share in SHARES.items())


def test_shares_are_configurable() -> None:
    portfolio = make_portfolio(config(shares={Archetype.SILENT: 1.0}))
    assert {customer.archetype for customer in portfolio.customers} == {Archetype.SILENT}


def test_addresses_are_reserved_and_names_unique() -> None:
    customers = make_portfolio(config(customers=1200)).customers
    assert len({customer.name for customer in customers}) == 1200
    assert all(contact.email.endswith(".example") for each in customers for contact in each.contacts)


def test_some_customers_have_no_owner_and_the_large_ones_all_have_one() -> None:
    customers = make_portfolio(config(customers=300)).customers
    assert any(customer.csm_email is None for customer in customers)
    assert all(customer.csm_email for customer in customers if customer.plan == "enterprise")


def truth(seed: int, care_every: int) -> Truth:
    return lived(config(customers=14, days=35, seed=seed, history_days=10, shares=TROUBLED), care_every)[
        1
    ].truth()


def test_care_brings_customers_back_over_twenty_seeds() -> None:
    cared = [truth(seed, 5) for seed in range(20)]
    ignored = [truth(seed, 0) for seed in range(20)]
    assert all(one.active == one.active_without_care for one in ignored)
    assert [one.active_without_care for one in cared] == [one.active for one in ignored]
    troubled = sum(one.troubled for one in cared)
    gain = sum(one.active - one.active_without_care for one in cared) / troubled
    assert gain > 0.15
    assert sum(one.left for one in cared) < sum(one.left_without_care for one in cared)


@pytest.mark.parametrize("archetype", TROUBLES)
def test_some_come_back_by_themselves_and_not_all(archetype: Archetype) -> None:
    found = lived(config(customers=40, days=50, history_days=10, shares={archetype: 1.0}))[1].truth()
    assert found.active_without_care > 0
    assert archetype is Archetype.FAILING_PAYMENT or found.active_without_care < found.troubled


def test_a_silent_customer_tells_no_usage_until_it_returns() -> None:
    facts, simulation = lived(config(customers=40, days=30, shares={Archetype.SILENT: 1.0}))
    silent = next(
        customer
        for customer in simulation.portfolio.customers
        if customer.onset is not None and customer.onset < START + dt.timedelta(days=10)
    )
    assert silent.onset is not None
    quiet = silent.onset + dt.timedelta(days=5)
    days = {fact.occurred_at.date() for fact in facts if fact.type == "usage" and fact.customer == silent.key}
    assert quiet not in days
