import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from domain.contact_policy import ContactPolicy
from domain.guard import Defer, Recipient, Refuse
from domain.prompts import Onlooker, ProposedPrompt, Show, may_prompt
from domain.run_state import StepRow
from domain.time import BusinessInstant
from domain.vocabulary import Purpose, StepState, TouchTier
from tests.support.walks import Run, pause, recipe

NOW = BusinessInstant(dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC))
HOUR = dt.timedelta(hours=1)


def person(
    key: str, last: BusinessInstant | None = None, zone: str = "UTC", *, agrees: bool = True
) -> Onlooker:
    consents = frozenset({Purpose.LIFECYCLE} if agrees else set())
    recipient = Recipient(key, zone, has_address=False, suppressed=False, consents=consents)
    return Onlooker(recipient, () if last is None else (last,))


def proposed(*people: Onlooker, at_most: int = 1, first: BusinessInstant = NOW) -> ProposedPrompt:
    return ProposedPrompt(
        people,
        at_most,
        do_not_contact=False,
        holdout=False,
        touch_tier=TouchTier.MANAGED,
        first_asked_at=first,
        budget=ContactPolicy().budget,
    )


def test_the_most_wanted_who_are_free_and_agree_are_shown_it() -> None:
    people = (person("a", NOW), person("b", agrees=False), person("c"), person("d"), person("e"))
    assert may_prompt(proposed(*people, at_most=2), NOW) == Show(("c", "d"))


def test_where_all_have_had_one_the_earliest_to_be_free_is_waited_for() -> None:
    early, late = BusinessInstant(NOW - 5 * HOUR), BusinessInstant(NOW - HOUR)
    verdict = may_prompt(proposed(person("a", late), person("b", early)), NOW)
    assert verdict == Defer(BusinessInstant(early + 24 * HOUR), "budget")


def test_what_never_finds_room_is_refused_after_a_week() -> None:
    long_ago = BusinessInstant(NOW - dt.timedelta(days=7))
    assert may_prompt(proposed(person("a", NOW), first=long_ago), NOW) == Refuse("budget")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_two_prompts_are_never_on_one_local_day_also_where_it_has_25_hours(zone: str) -> None:
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    while at.year == 2026:
        instant = BusinessInstant(at)
        verdict = may_prompt(proposed(person("a", instant, zone), first=instant), instant)
        assert isinstance(verdict, Defer)
        local = [one.astimezone(ZoneInfo(zone)).date() for one in (at, verdict.until)]
        assert local[0] < local[1]
        assert verdict.until >= at + 24 * HOUR
        at += HOUR


def test_the_contact_policy_says_how_many_prompts_a_person_gets() -> None:
    seen = tuple(BusinessInstant(NOW - days * 25 * HOUR) for days in range(1, 5))
    busy = replace(person("a"), offered=seen)
    assert may_prompt(proposed(busy), NOW) == Show(("a",))
    strict = replace(proposed(busy), budget=ContactPolicy(prompts_per_person_per_week=4).budget)
    assert may_prompt(strict, NOW) == Defer(BusinessInstant(min(seen) + dt.timedelta(days=7)), "budget")
    none = replace(proposed(person("a")), budget=ContactPolicy(prompts_per_person_per_day=0).budget)
    assert may_prompt(none, NOW) == Refuse("budget")


def test_a_prompt_that_was_put_off_is_waited_for_and_then_asked_for_again() -> None:
    words = {"to": ["champion"], "title": "t", "body": "b"}
    run = Run(recipe({"in_app_prompt": words}, pause()))
    order, due = run.advance().perform, BusinessInstant(run.now + dt.timedelta(days=1))
    assert order is not None
    row = StepRow(order.step_id, order.occurrence, StepState.DEFERRED, due, "budget")
    waiting = run.advance(steps=(row,))
    assert (waiting.perform, waiting.wake_at) == (None, due)
    assert run.advance(dt.timedelta(days=1)).perform == order
