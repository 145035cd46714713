"""What opens a run besides risk and signals, and what speaks against it then."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.customer_state import DirectorPolicy, KnownPlaybook, Memory, ResolvedSignal, RunRequest
from domain.directives import AnswerRequest, EndRun, Refuse, ReleaseRun, StartRun
from domain.playbook import Playbook
from domain.time import after
from domain.uplift import Uplift, Uplifts
from domain.vocabulary import (
    CustomerDate,
    HealthStatus,
    InterventionState,
    Motion,
    Outcome,
    RiskTier,
    Segment,
    SignalKind,
)
from tests.support.bench import DAY, NOW, QUIET, SILENCE, Bench, signal

KEY = "made-for-this"


def made(trigger: dict[str, Any], **more: Any) -> KnownPlaybook:
    document = {
        "key": KEY,
        "name": "Made for this",
        "description": "d",
        "motion": "retention",
        "priority": 30,
        "trigger": trigger,
        "steps": [{"id": "tell", "notify": {"title": "t", "body": "b"}}],
    }
    return KnownPlaybook(
        uuid.uuid5(uuid.NAMESPACE_URL, KEY), Playbook.model_validate(document | more), released=True
    )


def bench(
    trigger: dict[str, Any], *, state: Any = QUIET, parts: frozenset[str] = frozenset(), **more: Any
) -> Bench:
    policy = DirectorPolicy((made(trigger, **more),), SILENCE, parts=parts)
    return Bench(state, policy, Memory(began_at=after(NOW, -400 * DAY)))


def starts(one: Bench) -> list[str]:
    return [directive.reason for directive in one.ruling.directives if isinstance(directive, StartRun)]


def refusals(one: Bench) -> list[str]:
    return [directive.reason for directive in one.ruling.directives if isinstance(directive, Refuse)]


def test_a_date_opens_one_run_and_the_look_before_it_is_planned() -> None:
    one = bench({"on_date": {"date": "started", "at": "90d"}}, cooldown="1d")
    begun = after(NOW, -80 * DAY)
    ruling = one.rule(dates={CustomerDate.STARTED: begun})
    assert starts(one) == []
    assert ruling.next_look is not None
    assert timedelta(days=10) <= ruling.next_look - NOW <= timedelta(days=10, hours=6)
    one.rule(after=11 * DAY)
    assert starts(one) == [f"date:{begun.date().isoformat()}"]
    one.end_runs()
    one.rule(after=2 * DAY)
    assert starts(one) == [], "the day comes but once"


def test_a_date_that_was_long_past_when_we_came_opens_nothing() -> None:
    one = bench({"on_date": {"date": "started", "at": "90d"}})
    one.memory = Memory(began_at=NOW)
    one.rule(dates={CustomerDate.STARTED: after(NOW, -200 * DAY)})
    assert starts(one) == []


def test_a_schedule_opens_a_run_in_each_period() -> None:
    one = bench({"schedule": {"every": "90d"}}, cooldown="7d")
    one.rule(dates={CustomerDate.STARTED: after(NOW, -100 * DAY)})
    seen = []
    for _ in range(30):
        one.rule(after=12 * DAY)
        seen += starts(one)
        one.end_runs()
    assert len(seen) == len(set(seen)) == 4


def test_an_event_opens_a_run_and_the_cooldown_keeps_it_from_opening_at_once_again() -> None:
    one = bench({"event": {"performed": "Plan Limit Hit", "times": 2, "within": "7d"}}, cooldown="30d")
    window = ("Plan Limit Hit", timedelta(days=7))
    one.rule(performed={window: 1})
    assert starts(one) == []
    one.rule(performed={window: 2})
    assert starts(one) == ["event:Plan Limit Hit"]
    one.end_runs()
    one.rule(after=DAY)
    assert (starts(one), refusals(one)) == ([], ["cooldown"])
    one.rule(after=30 * DAY)
    assert starts(one) == ["event:Plan Limit Hit"]


def test_health_that_has_fallen_opens_a_run_and_health_that_was_never_better_does_not() -> None:
    never, fallen = (bench({"health": "needs_attention"}) for _ in range(2))
    never.rule(health_status=HealthStatus.AT_RISK)
    fallen.rule(health_status=HealthStatus.AT_RISK, health_was_better=True)
    assert (starts(never), starts(fallen)) == ([], ["health:needs_attention"])


def test_the_end_of_a_signal_opens_a_run_for_a_few_days_and_not_while_it_is_back() -> None:
    ended = ResolvedSignal(uuid.UUID(int=5), SignalKind.TICKET_OVERDUE, NOW)
    trigger = {"resolved": ["ticket_overdue"]}
    one, back, late = (bench(trigger) for _ in range(3))
    one.rule(resolved=(ended,))
    back.rule(resolved=(ended,), signals=(signal(SignalKind.TICKET_OVERDUE),))
    late.rule(after=4 * DAY, resolved=(ended,))
    assert (starts(one), starts(back), starts(late)) == ([f"resolved:{ended.id}"], [], [])


def test_a_signal_that_the_tenant_declared_opens_a_run() -> None:
    one = bench({"own_signals": ["quiet-admins"]})
    one.rule(signals=(signal(SignalKind.OWN, dedupe_key="own:quiet-admins"),))
    assert starts(one) == ["signal:own"]


def test_whom_only_if_leaves_out_gets_no_run() -> None:
    one = bench({"health": "at_risk"})
    one.rule(health_status=HealthStatus.AT_RISK, health_was_better=True, unfit=frozenset({KEY}))
    assert starts(one) == []


def wish(**more: Any) -> RunRequest:
    return replace(RunRequest(uuid.UUID(int=9), KEY, is_urgent=False, by="Marta"), **more)


def answers(one: Bench) -> list[str]:
    return [directive.reason for directive in one.ruling.directives if isinstance(directive, AnswerRequest)]


def test_a_wish_opens_a_run_of_any_playbook() -> None:
    one = bench({"manual": True})
    one.rule(requests=(wish(),))
    (start,) = [each for each in one.ruling.directives if isinstance(each, StartRun)]
    assert (start.request_id, start.sentence) == (uuid.UUID(int=9), "Marta asked for it.")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"do_not_contact": True}, "do_not_contact"),
        ({"holdout": True}, "holdout"),
        ({"resting": {KEY: None}}, "resting"),
    ],
)
def test_a_wish_that_is_not_granted_is_answered_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    one = bench({"manual": True})
    one.rule(requests=(wish(is_urgent=True),), **changes)
    assert (starts(one), answers(one)) == ([], [reason])


def test_an_urgent_wish_opens_a_run_soon_after_another_and_an_ordinary_one_does_not() -> None:
    ordinary, urgent = (bench({"manual": True}) for _ in range(2))
    for one, is_urgent in ((ordinary, False), (urgent, True)):
        one.rule(requests=(wish(),))
        one.end_runs()
        one.rule(after=DAY, requests=(wish(id=uuid.UUID(int=10), is_urgent=is_urgent),))
    assert (answers(ordinary), starts(ordinary)) == (["cooldown"], [])
    assert (answers(urgent), len(starts(urgent))) == ([], 1)


def test_a_wish_for_what_is_open_or_gone_is_answered() -> None:
    one = bench({"manual": True})
    one.rule(requests=(wish(),))
    one.rule(requests=(wish(id=uuid.UUID(int=10)), wish(id=uuid.UUID(int=11), playbook_key="gone")))
    assert sorted(answers(one)) == ["already_open", "archived"]


def test_what_rests_opens_nothing_and_is_looked_at_again_when_the_rest_is_over() -> None:
    one = bench({"health": "at_risk"})
    until = after(NOW, 3 * DAY)
    told: dict[str, Any] = {"health_status": HealthStatus.AT_RISK, "health_was_better": True}
    ruling = one.rule(resting={KEY: until}, **told)
    assert (starts(one), refusals(one), ruling.next_look) == ([], ["resting"], until)
    one.rule(after=3 * DAY, resting={})
    assert len(starts(one)) == 1


def test_what_needs_a_part_that_is_not_there_stays_inert_and_says_so() -> None:
    told: dict[str, Any] = {"health_status": HealthStatus.AT_RISK, "health_was_better": True}
    without = bench({"health": "at_risk"}, requires=["billing"])
    beside = bench({"health": "at_risk"}, requires=["billing"], parts=frozenset({"billing"}))
    without.rule(**told)
    beside.rule(**told)
    assert (refusals(without), len(starts(beside))) == (["not_available"], 1)


def test_what_is_for_once_is_not_run_again() -> None:
    one = bench({"health": "at_risk"}, once=True, cooldown="1d")
    one.rule(health_status=HealthStatus.AT_RISK, health_was_better=True)
    one.end_runs()
    one.rule(after=300 * DAY)
    assert (starts(one), refusals(one)) == ([], ["once"])


def test_an_owner_with_too_much_work_gets_no_more_from_playbooks() -> None:
    steps = [{"id": "call", "create_task": {"title": "t", "body": "b"}}]
    told: dict[str, Any] = {
        "health_status": HealthStatus.AT_RISK,
        "health_was_better": True,
        "owner_load": 60,
    }
    full, light = bench({"health": "at_risk"}, steps=steps), bench({"health": "at_risk"})
    full.rule(**told)
    light.rule(**told)
    assert (refusals(full), len(starts(light))) == (["capacity"], 1)


@pytest.mark.parametrize(
    "trouble",
    [
        {"tier": RiskTier.HIGH},
        {"signals": (signal(SignalKind.INVOICE_PAST_DUE),)},
        {"signals": (signal(SignalKind.PAYMENT_FAILING),)},
    ],
)
def test_nothing_is_sold_while_risk_is_high_or_an_invoice_is_past_due(trouble: dict[str, Any]) -> None:
    told: dict[str, Any] = {"health_status": HealthStatus.AT_RISK, "health_was_better": True}
    one = bench({"health": "at_risk"}, motion=Motion.EXPANSION)
    one.rule(**told)
    assert len(starts(one)) == 1
    ruling = one.rule(**trouble)
    assert [end.outcome for end in ruling.directives if isinstance(end, EndRun)] == [Outcome.STOPPED]
    assert "untimely" in refusals(one)


SIX = Uplift(value=0.06, low=0.02, high=0.1, customers=410)


@pytest.mark.parametrize(
    ("more", "uplifts", "worth", "words"),
    [
        ({}, {}, 300.0, "assumed: saves 3 in 100"),
        ({"assumed_uplift": 0.05}, {}, 500.0, "assumed: saves 5 in 100"),
        ({}, {(KEY, Segment.SMALL): SIX}, 300.0, "assumed: saves 3 in 100"),
        (
            {},
            {(KEY, Segment.MID_MARKET): SIX},
            600.0,
            "measured: saves 6 in 100, 90 % 2 to 10, n = 410",
        ),
    ],
)
def test_the_expected_value_of_a_run_goes_by_what_was_measured_in_its_segment_else_by_what_is_declared(
    more: dict[str, Any], uplifts: Uplifts, worth: float, words: str
) -> None:
    one = bench({"manual": True}, **more)
    one.policy = replace(one.policy, uplifts=uplifts)
    known: dict[str, Any] = {"churn_probability": 0.2, "arr_minor": 5_000_000, "segment": Segment.MID_MARKET}
    one.rule(requests=(wish(),), **known)
    (start,) = one.said(StartRun)
    assert start.uplift == words
    assert start.expected_value == pytest.approx(worth)


def test_a_plan_to_sell_that_is_untimely_and_called_for_by_nothing_ends_once() -> None:
    one = bench({"health": "at_risk"}, motion=Motion.EXPANSION)
    (playbook,) = one.policy.playbooks
    one.policy = replace(one.policy, playbooks=(replace(playbook, released=False),))
    one.rule(health_status=HealthStatus.AT_RISK, health_was_better=True)
    assert len(starts(one)) == 1
    ruling = one.rule(health_status=HealthStatus.THRIVING, tier=RiskTier.HIGH)
    assert len([end for end in ruling.directives if isinstance(end, EndRun)]) == 1


def test_a_wish_that_was_only_planned_goes_when_its_playbook_is_released() -> None:
    one = bench({"manual": True})
    (playbook,) = released = one.policy.playbooks
    one.policy = replace(one.policy, playbooks=(replace(playbook, released=False),))
    one.rule(requests=(wish(),))
    (planned,) = one.state.open_runs
    assert planned.state is InterventionState.PLANNED
    assert one.rule().directives == ()
    one.policy = replace(one.policy, playbooks=released)
    one.rule()
    assert [directive.intervention_id for directive in one.said(ReleaseRun)] == [planned.id]
