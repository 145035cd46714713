"""Signals that look at the customer as a whole: health, and what comes together."""

import uuid
from dataclasses import replace
from typing import Any

from domain.features import CustomerFeatures, KindFreshness
from domain.scoring_policy import ScoringPolicy, SignalPolicy
from domain.signal_own import OwnSignal, read_condition
from domain.signal_readings import Ending, Whole
from domain.signals import HeldSignal, Outlook, Sighting, SignalChanges, look
from domain.vocabulary import HealthStatus, Severity, SignalKind
from tests.support.features import AS_OF, customer, everything_told, week

K = SignalKind
FINE = Whole(70, HealthStatus.ENGAGED, usual_score=72, usual_status=HealthStatus.ENGAGED)
FALLEN = Whole(45, HealthStatus.NEEDS_ATTENTION, usual_score=72, usual_status=HealthStatus.ENGAGED)
THREE: dict[str, Any] = {
    "usage": week(10),
    "sentiment": {"nps": 3},
    "support": {"overdue": 1, "oldest_overdue_days": 2},
}


def seen(
    features: CustomerFeatures, *held: HeldSignal, whole: Whole | None = None, own: tuple[OwnSignal, ...] = ()
) -> SignalChanges:
    return look(features, Outlook(ScoringPolicy(), own, whole), held)


def hold(sighting: Sighting, **changes: Any) -> HeldSignal:
    held = HeldSignal(
        uuid.uuid4(), sighting.kind, sighting.key, sighting.severity, sighting.title,
        dict(sighting.evidence), sighting.is_baseline,
    )  # fmt: skip
    return replace(held, **changes)


def one(changes: SignalChanges, kind: SignalKind) -> Sighting:
    return next(sighting for sighting in changes.opened if sighting.kind is kind)


def test_health_that_crosses_into_a_worse_status_is_told_with_both_scores() -> None:
    found = one(seen(customer(), whole=FALLEN), K.HEALTH_DROP)
    assert found.title == "Health fell from 72 to 45 of 100: needs attention"
    assert found.severity is Severity.HIGH


def test_a_fall_within_a_status_is_no_news_and_neither_is_a_step_over_its_edge() -> None:
    within = Whole(66, HealthStatus.ENGAGED, usual_score=79, usual_status=HealthStatus.ENGAGED)
    edge = Whole(64, HealthStatus.NEUTRAL, usual_score=66, usual_status=HealthStatus.ENGAGED)
    assert seen(customer(), whole=within).opened == ()
    assert seen(customer(), whole=edge).opened == ()


def test_health_recovers_only_near_where_it_fell_from() -> None:
    held = hold(one(seen(customer(), whole=FALLEN), K.HEALTH_DROP))
    halfway = Whole(66, HealthStatus.ENGAGED, usual_score=50, usual_status=HealthStatus.NEUTRAL)
    assert seen(customer(), held, whole=halfway).resolved == ()
    assert [ending for _s, ending in seen(customer(), held, whole=FINE).resolved] == [Ending.RECOVERED]


def test_a_lower_health_becomes_the_usual_one_after_two_months() -> None:
    held = hold(
        one(seen(customer(), whole=FALLEN), K.HEALTH_DROP), evidence={"from": 72, "since": "2026-04-01"}
    )
    assert [ending for _s, ending in seen(customer(), held, whole=FALLEN).resolved] == [Ending.NEW_NORMAL]


def test_while_a_source_is_silent_nothing_is_said_of_health() -> None:
    told = everything_told() | {"ticket": KindFreshness(provided=True, silent=True)}
    held = hold(one(seen(customer(), whole=FALLEN), K.HEALTH_DROP))
    assert seen(customer(freshness=told), whole=FALLEN).opened == ()
    assert seen(customer(freshness=told), held, whole=FINE).resolved == ()


def test_three_warnings_of_different_kinds_are_one_risk_with_its_members() -> None:
    found = one(seen(customer(**THREE)), K.COMPOUND_RISK)
    assert {member["kind"] for member in found.evidence["members"]} == {
        "usage_drop", "poor_survey", "ticket_overdue",
    }  # fmt: skip
    assert found.title == "Several warnings at once: declining usage, poor feedback and an overdue ticket"


def test_two_warnings_are_no_compound_risk_and_two_of_one_kind_count_once() -> None:
    two = {name: THREE[name] for name in ("usage", "sentiment")}
    assert K.COMPOUND_RISK not in {one.kind for one in seen(customer(**two)).opened}
    poor = two | {"sentiment": {"nps": 3, "tickets": -0.4, "tickets_before": 0.3}}
    assert K.COMPOUND_RISK not in {one.kind for one in seen(customer(**poor)).opened}


