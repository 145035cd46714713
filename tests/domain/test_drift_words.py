import datetime as dt

import pytest

from domain.drift_words import (
    Change,
    column_words,
    customers_words,
    say_calibration,
    say_change,
    say_log_loss,
)

THEN, TODAY = dt.date(2026, 5, 3), dt.date(2026, 6, 15)
MOVED = Change(0.31, 0.05, 0.34, 0.0, 0.02, 12.0, 7.0)


def test_a_change_is_said_with_who_moved_and_from_where_to_where() -> None:
    assert say_change("adoption.seats_in_use", MOVED, THEN, TODAY) == (
        "Adoption, seats in use: a third of customers moved since 3 May; the median fell from 12 to 7 "
        "(stability index 0.31)."
    )


def test_what_became_unknown_is_told_first() -> None:
    change = Change(2.0, 0.05, 0.6, 0.0, 0.6, 12.0, 12.0)
    assert "60 % of customers moved" in say_change("own.api_calls.price", change, THEN, TODAY)
    assert "it is unknown of 60 %, and was of 0 %" in say_change("score", change, THEN, TODAY)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.33, "a third of customers"),
        (0.41, "41 % of customers"),
        (0.99, "all customers"),
        (0.5, "half of customers"),
    ],
)
def test_shares_are_said_as_people_do(share: float, words: str) -> None:
    assert customers_words(share) == words


def test_columns_have_readable_names() -> None:
    assert column_words("own.api_calls.quantity_28") == "api calls, quantity 28"
    assert column_words("score") == "the churn probability"


def test_being_wrong_is_said_with_figures() -> None:
    more = say_calibration(20, 3.0, 4.4, 9.9, THEN, TODAY)
    assert more.startswith("More customers left than expected: 20 of 3 foreseen around 3 May")
    assert say_calibration(1, 9.0, 0.1, 0.8, THEN, TODAY).startswith("Fewer customers left")
    assert "log-loss 0.310, on the card 0.200" in say_log_loss(0.31, 0.2, THEN, TODAY)
