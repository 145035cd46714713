from collections import Counter

from tests.replay.corpus import load
from workers.bench.reasons import reasons_of


def test_each_activity_of_a_run_has_its_reason() -> None:
    assert reasons_of(load("intervention-saved-after-a-letter").events) == Counter(
        {
            "advance: its run began": 1,
            "advance: a deadline came": 3,
            "advance: a ring": 1,
            "advance: after a send": 2,
            "send_email: ordered": 2,
        }
    )


def test_the_first_activity_of_a_run_that_continues_another_is_its_beginning() -> None:
    assert reasons_of(load("customer-continued").events) == Counter({"decide: its run began": 1})
