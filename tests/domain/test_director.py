"""The director, ruling by ruling."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.customer_state import DirectorPolicy, Memory, RunRequest
from domain.directives import (
    AnswerRequest,
    CloseHeadsUp,
    EndRun,
    OpenHeadsUp,
    Refuse,
    RingRun,
    SetWatchlist,
    StartRun,
)
from domain.time import BusinessInstant
from domain.vocabulary import (
    CustomerStatus,
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
    reasons,
    renewing,
    signal,
)

USAGE, SUPPORT = HealthComponent.USAGE, HealthComponent.SUPPORT
COMMERCIAL, RELATIONSHIP = HealthComponent.COMMERCIAL, HealthComponent.RELATIONSHIP


def test_a_quiet_customer_is_left_alone_and_looked_at_again() -> None:
    bench = Bench()
    assert bench.rule().directives == ()
    assert bench.ruling.silence is not None


def test_medium_risk_means_the_watchlist_and_one_heads_up() -> None:
    bench = Bench(replace(QUIET, tier=RiskTier.MEDIUM))
    bench.rule()
    assert [watch.on for watch in bench.said(SetWatchlist)] == [True]
    assert [warning.dedupe_key for warning in bench.said(OpenHeadsUp)] == ["watchlist"]
    assert bench.started == []
    assert bench.rule(notice(NoticeKind.TIER_CHANGED)).directives == ()


def test_a_cause_that_flickers_twenty_times_in_a_day_is_refused_once() -> None:
    bench = Bench(replace(QUIET, do_not_contact=True))
    refused: list[str] = []
    for _ in range(20):
        for tier in (RiskTier.HIGH, RiskTier.MEDIUM):
            drivers = high(SUPPORT).drivers
            bench.rule(after=timedelta(minutes=36), tier=tier, drivers=drivers, watchlisted_at=NOW)
            refused += [refusal.reason for refusal in bench.said(Refuse)]
    assert refused == ["do_not_contact"]
    bench.rule(after=2 * DAY)
    bench.rule(tier=RiskTier.HIGH)
    assert [refusal.reason for refusal in bench.said(Refuse)] == ["do_not_contact"], "news after a quiet day"


def test_a_refusal_whose_reason_goes_to_and_fro_is_told_once_per_reason() -> None:
    bench = Bench(high(SUPPORT))
    refused: list[str] = []
    for turn in range(40):
        bench.rule(after=timedelta(minutes=36), holdout=turn % 2 == 0, do_not_contact=turn % 2 == 1)
        refused += [refusal.reason for refusal in bench.said(Refuse)]
    assert sorted(refused) == ["do_not_contact", "holdout"]


def test_what_was_refused_is_news_once_its_playbook_has_run_in_between() -> None:
    bench = Bench(high(SUPPORT, do_not_contact=True))
    bench.rule()
    bench.rule(after=timedelta(hours=1), do_not_contact=False)
    assert bench.started == ["support-frustration"]
    bench.rule(after=timedelta(hours=1), do_not_contact=True, open_runs=())
    assert [refusal.reason for refusal in bench.said(Refuse)] == ["do_not_contact"]


def test_low_again_takes_the_customer_off_the_watchlist() -> None:
    bench = Bench(replace(QUIET, tier=RiskTier.MEDIUM))
    bench.rule()
    bench.rule(tier=RiskTier.LOW)
    assert [watch.on for watch in bench.said(SetWatchlist)] == [False]
    assert [closed.dedupe_key for closed in bench.said(CloseHeadsUp)] == ["watchlist"]
    assert bench.rule().directives == ()


@pytest.mark.parametrize(
    ("families", "key"),
    [
        ([USAGE], "low-engagement"),
        ([HealthComponent.ADOPTION], "low-engagement"),
        ([HealthComponent.OUTCOMES], "low-engagement"),
        ([SUPPORT], "support-frustration"),
        ([HealthComponent.SENTIMENT], "support-frustration"),
        ([USAGE, SUPPORT], "low-engagement"),
        ([SUPPORT, USAGE], "support-frustration"),
        ([COMMERCIAL, USAGE], "low-engagement"),
        ([RELATIONSHIP, SUPPORT, USAGE], "low-engagement"),
    ],
)
def test_high_risk_starts_the_playbook_of_the_main_driver_that_has_one(
    families: list[HealthComponent], key: str
) -> None:
    bench = Bench(high(*families))
    bench.rule()
    assert bench.started == [key]


WITHOUT_LOW_ENGAGEMENT = DirectorPolicy(
    tuple(one for one in SHIPPED if one.document.key != "low-engagement"), SILENCE
)


@pytest.mark.parametrize("families", [[COMMERCIAL], [RELATIONSHIP, COMMERCIAL], []])
def test_nobody_is_sent_a_playbook_of_a_reason_that_is_not_theirs(families: list[HealthComponent]) -> None:
    bench = Bench(high(*families), WITHOUT_LOW_ENGAGEMENT)
    bench.rule()
    assert bench.started == []
    assert reasons(bench.said(Refuse)) == [("none", "no_playbook")]
    assert bench.rule().directives == ()


def test_a_playbook_for_any_reason_answers_where_no_other_does() -> None:
    trigger = known("low-engagement").document.trigger.model_copy(update={"drivers": ()})
    general = known("low-engagement", key="any-reason", trigger=trigger, priority=10)
    policy = DirectorPolicy((*WITHOUT_LOW_ENGAGEMENT.playbooks, general), SILENCE)
    assert Bench(high(COMMERCIAL), policy).rule().directives
    for families, key in (([COMMERCIAL], "any-reason"), ([SUPPORT], "support-frustration")):
        bench = Bench(high(*families), policy)
        bench.rule()
        assert bench.started == [key]


def test_causes_name_the_tier_the_drivers_and_the_open_signals_of_the_family() -> None:
    signals = (signal(SignalKind.USAGE_DROP, 1), signal(SignalKind.TICKET_OVERDUE, 2))
    bench = Bench(high(USAGE, SUPPORT, signals=signals))
    bench.rule()
    (start,) = bench.said(StartRun)
    assert start.reason == "tier:high"
    assert [cause.get("tier") or cause.get("family") or cause["signal"] for cause in start.causes] == [
        "high",
        "usage",
        "usage_drop",
    ]
    assert "usage is worse than usual" in start.sentence


def test_a_run_that_is_open_is_not_started_again_when_the_main_driver_changes() -> None:
    bench = Bench(high(USAGE))
    bench.rule()
    bench.rule(drivers=high(SUPPORT, USAGE).drivers)
    assert bench.started == []
    assert len(bench.state.open_runs) == 1


def test_critical_replaces_everything_else_by_the_escalated_save() -> None:
    bench = Bench(high(USAGE, open_runs=(open_run("low-engagement"), open_run("stay-in-touch"))))
    bench.rule(tier=RiskTier.CRITICAL)
    assert bench.started == ["escalated-save"]
    assert [end.outcome for end in bench.said(EndRun)] == [Outcome.REPLACED] * 2
    assert [run.playbook_key for run in bench.state.open_runs] == ["escalated-save"]
    assert bench.rule(notice(NoticeKind.TIER_CHANGED)).directives == (RingRun(bench.state.open_runs[0].id),)


def test_of_two_escalations_the_worthier_runs_and_neither_replaces_the_other_for_ever() -> None:
    other = known("escalated-save", key="board-call", priority=99)
    bench = Bench(high(USAGE, tier=RiskTier.CRITICAL), DirectorPolicy((*SHIPPED, other), SILENCE))
    bench.rule()
    assert bench.started == ["board-call"]
    assert reasons(bench.said(Refuse)) == [("escalated-save", "outranked")]
    assert bench.rule().directives == ()


def test_an_escalation_replaces_also_what_has_a_higher_priority_and_it_does_not_come_back() -> None:
    trigger = known("executive-check-in").document.trigger
    urgent = known("stay-in-touch", key="urgent", priority=100, trigger=trigger)
    policy = DirectorPolicy((*SHIPPED, urgent), SILENCE)
    bench = Bench(high(USAGE, tier=RiskTier.CRITICAL, signals=(signal(SignalKind.CHAMPION_LEFT),)), policy)
    bench.rule()
    assert bench.started == ["escalated-save"]
    assert reasons(bench.said(Refuse)) == [("urgent", "outranked")]


def test_an_escalation_that_is_only_planned_ends_no_run_that_helps() -> None:
    policy = DirectorPolicy((*SHIPPED[1:], known("escalated-save", released=False)), SILENCE)
    bench = Bench(high(USAGE), policy)
    bench.rule()
    bench.rule(tier=RiskTier.CRITICAL)
    assert {run.playbook_key: run.state for run in bench.state.open_runs} == {
        "low-engagement": InterventionState.RUNNING,
        "escalated-save": InterventionState.PLANNED,
    }
    bench.policy = POLICY
    bench.rule(notice(NoticeKind.RELEASED))
    assert [run.playbook_key for run in bench.state.open_runs] == ["escalated-save"]


def test_a_churned_customer_has_nothing_left_running() -> None:
    bench = Bench(high(USAGE))
    bench.rule()
    bench.rule(
        notice(NoticeKind.CUSTOMER_CHURNED), status=CustomerStatus.CHURNED, heads_up_keys=frozenset({"a"})
    )
    assert [end.outcome for end in bench.said(EndRun)] == [Outcome.CHURNED]
    assert (bench.started, bench.ruling.next_look) == ([], None)
    assert (bench.state.heads_up_keys, bench.state.watchlisted_at) == (frozenset(), None)
    assert bench.rule(notice(NoticeKind.PAYMENT)).directives == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"do_not_contact": True}, "do_not_contact"),
        ({"holdout": True}, "holdout"),
        ({"do_not_contact": True, "holdout": True}, "do_not_contact"),
        ({"open_runs": (open_run("support-frustration"),), "tier": RiskTier.HIGH, "drivers": ()}, None),
    ],
)
def test_a_refusal_is_told_once_with_its_first_reason(changes: dict[str, Any], reason: str | None) -> None:
    bench = Bench(high(USAGE, **changes))
    bench.rule()
    assert bench.started == []
    assert reasons(bench.said(Refuse)) == ([("low-engagement", reason)] if reason else [])
    assert bench.rule(notice(NoticeKind.TIER_CHANGED)).directives == tuple(
        RingRun(run.id) for run in bench.state.open_runs
    )


def test_a_refusal_with_another_reason_is_told_again() -> None:
    bench = Bench(high(USAGE, holdout=True))
    bench.rule()
    bench.rule(do_not_contact=True)
    assert reasons(bench.said(Refuse)) == [("low-engagement", "do_not_contact")]


def test_strategic_customers_are_not_held_out_and_contractual_playbooks_hold_nobody_out() -> None:
    bench = Bench(high(USAGE, holdout=True, touch_tier=TouchTier.STRATEGIC))
    bench.rule()
    assert bench.started == ["low-engagement"]
    renewal = Bench(replace(QUIET, holdout=True, renewal_on=renewing(30)))
    renewal.rule()
    assert renewal.started == ["renewal-check-in"]


def test_a_playbook_is_not_repeated_before_its_cooldown_is_over() -> None:
    bench = Bench(high(USAGE))
    bench.rule()
    bench.end("low-engagement")
    bench.rule(notice(NoticeKind.INTERVENTION_ENDED))
    assert reasons(bench.said(Refuse)) == [("low-engagement", "cooldown")]
    assert "less than 30 days ago" in bench.said(Refuse)[0].sentence
    again = BusinessInstant(NOW + 30 * DAY)
    assert bench.ruling.next_look is not None
    assert bench.ruling.next_look <= again
    bench.rule(after=30 * DAY - timedelta(seconds=1), last_touch_at=again)
    assert bench.started == []
    bench.rule(after=timedelta(seconds=1))
    assert bench.started == ["low-engagement"]


def test_a_less_worthy_run_waits_until_the_worthier_one_is_over() -> None:
    bench = Bench(high(USAGE, renewal_on=renewing(40)))
    bench.rule()
    assert bench.started == ["low-engagement"]
    assert reasons(bench.said(Refuse)) == [("renewal-check-in", "outranked")]
    bench.end("low-engagement", Outcome.SAVED)
    bench.rule(notice(NoticeKind.INTERVENTION_ENDED), tier=RiskTier.LOW)
    assert bench.started == ["renewal-check-in"]


def test_a_first_score_is_known_and_triggers_nothing() -> None:
    for tier in (RiskTier.MEDIUM, RiskTier.HIGH, RiskTier.CRITICAL):
        bench = Bench(high(USAGE, tier=tier, tier_is_baseline=True, watchlisted_at=None))
        bench.rule()
        assert (bench.started, bench.said(OpenHeadsUp), bench.said(Refuse)) == ([], [], [])
        assert [watch.on for watch in bench.said(SetWatchlist)] == [True]


def test_a_baseline_signal_triggers_nothing_and_is_named_as_a_cause_beside_a_new_one() -> None:
    old, new = signal(SignalKind.EXECUTIVE_SILENCE, 1, is_baseline=True), signal(SignalKind.CHAMPION_LEFT, 2)
    bench = Bench(replace(QUIET, touch_tier=TouchTier.STRATEGIC, signals=(old,)))
    bench.rule()
    assert bench.started == []
    bench.rule(signals=(old, new))
    assert bench.started == ["executive-check-in"]
    assert len(bench.said(StartRun)[0].causes) == 2


def test_a_signal_that_opens_warns_its_owner_until_it_is_gone() -> None:
    opened = signal(SignalKind.INVOICE_PAST_DUE)
    news = notice(NoticeKind.SIGNAL_OPENED, signal_id=str(opened.id))
    bench = Bench(replace(QUIET, signals=(opened,)))
    bench.rule(news)
    assert [warning.signal_id for warning in bench.said(OpenHeadsUp)] == [opened.id]
    assert bench.rule(news).directives == (), "a doubled notice changes nothing"
    bench.rule(notice(NoticeKind.SIGNAL_RESOLVED), signals=())
    assert [closed.dedupe_key for closed in bench.said(CloseHeadsUp)] == ["invoice_past_due"]


def test_news_rings_every_run_that_goes_on_and_none_that_is_only_planned() -> None:
    planned = open_run("renewal-check-in", InterventionState.PLANNED)
    bench = Bench(
        replace(QUIET, open_runs=(open_run("stay-in-touch"), planned), renewal_on=renewing(9)), OBSERVING
    )
    assert bench.rule().directives == ()
    bench.rule(notice(NoticeKind.TASK_DONE))
    assert [ring.intervention_id for ring in bench.said(RingRun)] == [open_run("stay-in-touch").id]


def test_countdowns_that_began_before_we_came_are_taken_up_one_by_one() -> None:
    renewal = (NOW + 30 * DAY).date()
    openings = set()
    for number in range(40):
        state = replace(QUIET, customer_id=uuid.UUID(int=number), renewal_on=renewal)
        bench = Bench(state, memory=Memory(began_at=NOW))
        bench.rule()
        assert bench.started == []
        assert bench.ruling.next_look is not None
        openings.add(bench.ruling.next_look.date())
        bench.rule(after=11 * DAY)
        assert bench.started == ["renewal-check-in"]
    assert len(openings) > 5


def test_a_wish_for_a_customer_that_has_left_is_answered() -> None:
    wish = RunRequest(uuid.UUID(int=5), "stay-in-touch", is_urgent=False, by="Ada Osei")
    bench = Bench(replace(QUIET, requests=(wish,)))
    bench.rule(status=CustomerStatus.CHURNED)
    assert [(one.request_id, one.reason) for one in bench.said(AnswerRequest)] == [(wish.id, "churned")]
