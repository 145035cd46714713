import datetime as dt
from dataclasses import replace

import pytest

from domain.billing import Decline
from domain.dunning_policy import DunningPolicy
from domain.time import BusinessInstant, after
from ml.simulation.cards import MIXES, Card, Span, draw_cards
from ml.simulation.recovery import FIXED, OURS, compare, fixed_attempts, our_attempts, recover

DAY = dt.timedelta(days=1)
FAILED = BusinessInstant(dt.datetime(2026, 3, 3, 14, 30, tzinfo=dt.UTC))  # a Tuesday afternoon
EMPTY = Card("one", "visa", Decline("insufficient_funds"), 5_000, FAILED, (), None)
FUNDED = replace(EMPTY, good=(Span(after(FAILED, 4 * DAY), after(FAILED, 20 * DAY)),))
LOST = replace(EMPTY, decline=Decline("lost_card"))


@pytest.mark.parametrize("name", MIXES)
def test_the_same_seed_gives_the_same_cards_and_each_failed_before_it_is_good(name: str) -> None:
    cards = draw_cards(MIXES[name], 200, 7, dt.date(2026, 3, 1))
    assert cards == draw_cards(MIXES[name], 200, 7, dt.date(2026, 3, 1))
    assert cards != draw_cards(MIXES[name], 200, 8, dt.date(2026, 3, 1))
    assert all(span.begins > card.failed_at for card in cards for span in card.good)
    assert not any(card.good for card in cards if card.needs_holder)


def test_a_fixed_schedule_tries_by_the_calendar_whatever_was_said() -> None:
    tried = list(fixed_attempts(LOST, FIXED["3, 5, 7 days"]))
    assert tried == [after(FAILED, days * DAY) for days in (3, 8, 15)]
    found = recover([LOST], lambda card: fixed_attempts(card, FIXED["8, 8, 8 days"]))
    assert (found.attempts, found.hopeless_attempts, found.recovered_minor) == (3, 3, 0)


def test_ours_never_tries_a_card_that_only_its_holder_can_mend() -> None:
    assert list(our_attempts(LOST, DunningPolicy())) == []
    assert list(our_attempts(replace(EMPTY, decline=Decline("expired_card")), DunningPolicy())) == []


def test_ours_tries_an_empty_account_on_mornings_within_its_time() -> None:
    policy = DunningPolicy()
    tried = list(our_attempts(EMPTY, policy))
    assert 0 < len(tried) <= policy.retries.attempts
    assert all(7 <= at.hour < 11 for at in tried)
    assert tried[-1] <= after(FAILED, policy.retries.within_days * DAY)


def test_what_the_holder_mends_first_is_no_merit_of_an_attempt_and_ends_the_attempts() -> None:
    mended = replace(FUNDED, mended_at=after(FAILED, 2 * DAY))
    found = recover([mended, FUNDED], lambda card: fixed_attempts(card, (1, 5)))
    assert (found.attempts, found.recovered, found.recovered_minor) == (3, 2, 10_000)
    assert found.by_attempts_minor == 5_000
    assert found.document()["mean_days"] == pytest.approx((2 + 5) / 2)


def test_what_comes_too_late_counts_for_nobody() -> None:
    too_late = Span(after(FAILED, 31 * DAY), after(FAILED, 50 * DAY))
    late = replace(EMPTY, mended_at=after(FAILED, 31 * DAY), good=(too_late,))
    assert recover([late], lambda card: fixed_attempts(card, (8, 32))).recovered == 0


def test_every_schedule_meets_the_same_cards() -> None:
    found = compare(draw_cards(MIXES["debit cards"], 60, 3, dt.date(2026, 3, 1)), DunningPolicy())
    assert set(found) >= {OURS, *FIXED}
    assert len({one.owed_minor for one in found.values()}) == 1
    assert found[OURS].hopeless_attempts == 0
    assert all(one.by_attempts_minor <= one.recovered_minor <= one.owed_minor for one in found.values())
