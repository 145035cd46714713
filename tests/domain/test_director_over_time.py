"""The director over time: silence, renewals, plans and their release."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.customer_state import DirectorPolicy
from domain.directives import (
    EndRun,
    OpenHeadsUp,
    OpenSilence,
    Refuse,
    ReleaseRun,
    ResolveSignal,
    StartRun,
)
from domain.time import BusinessInstant
from domain.vocabulary import (
    HealthComponent,
    InterventionState,
    NoticeKind,
    Outcome,
    RiskTier,
    SignalKind,
    TouchTier,
)
from tests.support.bench import (
    DAY,
    NOW,
    OBSERVING,
    POLICY,
    QUIET,
    SHIPPED,
    SILENCE,
    Bench,
    high,
    known,
    notice,
    open_run,
    renewing,
)

USAGE = HealthComponent.USAGE
KEYS = [each.document.key for each in SHIPPED]


def ago(days: float) -> BusinessInstant:
    return BusinessInstant(NOW - timedelta(days=days))


@pytest.mark.parametrize("tier", list(TouchTier))
def test_each_touch_tier_has_its_own_longest_silence(tier: TouchTier) -> None:
    bench = Bench(replace(QUIET, touch_tier=tier))
    watched = bench.rule().silence
    allowed = timedelta(days=SILENCE[tier])
    assert watched is not None
    due = watched.due_at
    assert NOW + allowed <= due <= NOW + allowed + timedelta(hours=6)
    assert (
        not Bench(bench.state, memory=bench.memory, now=BusinessInstant(due - DAY / 9999)).rule().directives
    )
    bench.rule(after=due - NOW)
    (silence,) = bench.said(OpenSilence)
    assert silence.evidence["longest_silence_days"] == SILENCE[tier]


def test_a_silence_is_opened_once_and_calls_for_a_contact() -> None:
    bench = Bench()
    bench.rule()
    bench.rule(after=31 * DAY)
    assert [silence.kind for silence in bench.said(OpenSilence)] == [SignalKind.NO_CONTACT]
    assert bench.started == ["stay-in-touch"], "the ruling that notices the silence acts on it"
    assert [one.dedupe_key for one in bench.said(OpenHeadsUp)] == ["no_contact"]
    assert bench.rule(after=60 * DAY).directives == ()


def test_a_contact_resolves_the_silence_and_the_count_starts_anew() -> None:
    bench = Bench()
    bench.rule()
    bench.rule(after=31 * DAY)
    spoken = BusinessInstant(bench.now + DAY)
    bench.rule(notice(NoticeKind.TOUCHPOINT), after=DAY, last_touch_at=spoken)
    assert len(bench.said(ResolveSignal)) == 1
    assert bench.ruling.silence is not None
    assert bench.ruling.silence.due_at >= spoken + 30 * DAY
    assert bench.rule().directives == ()


def test_silence_before_the_first_look_is_nobodys_fault() -> None:
    for last in (ago(400), None):
        bench = Bench(replace(QUIET, last_touch_at=last))
        assert bench.rule().directives == ()
        assert bench.ruling.silence is not None
        assert bench.ruling.silence.due_at >= NOW + 30 * DAY


def test_where_no_source_tells_of_contacts_silence_is_not_held_against_anybody() -> None:
    bench = Bench(replace(QUIET, is_observed=False, last_touch_at=None))
    assert bench.rule().silence is None
    assert bench.rule(after=400 * DAY).directives == ()


def test_the_renewal_playbook_opens_sixty_days_before_and_not_after_the_date() -> None:
    bench = Bench(replace(QUIET, renewal_on=renewing(100), is_observed=False))
    look = bench.rule().next_look
    assert look is not None
    assert timedelta(days=39) <= look - NOW <= timedelta(days=41)
    bench.rule(after=look - NOW - timedelta(seconds=1))
    assert bench.started == []
    bench.rule(after=timedelta(seconds=1))
    assert bench.started == ["renewal-check-in"]
    late = Bench(replace(QUIET, renewal_on=renewing(0)))
    late.rule()
    assert late.started == []


def test_the_renewal_is_not_talked_about_while_the_risk_is_critical() -> None:
    bench = Bench(replace(QUIET, renewal_on=renewing(30), tier=RiskTier.CRITICAL, watchlisted_at=NOW))
    bench.rule()
    assert bench.started == ["escalated-save"]


def test_while_observing_runs_are_planned_and_released_later() -> None:
    bench = Bench(high(USAGE), OBSERVING)
    bench.rule()
    assert [start.observed for start in bench.said(StartRun)] == [True]
    assert bench.rule(notice(NoticeKind.TIER_CHANGED)).directives == ()
    bench.policy = POLICY
    bench.rule(notice(NoticeKind.RELEASED))
    assert len(bench.said(ReleaseRun)) == 1
    assert bench.state.open_runs[0].state is InterventionState.RUNNING


def test_a_spent_rate_lets_nothing_go_today_and_looks_again_tomorrow() -> None:
    bench = Bench(high(USAGE), OBSERVING)
    bench.rule()
    bench.policy = replace(POLICY, release_left=0)
    bench.rule(notice(NoticeKind.RELEASED))
    assert bench.said(ReleaseRun) == []
    assert bench.ruling.next_look == NOW + DAY
    bench.policy = replace(POLICY, release_left=1)
    bench.rule(after=DAY)
    assert len(bench.said(ReleaseRun)) == 1


def test_one_ruling_releases_no_more_than_the_rate_allows() -> None:
    planned = tuple(
        open_run(key, InterventionState.PLANNED) for key in ("low-engagement", "renewal-check-in")
    )
    bench = Bench(high(USAGE, open_runs=planned, renewal_on=renewing(9)), replace(POLICY, release_left=1))
    bench.rule(notice(NoticeKind.RELEASED))
    assert len(bench.said(ReleaseRun)) == 1
    assert bench.ruling.next_look == NOW + DAY


def test_a_plan_that_nothing_calls_for_any_more_is_dropped() -> None:
    bench = Bench(high(USAGE, renewal_on=renewing(9)), OBSERVING)
    bench.rule()
    bench.rule(tier=RiskTier.LOW)
    assert [end.outcome for end in bench.said(EndRun)] == [Outcome.STOPPED]
    assert bench.started == ["renewal-check-in"], "what it held up is planned at once"
    assert [run.playbook_key for run in bench.state.open_runs] == ["renewal-check-in"]


@pytest.mark.parametrize("changes", [{"do_not_contact": True}, {"holdout": True}])
def test_a_plan_for_somebody_who_may_not_be_written_to_any_more_is_never_released(
    changes: dict[str, Any],
) -> None:
    bench = Bench(high(USAGE), OBSERVING)
    bench.rule()
    bench.policy = POLICY
    bench.rule(notice(NoticeKind.RELEASED), **changes)
    assert (bench.said(ReleaseRun), bench.state.open_runs) == ([], ())
    bench.rule()
    assert len(bench.said(Refuse)) == 1
    assert bench.rule().directives == ()


def test_a_plan_that_nobody_released_holds_up_no_playbook_that_was() -> None:
    unreleased = tuple(known(key, released=key == "renewal-check-in") for key in KEYS)
    bench = Bench(high(USAGE, renewal_on=renewing(9)), DirectorPolicy(unreleased, SILENCE))
    bench.rule()
    assert [(start.playbook.document.key, start.observed) for start in bench.said(StartRun)] == [
        ("low-engagement", True),
        ("renewal-check-in", False),
    ]
