import pytest

from domain.tier_moves import rested, why_moved

USE = {"family": "usage", "sentence": "logins fell from 41 to 9 a week", "points": 18.0}
TICKETS = {"family": "support", "sentence": "two tickets are overdue", "points": 11.0}
GROWTH = {"family": "usage", "sentence": "use rose from 9 to 41 a week", "points": -8.0}
CARD, MODEL = "scorecard-1", "scorecard-1 and churn-2026-11-21-1, 40 % model"


def test_a_move_upwards_is_told_by_what_came_to_weigh_most() -> None:
    before, after = rested(CARD, [TICKETS]), rested(CARD, [TICKETS, USE])
    assert why_moved(before, after, is_worse=True) == USE["sentence"]


def test_without_a_score_before_the_heaviest_reason_is_told() -> None:
    assert why_moved(None, rested(CARD, [TICKETS, USE]), is_worse=True) == USE["sentence"]


def test_a_move_downwards_is_told_by_what_weighs_no_more() -> None:
    before, after = rested(CARD, [TICKETS, USE]), rested(CARD, [TICKETS])
    assert why_moved(before, after, is_worse=False) == f"no longer: {USE['sentence']}"


def test_what_weighs_less_than_before_says_so() -> None:
    less = USE | {"points": 4.0}
    said = why_moved(rested(CARD, [USE]), rested(CARD, [less]), is_worse=False)
    assert said == f"less than before: {USE['sentence']}"


def test_what_protects_now_is_told_in_its_own_words() -> None:
    said = why_moved(rested(CARD, [USE]), rested(CARD, [GROWTH]), is_worse=False)
    assert said == GROWTH["sentence"]


def test_lines_of_one_family_are_added_up_before_they_are_compared() -> None:
    both = [USE | {"points": 3.0}, USE | {"points": 3.0, "sentence": "seats are unused"}, TICKETS]
    before = rested(CARD, [USE | {"points": 5.0}])
    assert why_moved(before, rested(CARD, both), is_worse=True) == TICKETS["sentence"]


@pytest.mark.parametrize(("version", "is_new"), [(MODEL, True), (f"{CARD}, 3 % more", False)])
def test_another_voice_is_named_and_the_same_one_louder_is_not(version: str, is_new: bool) -> None:  # noqa: FBT001  a parameter of the table
    said = why_moved(rested(CARD, [USE]), rested(version, [USE]), is_worse=True)
    assert ("scored by scorecard-1 and churn-2026-11-21-1 since" in said) is is_new


def test_a_score_that_is_not_kept_and_one_without_reasons_are_said_plainly() -> None:
    assert "not kept" in why_moved(rested(CARD, [USE]), None, is_worse=True)
    assert why_moved(None, rested(CARD, []), is_worse=True) == "nothing stands out"
