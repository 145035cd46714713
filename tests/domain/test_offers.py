"""What an offer may be, whatever the customer and whatever the policy."""

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.case_vocabulary import OfferState
from domain.money import minor_per_unit
from domain.offer_policy import OfferPolicy, Rung
from domain.offers import MONTH, NoOffer, Offer, OfferFacts, PastOffer, choose_offer, is_open
from domain.time import BusinessInstant, after
from domain.vocabulary import CancellationReason

NOW = BusinessInstant(dt.datetime(2026, 3, 24, 9, tzinfo=dt.UTC))
FACTS = OfferFacts(arr_minor=4_800_000, currency="USD", tenure=24 * MONTH)
POLICY = OfferPolicy()
UNUSED = PastOffer(OfferState.EXPIRED, is_of_this_case=True)

percents = st.integers(1, 100).map(float)
rungs = st.builds(
    Rung,
    percent=percents,
    months=st.integers(1, 36),
    least_arr=st.integers(0, 60_000),
    least_tenure_months=st.integers(0, 48),
    reasons=st.lists(st.sampled_from(CancellationReason), max_size=2).map(tuple),
    after=st.integers(0, 3),
)


@st.composite
def policies(draw: st.DrawFn) -> OfferPolicy:
    floor = draw(st.integers(0, 97))
    return OfferPolicy(
        ladder=tuple(draw(st.lists(rungs, max_size=6))),
        margin_floor=floor / 100,
        gross_margin=draw(st.integers(floor + 1, 99)) / 100,
        approve_above_percent=draw(percents),
        approve_above_cost=draw(st.integers(0, 20_000)),
        apart_months=draw(st.integers(1, 36)),
    )


moments = st.none() | st.integers(-1500, 400).map(lambda days: after(NOW, dt.timedelta(days=days)))
pasts = st.builds(
    PastOffer,
    state=st.sampled_from(OfferState),
    expires_at=moments,
    redeemed_at=moments,
    is_of_this_case=st.booleans(),
    was_made=st.booleans(),
)
facts = st.builds(
    OfferFacts,
    arr_minor=st.integers(0, 10**10),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    tenure=st.integers(0, 3000).map(lambda days: dt.timedelta(days=days)),
    reason=st.none() | st.sampled_from(CancellationReason),
    past=st.lists(pasts, max_size=3).map(tuple),
    has_discount=st.booleans(),
)


@given(facts, policies())
def test_the_margin_never_falls_below_its_floor(told: OfferFacts, policy: OfferPolicy) -> None:
    offer = choose_offer(told, policy, NOW)
    if isinstance(offer, Offer):
        discount = Fraction(str(offer.percent)) / 100
        left = (Fraction(str(policy.gross_margin)) - discount) / (1 - discount)
        assert left >= Fraction(str(policy.margin_floor))
        assert offer.margin == pytest.approx(float(left))


@given(facts, policies())
def test_nothing_above_a_limit_goes_without_a_person(told: OfferFacts, policy: OfferPolicy) -> None:
    offer = choose_offer(told, policy, NOW)
    if isinstance(offer, Offer) and not offer.approval:
        assert offer.percent <= policy.approve_above_percent
        assert offer.cost_minor <= policy.approve_above_cost * minor_per_unit(told.currency)


@given(facts, policies())
def test_no_offer_stands_beside_another(told: OfferFacts, policy: OfferPolicy) -> None:
    offer = choose_offer(told, policy, NOW)
    if isinstance(offer, Offer):
        since = after(NOW, -policy.apart_months * MONTH)
        assert not told.has_discount
        assert not any(is_open(one, NOW) for one in told.past)
        assert not any(one.redeemed_at is not None and one.redeemed_at > since for one in told.past)
        assert offer.expires_at > NOW


@given(facts, policies())
def test_what_it_costs_is_the_revenue_forgone_and_never_rounded_down(
    told: OfferFacts, policy: OfferPolicy
) -> None:
    offer = choose_offer(told, policy, NOW)
    if isinstance(offer, Offer):
        exact = Fraction(told.arr_minor, 12) * offer.months * Fraction(str(offer.percent)) / 100
        assert 0 <= offer.cost_minor - exact < 1


@pytest.mark.parametrize(
    ("told", "percent", "months"),
    [
        ({}, 10, 3),
        ({"reason": CancellationReason.TOO_EXPENSIVE}, 15, 3),
        ({"past": (UNUSED,)}, 20, 3),
        ({"past": (UNUSED, UNUSED)}, 25, 6),
        ({"past": (UNUSED, UNUSED), "arr_minor": 500_000}, 20, 3),
        ({"past": (UNUSED,), "tenure": MONTH}, 10, 3),
        ({"past": (PastOffer(OfferState.EXPIRED, is_of_this_case=True, was_made=False),)}, 10, 3),
        ({"past": (PastOffer(OfferState.EXPIRED),)}, 10, 3),
    ],
)
def test_the_ladder_is_climbed_by_value_tenure_reason_and_what_was_left_unused(
    told: dict[str, object], percent: float, months: int
) -> None:
    offer = choose_offer(OfferFacts(**{**vars(FACTS), **told}), POLICY, NOW)
    assert isinstance(offer, Offer)
    assert (offer.percent, offer.months) == (percent, months)
    assert set(offer.evidence) == {"rung", "value", "tenure", "reason", "before", "misuse", "margin"}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"arr_minor": 0}, "no_revenue"),
        ({"past": (PastOffer(OfferState.REFUSED, is_of_this_case=True),)}, "refused"),
        ({"past": (PastOffer(OfferState.GRANTED, after(NOW, MONTH)),)}, "open_offer"),
        ({"past": (PastOffer(OfferState.REDEEMED, redeemed_at=after(NOW, -11 * MONTH)),)}, "used_lately"),
        ({"has_discount": True}, "discounted"),
        ({"used_by_twins": ("domain", "card")}, "shared"),
        ({"returns": (after(NOW, -MONTH), after(NOW, -9 * MONTH))}, "leaves_and_returns"),
        ({"disputed_payments": 1}, "disputed_payments"),
    ],
)
def test_what_speaks_against_an_offer_is_named(told: dict[str, object], reason: str) -> None:
    refused = choose_offer(OfferFacts(**{**vars(FACTS), **told}), POLICY, NOW)
    assert isinstance(refused, NoOffer)
    assert refused.reason == reason
    assert refused.sentence


def test_a_rung_that_gives_too_much_is_cut_to_what_the_floor_leaves() -> None:
    policy = OfferPolicy(ladder=(Rung(percent=60, months=2),), gross_margin=0.8, margin_floor=0.7)
    offer = choose_offer(FACTS, policy, NOW)
    assert isinstance(offer, Offer)
    assert offer.percent == 33
    assert offer.evidence["rung"] == "rung 1 of 1, cut from 60 % by the floor of the margin"
    tight = policy.model_copy(update={"margin_floor": 0.79})
    refused = choose_offer(FACTS, tight, NOW)
    assert isinstance(refused, NoOffer)
    assert refused.reason == "margin_floor"


def test_a_floor_that_leaves_no_room_is_refused_with_the_fix() -> None:
    with pytest.raises(ValidationError, match="lower the floor"):
        OfferPolicy(gross_margin=0.5, margin_floor=0.5)
