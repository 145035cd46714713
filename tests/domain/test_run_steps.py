"""Waits for dates, windows and conditions, experiments, and steps that are done elsewhere."""

import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.run_state import ChangeOrder, PerformOrder
from domain.time import after, business
from domain.vocabulary import CustomerDate, StepState, TouchTier
from tests.support.walks import DAY, HOUR, START, Run, notify, pause, recipe


def waiting(**wait: Any) -> Run:
    return Run(recipe({"wait": wait}, notify(), pause("20d"), goal={"window": "300d"}))


def test_a_wait_until_a_date_moves_with_the_date() -> None:
    run = waiting(until_date={"date": "renewal", "offset": "-30d"})
    renewal = after(START, 60 * DAY)
    assert run.advance(dates={CustomerDate.RENEWAL: renewal}).wake_at == START + 30 * DAY
    later = after(renewal, 30 * DAY)
    assert run.advance(DAY, dates={CustomerDate.RENEWAL: later}).wake_at == START + 60 * DAY
    assert run.advance(59 * DAY).heads_ups


def test_a_wait_until_a_date_that_is_past_or_unknown_is_over_at_once() -> None:
    past, unknown = (waiting(until_date={"date": "renewal", "offset": "-30d"}) for _ in range(2))
    assert past.advance(dates={CustomerDate.RENEWAL: START}).heads_ups
    assert unknown.advance().heads_ups
    row = unknown.view.row_of("a1", 1)
    assert row is not None
    assert row.reason == "no_such_date"


@pytest.mark.parametrize(
    ("start", "opens"),
    [
        ((2028, 3, 24, 18), (2028, 3, 27, 7)),  # Berlin changes to summer time on 26 March 2028
        ((2028, 10, 27, 18), (2028, 10, 30, 8)),  # and back on 29 October
        ((2028, 3, 24, 9), (2028, 3, 24, 9)),
    ],
)
def test_a_wait_for_a_window_is_right_across_the_change_of_clocks(
    start: tuple[int, int, int, int], opens: tuple[int, int, int, int]
) -> None:
    run = waiting(until_window={"from": "09:00", "to": "17:00"})
    run.now = business(datetime(*start, tzinfo=UTC))
    run.view = replace(run.view, started_at=run.now)
    progress = run.advance(time_zone="Europe/Berlin")
    expected = business(datetime(*opens, tzinfo=UTC))
    assert progress.heads_ups if expected == run.now else progress.wake_at == expected


def test_a_wait_for_a_window_leaves_days_off_out() -> None:
    run = waiting(until_window={"from": "09:00", "to": "09:30"})
    progress = run.advance(days_off=frozenset({date(2028, 2, 28)}))
    assert progress.wake_at == business(datetime(2028, 2, 29, 9, tzinfo=UTC))


def test_a_wait_for_a_condition_ends_when_it_holds_or_by_its_timeout() -> None:
    wait = {"condition": {"field": "tier", "is": "low"}, "timeout": "3d"}
    heard, waited = waiting(**wait), waiting(**wait)
    assert heard.advance(facts={"tier": "high"}).wake_at == START + 3 * DAY
    assert heard.advance(HOUR, facts={"tier": "low"}).heads_ups
    waited.advance(facts={"tier": "high"})
    assert waited.advance(3 * DAY).heads_ups


def test_a_wait_that_a_person_ended_goes_on() -> None:
    run = waiting(duration="9d")
    run.advance()
    run.finish("a1", StepState.SKIPPED)
    assert run.advance(HOUR).heads_ups


def test_an_experiment_deals_customers_out_by_weight_and_always_the_same_way() -> None:
    variants = [{"name": "a", "next": "a2", "weight": 3}, {"name": "b", "next": "a3"}]
    document = recipe({"experiment": {"variants": variants}}, notify(next="end"), notify(next="end"))
    ways: Counter[str] = Counter()
    for number in range(2_000):
        customer = uuid.UUID(int=number)
        taken = []
        for _ in range(2):
            run = Run(document)
            run.view = replace(run.view, customer_id=customer)
            run.advance()
            taken.append(run.warnings[0])
        assert taken[0] == taken[1]
        ways[taken[0]] += 1
    assert 1_400 < ways["a2"] < 1_600


def test_a_change_of_the_customer_is_ordered_once() -> None:
    run = Run(recipe({"update_customer": {"touch_tier": "strategic", "watchlist": True}}, pause()))
    assert run.advance().orders == (ChangeOrder(TouchTier.STRATEGIC, watchlist=True),)
    assert run.advance(HOUR).orders == ()


def test_a_webhook_waits_for_its_answer_and_goes_on_without_it_after_the_timeout() -> None:
    call = {"endpoint": "crm", "timeout": "2d", "on_answer": "yes", "on_timeout": "no"}
    answered, silent = (
        Run(recipe({"call_webhook": call}, notify(id="yes", next="end"), notify(id="no", next="end")))
        for _ in range(2)
    )
    for run in (answered, silent):
        assert run.advance().perform == PerformOrder("a1", 1, "call_webhook")
        run.finish("a1", StepState.WAITING, "callback")
        assert run.advance(HOUR).wake_at == START + 2 * DAY
    answered.finish("a1", StepState.DONE, "answered")
    answered.advance(HOUR)
    silent.advance(2 * DAY)
    assert (answered.warnings, silent.warnings) == (["yes"], ["no"])


@pytest.mark.parametrize(("result", "way"), [("won", "a2"), ("lost", "a3"), ("odd", "a2")])
def test_a_step_of_ones_own_goes_by_its_result(result: str, way: str) -> None:
    call = {"call": {"step": "ask-crm", "results": {"won": "a2", "lost": "a3"}}}
    run = Run(recipe(call, notify(next="end"), notify(next="end")))
    run.advance()
    run.finish("a1", StepState.DONE, result)
    run.advance(timedelta())
    assert run.warnings == [way]
