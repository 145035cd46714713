"""What comes next for a lost customer, look by look, and what may never come."""

import datetime as dt
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case_vocabulary import CaseOutcome, OfferState
from domain.offers import MONTH, OfferFacts
from domain.time import BusinessInstant, after
from domain.vocabulary import StepState, TaskOutcome
from domain.win_back import decide_win_back, morning_of, window_ends
from domain.win_back_policy import WinBackPolicy, read_win_back_policy, stored_win_back_policy
from domain.win_back_state import (
    GRANT,
    LETTER,
    WITHDRAW,
    CaseOffer,
    Return,
    StepTaken,
    WinBackState,
    letter_step,
)

LEFT = BusinessInstant(dt.datetime(2026, 3, 2, 20, tzinfo=dt.UTC))
DAY = dt.timedelta(days=1)
POLICY = WinBackPolicy()
FACTS = OfferFacts(arr_minor=4_800_000, currency="USD", tenure=24 * MONTH)
STATE = WinBackState(cancelled_at=LEFT, time_zone="America/New_York", facts=FACTS)
DONE = StepTaken(StepState.DONE)
OFFER = CaseOffer(uuid.UUID(int=1), 1, OfferState.GRANTED, is_agreed=True, expires_at=after(LEFT, 40 * DAY))


def on_day(days: int, hour: int = 15) -> BusinessInstant:
    return BusinessInstant(dt.datetime(2026, 3, 2, hour, tzinfo=dt.UTC) + days * DAY)


def with_letters(*numbers: int, **more: object) -> WinBackState:
    steps = {(letter_step(number), 1): DONE for number in numbers}
    return replace(STATE, **{"steps": steps, **more})  # type: ignore[arg-type]  # fields of the state


def test_the_first_letter_waits_for_the_morning_where_the_customer_is() -> None:
    waiting = decide_win_back(STATE, POLICY, LEFT)
    assert waiting.order is None
    assert waiting.wake_at == BusinessInstant(dt.datetime(2026, 3, 3, 14, tzinfo=dt.UTC))
    due = decide_win_back(STATE, POLICY, waiting.wake_at)
    assert due.order is not None
    assert (due.order.kind, due.order.step) == (LETTER, "letter-1")


def test_a_letter_that_was_put_off_is_asked_for_again_when_it_was_put_off_to() -> None:
    later = after(on_day(1), 2 * DAY)
    off = replace(STATE, steps={("letter-1", 1): StepTaken(StepState.DEFERRED, later)})
    assert decide_win_back(off, POLICY, on_day(1)).wake_at == later
    again = decide_win_back(off, POLICY, later)
    assert again.order is not None
    assert again.order.step == "letter-1"


def test_what_was_missed_is_not_caught_up_on() -> None:
    late = decide_win_back(STATE, POLICY, on_day(8))
    assert late.order is not None
    assert late.order.step == "letter-2"


def test_an_offer_is_made_before_the_letter_that_carries_it() -> None:
    making = decide_win_back(with_letters(1, 2), POLICY, on_day(21))
    assert making.order is not None
    assert (making.order.kind, making.order.occurrence) == (GRANT, 1)
    assert making.proposal is not None
    assert making.decide_by is None
    granted = decide_win_back(with_letters(1, 2, offers=(OFFER,)), POLICY, on_day(21))
    assert granted.order is not None
    assert granted.order.step == "letter-3"


def test_without_a_billing_provider_the_letter_goes_without_an_offer_and_says_why() -> None:
    plain = decide_win_back(with_letters(1, 2, facts=None), POLICY, on_day(21))
    assert plain.order is not None
    assert plain.order.kind == LETTER
    assert plain.no_offer is not None
    assert plain.no_offer.reason == "not_connected"


def test_a_person_is_asked_days_before_the_letter_and_their_no_is_taken() -> None:
    strict = POLICY.model_copy(
        update={"offers": POLICY.offers.model_copy(update={"approve_above_percent": 5})}
    )
    asked = decide_win_back(with_letters(1, 2), strict, on_day(16))
    assert asked.proposal is not None
    assert asked.decide_by == morning_of(LEFT, "America/New_York", 21)
    no = CaseOffer(uuid.UUID(int=1), 1, OfferState.PROPOSED, is_agreed=False, answer=TaskOutcome.REJECTED)
    after_no = decide_win_back(with_letters(1, 2, offers=(no,)), strict, on_day(17))
    assert after_no.offer_states == {no.id: OfferState.REFUSED}


