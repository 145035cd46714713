import datetime as dt

import pytest

from domain.case_vocabulary import CaseOutcome
from domain.dunning_policy import DunningPolicy, RetrySchedule, Transfers
from domain.dunning_rehearsal import RehearsedStep, SampleInvoice, rehearse_dunning
from domain.dunning_schedule import Place
from domain.dunning_state import DunningStep
from domain.time import business

NOW = business(dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC))
BERLIN = Place("Europe/Berlin")


def rehearsed(code: str, policy: DunningPolicy) -> list[RehearsedStep]:
    return list(rehearse_dunning(SampleInvoice(50_000, "USD", NOW, code), policy, BERLIN))


@pytest.mark.parametrize("days", [14, 24])
def test_the_attempts_are_those_of_the_policy_and_stay_within_its_days(days: int) -> None:
    policy = DunningPolicy(retries=RetrySchedule(attempts=5, within_days=days))
    charges = [one.at for one in rehearsed("insufficient_funds", policy) if one.step is DunningStep.COLLECT]
    assert len(charges) == 5
    assert charges[0] > NOW
    assert dt.timedelta(days=days / 2) < charges[-1] - NOW <= dt.timedelta(days=days)


def test_a_card_that_only_its_holder_can_mend_is_never_charged() -> None:
    steps = [one.step for one in rehearsed("expired_card", DunningPolicy())]
    assert steps[0] is DunningStep.CARD_UPDATE
    assert DunningStep.COLLECT not in steps


def test_a_transfer_is_reminded_of_before_and_after_the_day_on_which_it_is_due() -> None:
    policy = DunningPolicy(transfers=Transfers(before_days=(3,), after_days=(1, 8), within_days=20))
    told = [((one.at - NOW).days, one.step) for one in rehearsed("", policy) if one.step is not None]
    assert told == [
        (-3, DunningStep.BEFORE_DUE),
        (1, DunningStep.OVERDUE),
        (8, DunningStep.OVERDUE),
        (20, DunningStep.FINAL_NOTICE),
    ]


@pytest.mark.parametrize("code", ["insufficient_funds", "do_not_honor", "expired_card", ""])
def test_the_longest_policy_comes_to_its_end_as_well(code: str) -> None:
    longest = DunningPolicy(
        retries=RetrySchedule(attempts=30, within_days=60, least_hours=1),
        transfers=Transfers(before_days=(365,), within_days=365),
        grace_days=365,
    )
    ending = rehearsed(code, longest)[-1].ending
    assert ending is not None
    assert ending.outcome is CaseOutcome.EXHAUSTED