def test_nobody_having_spoken_for_45_days_is_a_part_of_it_only_where_it_could_be_heard() -> None:
    quiet: dict[str, Any] = {"touch_in_days": 50, "touch_out_days": 46}
    parts = {"usage": week(10), "sentiment": {"nps": 3}, "relationship": quiet}
    assert K.COMPOUND_RISK in {one.kind for one in seen(customer(**parts)).opened}
    deaf = everything_told() | {"touchpoint": KindFreshness(provided=False)}
    assert K.COMPOUND_RISK not in {one.kind for one in seen(customer(**parts, freshness=deaf)).opened}
    new = everything_told() | {"touchpoint": KindFreshness(provided=True, connected_at=AS_OF)}
    assert K.COMPOUND_RISK not in {one.kind for one in seen(customer(**parts, freshness=new)).opened}


def test_it_holds_while_two_of_its_members_do_and_ends_with_the_last_but_one() -> None:
    held = [hold(sighting) for sighting in seen(customer(**THREE)).opened]
    two = customer(usage=week(10), sentiment={"nps": 3})
    compound = {signal.kind for signal, _ending in seen(two, *held).resolved}
    assert K.COMPOUND_RISK not in compound
    last = customer(usage=week(10))
    assert K.COMPOUND_RISK in {signal.kind for signal, _ending in seen(last, *held).resolved}


def test_old_warnings_together_are_old_too() -> None:
    held = [hold(sighting, is_baseline=True) for sighting in seen(customer(**THREE)).opened]
    members = [signal for signal in held if signal.kind is not K.COMPOUND_RISK]
    assert one(seen(customer(**THREE), *members), K.COMPOUND_RISK).is_baseline


def test_what_is_held_back_as_one_of_many_is_no_news_however_bad_it_gets() -> None:
    mild = one(seen(customer(commercial={"past_due_days": 3, "past_due_minor": 1})), K.INVOICE_PAST_DUE)
    held = hold(mild, is_baseline=True, is_held_back=True)
    worse = seen(customer(commercial={"past_due_days": 40, "past_due_minor": 1}), held)
    change = next(change for before, change in worse.updated if before is held)
    assert (change.severity, change.is_baseline) == (Severity.HIGH, True)


def test_what_is_switched_off_ends() -> None:
    held = hold(one(seen(customer(usage=week(10))), K.USAGE_DROP))
    off = ScoringPolicy(signals={K.USAGE_DROP: SignalPolicy(enabled=False)})
    assert [ending for _s, ending in look(customer(usage=week(10)), Outlook(off), [held]).resolved] == [
        Ending.EXPIRED
    ]


def test_after_a_gap_that_was_never_filled_a_detector_waits_for_days_of_its_own() -> None:
    fresh = everything_told()["usage"]
    lately = replace(fresh, fresh_from=AS_OF.date().replace(day=10))
    long_ago = replace(fresh, fresh_from=AS_OF.date().replace(day=1))
    for gap, opens in ((lately, False), (long_ago, True)):
        told = everything_told() | {"usage": gap}
        kinds = {one.kind for one in seen(customer(usage=week(10), freshness=told)).opened}
        assert (K.USAGE_DROP in kinds) is opens


SLOW = OwnSignal(
    "slow-payer", "Pays slowly", read_condition({"all": [{"field": "past_due_days", "at_least": 5}]})
)


def test_a_signal_of_ones_own_opens_with_what_it_saw_and_ends_after_three_quiet_days() -> None:
    late = customer(commercial={"past_due_days": 6, "past_due_minor": 1})
    found = next(one for one in seen(late, own=(SLOW,)).opened if one.kind is K.OWN)
    assert (found.key, found.title, found.evidence["values"]) == (
        "own:slow-payer", "Pays slowly", {"past_due_days": 6},
    )  # fmt: skip
    held = hold(found)
    assert seen(customer(), held, own=(SLOW,)).resolved == ()
    old = replace(held, evidence={"held_on": "2026-06-10"})
    assert [signal.id for signal, _ending in seen(customer(), old, own=(SLOW,)).resolved] == [held.id]


def test_a_signal_of_ones_own_abstains_with_its_source_and_ends_when_it_is_deleted() -> None:
    late = customer(commercial={"past_due_days": 6, "past_due_minor": 1})
    held = hold(next(one for one in seen(late, own=(SLOW,)).opened if one.kind is K.OWN))
    told = everything_told() | {"invoice": KindFreshness(provided=True, silent=True)}
    old = replace(held, evidence={"held_on": "2026-06-01"})
    assert seen(customer(freshness=told), old, own=(SLOW,)).resolved == ()
    assert [ending for _s, ending in seen(late, held).resolved] == [Ending.EXPIRED]
