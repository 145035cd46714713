import datetime as dt
from collections import defaultdict
from dataclasses import replace

from domain.facts import CancellationFact, Fact, InvoiceFact, SubscriptionFact
from domain.time import BusinessInstant, after
from ml.simulation.archetypes import Archetype
from ml.simulation.payer_habits import answer_to, card_of, mends_anyway_at
from ml.simulation.payers import Begin, End, Moving, Order, payers_of
from ml.simulation.portfolio import SampleConfig
from ml.simulation.simulation import Simulation

START = dt.date(2026, 9, 7)
CARDS = SampleConfig(60, START, 30, card_share=0.5)
FAILED = BusinessInstant(dt.datetime(2026, 9, 8, 7, tzinfo=dt.UTC))


def lived(config: SampleConfig) -> tuple[Simulation, list[Fact], list[tuple[dt.date, Order]]]:
    """Live history and live days; return what the sample's source tells, and what the provider is told."""
    simulation, moving = Simulation(config), Moving(config)
    told, _ = moving.sort(config.history_start, simulation.introductions())
    orders: list[tuple[dt.date, Order]] = []
    while simulation.next_day < config.end:
        day = simulation.next_day
        facts, ordered = moving.sort(day, simulation.live({}))
        told += facts
        orders += [(day, order) for order in ordered]
    return simulation, told, orders


def test_a_payers_revenue_is_told_by_one_source_at_a_time() -> None:
    simulation, told, orders = lived(CARDS)
    begun = {order.key: (day, order.mrr_minor) for day, order in orders if isinstance(order, Begin)}
    terms: dict[str, dict[str, SubscriptionFact]] = defaultdict(dict)
    for fact in told:
        if isinstance(fact, SubscriptionFact):
            terms[fact.customer][fact.key] = fact
    here = {one.key for one in simulation.fates() if one.left_on is None}
    payers = payers_of(CARDS)
    assert begun.keys() >= payers.keys() & here
    assert len(begun) == sum(isinstance(order, Begin) for _, order in orders), "nobody begins twice"
    for key, (day, mrr) in begun.items():
        ended = [term for term in terms[key].values() if term.ended_at is not None]
        assert len(ended) == len(terms[key]), "nothing of the sample's own runs on"
        if ended:
            last = max(ended, key=lambda term: term.started_at)
            assert last.ended_at is not None
            assert (last.ended_at.date(), last.mrr_minor) == (day, mrr)


def test_what_the_provider_tells_the_sample_does_not() -> None:
    _, told, orders = lived(CARDS)
    begun = {order.key: day for day, order in orders if isinstance(order, Begin)}
    issued = [fact for fact in told if isinstance(fact, InvoiceFact) and fact.customer in begun]
    assert all(fact.issued_at.date() <= begun[fact.customer] for fact in issued)
    left = {fact.customer for fact in told if isinstance(fact, CancellationFact)}
    assert left & begun.keys() == set()
    assert {order.key for _, order in orders if isinstance(order, End)} <= begun.keys()


def test_the_world_without_care_is_the_same_with_and_without_cards() -> None:
    with_cards, plain = (lived(config)[0] for config in (CARDS, replace(CARDS, card_share=0.0)))
    assert with_cards.live_days()[1] == plain.live_days()[1]
    assert with_cards.truth().left_without_care == plain.truth().left_without_care


def test_who_fails_to_pay_leaves_when_cut_off_and_is_back_when_they_subscribe_again() -> None:
    simulation, _, _ = lived(CARDS)
    failing = {key for key, one in payers_of(CARDS).items()
               if one.customer.archetype is Archetype.FAILING_PAYMENT}  # fmt: skip
    left = {one.key for one in simulation.fates() if one.left_on is not None and one.left_on >= START}
    assert not left & failing, "no hazard of the story makes them go"
    key = next(one for one in sorted(failing - left) if simulation.is_in_trouble(one))
    simulation.cut_off(key)
    assert simulation.has_left(key)
    simulation.live({})
    assert key in {fate.key for fate in simulation.fates() if fate.left_on is not None}
    simulation.subscribe_again(key)
    assert not simulation.has_left(key)
    assert not simulation.is_in_trouble(key)
    facts = simulation.live({})
    assert any(getattr(fact, "customer", "") == key for fact in facts), "their use is told again"


def test_the_seed_decides_the_card_and_the_answer_to_a_letter() -> None:
    assert card_of(1, "C-1", FAILED) == card_of(1, "C-1", FAILED)
    codes = {card_of(1, f"C-{number}", FAILED).decline.code for number in range(40)}
    assert len(codes) > 3
    assert not card_of(1, "C-1", FAILED).approves(FAILED)
    answers = {answer_to(1, f"C-{number}", "payment-firm", 2, FAILED) for number in range(40)}
    assert None in answers
    assert all(one is None or one > FAILED for one in answers)
    assert answer_to(1, "C-1", "usage-nudge", 1, FAILED) is None
    assert mends_anyway_at(1, "C-1", FAILED) < after(FAILED, dt.timedelta(days=10))
