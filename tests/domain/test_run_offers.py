"""The step `offer`: who decides, what is made after a yes, and which way the run goes."""

from dataclasses import replace
from typing import Any

import pytest

from domain.offer_policy import OfferPolicy
from domain.offers import is_amount
from domain.run_state import OfferOrder, PerformOrder, StepRow
from domain.step_offers import Discount, Paid, forgone, longest_bill, margin_left, shape_of
from domain.time import BusinessInstant
from domain.vocabulary import StepState, TaskOutcome
from tests.support.walks import DAY, HOUR, Run, notify, recipe


def answer(run: Run, outcome: TaskOutcome) -> None:
    """Close every open task with this outcome."""
    closed = tuple(replace(one, is_open=False, outcome=outcome) for one in run.view.tasks)
    run.view = replace(run.view, tasks=closed)


def offering(**more: Any) -> Run:
    terms = {"kind": "discount", "percent": 10, "title": "Ten percent for $customer", "body": "$arr", **more}
    return Run(
        recipe(
            {"offer": {**terms, "on_granted": "yes", "on_refused": "no"}},
            notify(id="yes", next="end"),
            notify(id="no", next="end"),
        )
    )


def states(run: Run) -> list[str]:
    """Return the states of offers that the last call wrote."""
    return [one.state for one in run.last.orders if isinstance(one, OfferOrder)]


def agreed(**more: Any) -> Run:
    run = offering(**more)
    proposed = run.advance()
    assert states(run) == ["proposed"]
    assert [one.kind for one in proposed.tasks] == ["offer"]
    answer(run, TaskOutcome.APPROVED)
    run.advance(HOUR)
    return run


def leave(run: Run, state: StepState, reason: str, due: BusinessInstant | None = None) -> None:
    """Record what became of the making, as its activity does."""
    run.view = replace(run.view, steps=(StepRow("a1", 1, state, due, reason),))


@pytest.mark.parametrize("kind", ["discount", "free_months"])
def test_what_a_person_agreed_to_is_made_before_the_run_goes_on(kind: str) -> None:
    run = agreed(kind=kind, months=2)
    assert states(run) == ["agreed"]
    assert run.last.perform == PerformOrder("a1", 1, "offer")
    assert run.warnings == []
    leave(run, StepState.DONE, "granted")
    run.advance(HOUR)
    assert (states(run), run.warnings) == ([], ["yes"])


@pytest.mark.parametrize("kind", ["credit", "upgrade"])
def test_what_only_people_can_do_is_granted_at_once(kind: str) -> None:
    run = agreed(kind=kind)
    assert (states(run), run.warnings, run.last.perform) == (["granted"], ["yes"], None)


def test_what_a_person_refuses_is_not_made() -> None:
    run = offering()
    run.advance()
    answer(run, TaskOutcome.REJECTED)
    run.advance(HOUR)
    assert (states(run), run.warnings, run.last.perform) == (["refused"], ["no"], None)


@pytest.mark.parametrize("state", [StepState.SKIPPED, StepState.FAILED])
def test_what_was_not_made_is_withdrawn_and_goes_the_way_of_a_no(state: StepState) -> None:
    run = agreed()
    leave(run, state, "provider_refused")
    run.advance(HOUR)
    assert (states(run), run.warnings) == (["withdrawn"], ["no"])


def test_what_may_have_been_made_is_not_taken_for_withdrawn() -> None:
    run = agreed()
    leave(run, StepState.FAILED, "every_attempt_failed")
    run.advance(HOUR)
    assert (states(run), run.warnings) == ([], ["no"])


def test_what_was_put_off_is_tried_again_when_its_time_has_come() -> None:
    run = agreed()
    due = BusinessInstant(run.now + HOUR)
    leave(run, StepState.DEFERRED, "provider_unavailable", due)
    waiting = run.advance()
    assert (waiting.perform, waiting.wake_at) == (None, due)
    assert run.advance(HOUR).perform == PerformOrder("a1", 1, "offer")
    assert states(run) == []


def test_what_is_in_doubt_is_waited_for_a_day_and_then_gone_on_without() -> None:
    run = agreed()
    leave(run, StepState.WAITING, "uncertain", BusinessInstant(run.now + DAY))
    assert run.advance(HOUR).perform is None
    run.advance(DAY)
    assert (states(run), run.warnings) == ([], ["no"])


def test_what_a_person_says_was_made_after_all_is_granted() -> None:
    run = agreed()
    leave(run, StepState.WAITING, "uncertain", BusinessInstant(run.now + DAY))
    run.advance(HOUR)
    run.finish("a1", StepState.DONE)
    run.advance(HOUR)
    assert run.warnings == ["yes"]


def test_an_offer_that_nobody_decides_lapses() -> None:
    run = offering()
    run.advance()
    run.advance(2 * DAY)
    assert (states(run), run.warnings) == (["expired"], ["no"])


@pytest.mark.parametrize(("loss", "way"), [(999.0, ["no"]), (1000.0, [])])
def test_what_costs_money_needs_an_expected_loss_that_is_worth_it(loss: float, way: list[str]) -> None:
    run = offering(least_expected_loss=1000)
    run.advance(expected_loss=loss)
    assert run.warnings == way


def test_a_question_that_has_lost_its_worth_is_taken_back() -> None:
    run = offering(least_expected_loss=1000)
    run.advance(expected_loss=2000.0)
    run.advance(HOUR, expected_loss=10.0)
    assert (states(run), run.warnings) == (["expired"], ["no"])


def test_nobody_is_asked_where_another_offer_is_open() -> None:
    run = offering()
    run.advance(against_offer="open_offer")
    assert (states(run), run.orders, run.warnings) == ([], [], ["no"])
    row = run.view.row_of("a1", 1)
    assert row is not None
    assert (row.state, row.reason) == (StepState.SKIPPED, "open_offer")


MONTHLY, YEARLY = Paid(10_000), Paid(10_000, 12)


@pytest.mark.parametrize(
    ("deal", "terms", "cost", "shape"),
    [
        (("discount", 10, 3), [MONTHLY], 3_000, Discount(percent=10, months=3)),
        (("discount", 10, None), [MONTHLY], 1_000, Discount(percent=10)),
        (("discount", 10, None), [YEARLY], 12_000, Discount(percent=10)),
        (("discount", 10, 3), [YEARLY], 3_000, Discount(amount_minor=3_000)),
        (("discount", 10, 12), [YEARLY], 12_000, Discount(percent=10, months=12)),
        (("free_months", None, 2), [MONTHLY], 20_000, Discount(percent=100, months=2)),
        (("free_months", None, 1), [YEARLY, MONTHLY], 20_000, Discount(amount_minor=20_000)),
        (("discount", 12.5, 1), [Paid(333)], 42, Discount(percent=12.5, months=1)),
    ],
)
def test_months_of_who_pays_a_year_at_once_are_an_amount_and_never_the_year(
    deal: tuple[str, float | None, int | None], terms: list[Paid], cost: int, shape: Discount
) -> None:
    assert forgone(*deal, terms) == cost
    amount = cost if is_amount(deal[2], longest_bill(terms)) else None
    assert shape_of(*deal, amount) == shape


def test_the_margin_left_is_that_of_what_they_pay() -> None:
    policy = OfferPolicy(gross_margin=0.75)
    assert margin_left("discount", 50, policy) == pytest.approx(0.5)
    assert margin_left("free_months", None, policy) is None