@pytest.mark.parametrize(
    ("touched", "used", "is_ours"),
    [(None, False, False), (on_day(1), False, True), (None, True, True)],
)
def test_a_return_is_ours_after_a_touch_or_with_our_offer(
    touched: BusinessInstant | None,
    used: bool,  # noqa: FBT001  cases of a table
    is_ours: bool,  # noqa: FBT001  cases of a table
) -> None:
    offers = (replace(OFFER, is_used=True),) if used else ()
    back = replace(STATE, touched_at=touched, offers=offers, returned=Return(on_day(30), 100))
    ended = decide_win_back(back, POLICY, on_day(30))
    assert ended.ending is not None
    assert ended.ending.outcome is CaseOutcome.REACTIVATED
    assert ended.ending.is_attributed is is_ours


def test_a_return_long_after_the_last_touch_is_their_own() -> None:
    back = replace(STATE, touched_at=on_day(1), returned=Return(on_day(92), 100))
    ended = decide_win_back(back, POLICY, on_day(92))
    assert ended.ending is not None
    assert ended.ending.is_attributed is False


def test_an_unused_offer_is_taken_back_before_the_case_ends() -> None:
    back = replace(STATE, offers=(OFFER,), returned=Return(on_day(30), 100))
    closing = decide_win_back(back, POLICY, on_day(30))
    assert closing.order is not None
    assert (closing.order.kind, closing.ending) == (WITHDRAW, None)
    taken = replace(back, steps={(WITHDRAW, 1): StepTaken(StepState.FAILED)})
    assert decide_win_back(taken, POLICY, on_day(30)).ending is not None


def test_the_case_is_lost_so_long_after_the_last_touch() -> None:
    state = with_letters(1, 2, 3, 4, 5, touched_at=on_day(80))
    ends = window_ends(state, POLICY)
    assert ends == after(on_day(80), 90 * DAY)
    assert decide_win_back(state, POLICY, after(ends, -DAY)).wake_at == ends
    lost = decide_win_back(state, POLICY, ends)
    assert lost.ending is not None
    assert lost.ending.outcome is CaseOutcome.LOST


@pytest.mark.parametrize(
    "told", [{"is_held_out": True}, {"silent": "they said no"}, {"by_person": True}, {"rests": True}]
)
@given(st.integers(0, 400))
def test_who_is_to_be_left_alone_gets_no_letter_and_no_offer_on_any_day(
    told: dict[str, object], day: int
) -> None:
    decision = decide_win_back(replace(STATE, **told), POLICY, on_day(day))  # type: ignore[arg-type]  # fields of the state
    assert decision.order is None
    assert decision.proposal is None
    assert decision.ending is not None or decision.wake_at is not None


@given(st.integers(0, 400), st.sets(st.integers(1, 5)), st.booleans())
def test_every_look_ends_orders_or_names_when_to_look_again(
    day: int,
    sent: set[int],
    has_offer: bool,  # noqa: FBT001 - drawn by chance
) -> None:
    offers = (OFFER,) if has_offer else ()
    decision = decide_win_back(with_letters(*sent, offers=offers), POLICY, on_day(day))
    told = [decision.order is not None, decision.ending is not None, decision.wake_at is not None]
    assert sum(told) == 1
    if decision.wake_at is not None:
        assert decision.wake_at > on_day(day)
    again = decide_win_back(with_letters(*sent, offers=offers), POLICY, on_day(day))
    assert again == decision


def test_a_policy_comes_back_as_it_was_stored_and_what_is_gone_since_is_left_out() -> None:
    policy = read_win_back_policy({"days": [2, 9], "causes": ["voluntary", "involuntary"]})
    stored = policy.model_dump(mode="json") | {"of_an_older_version": 1}
    assert stored_win_back_policy(stored) == policy
    assert stored_win_back_policy(None) == WinBackPolicy()
