import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.features import AdoptionNumbers, CustomerFeatures
from domain.scoring_policy import ScoringPolicy, SignalPolicy, Thresholds
from domain.signal_catalogue import CATALOGUE
from domain.signal_families import FAMILIES
from domain.signal_readings import Ending
from domain.signals import HeldSignal, Outlook, Sighting, SignalChanges, look
from domain.signals_people import no_contact
from domain.time import BusinessInstant
from domain.vocabulary import Segment, Severity, SignalKind, TouchTier
from tests.support.features import AS_OF, LONG_AGO, customer, everything_told, week

POLICY = ScoringPolicy()
SITUATIONS: dict[SignalKind, dict[str, Any]] = {
    SignalKind.USAGE_DROP: {"usage": week(10)},
    SignalKind.LOGIN_SILENCE: {"usage": {"days_since_last": 15, "active_days_7": 0}},
    SignalKind.FEATURE_DROP_OFF: {"usage": {"dropped": ("export",)}},
    SignalKind.ONBOARDING_STALL: {"tenure_days": 50, "is_onboarded": False, "has_first_value": False},
    SignalKind.TICKET_OVERDUE: {"support": {"overdue": 1, "oldest_overdue_days": 2}},
    SignalKind.SUPPORT_SURGE: {"support": {"opened_30": 6, "opened_usual": 1.0}},
    SignalKind.SENTIMENT_DROP: {"sentiment": {"tickets": -0.4, "tickets_before": 0.3}},
    SignalKind.POOR_SURVEY: {"sentiment": {"nps": 4}},
    SignalKind.CHAMPION_LEFT: {"relationship": {"champions": 0, "champion_left_days": 3}},
    SignalKind.EXECUTIVE_SILENCE: {"relationship": {"executive_days": 130}},
    SignalKind.QBR_MISSED: {"relationship": {"qbr_missed": 1, "qbr_missed_days": 4}},
    SignalKind.LIMIT_PROXIMITY: {"usage": {"limit_metric": "seats", "limit_share": 0.95}},
    SignalKind.USAGE_SURGE: {"usage": week(140)},
    SignalKind.BREADTH_GROWTH: {"usage": {"features_28": 8, "features_before": 4}},
    SignalKind.CONTRACT_STAGNATION: {
        "commercial": {"unchanged_days": 400},
        "usage": {"weeks": (90.0,) * 4 + (60.0,) * 9},
    },
    SignalKind.INVOICE_PAST_DUE: {"commercial": {"past_due_days": 3, "past_due_minor": 100}},
    SignalKind.PAYMENT_FAILING: {"commercial": {"failed_attempts": 2}},
    SignalKind.SLA_BREACH: {"support": {"breached_30": 1, "breached_days": 3}},
    SignalKind.TICKET_UNRESOLVED: {"support": {"oldest_open_days": 15}},
    SignalKind.ADOPTION_LAG: {"adoption": AdoptionNumbers(("export", "sync"), 12)},
    SignalKind.UPSELL_POTENTIAL_LOW: {"usage": {"users_peak_28": 2}},
    SignalKind.EXPANSION_BLOCKER: {
        "usage": {"limit_share": 0.85},
        "commercial": {"past_due_days": 3, "past_due_minor": 100},
    },
}


def seen(features: CustomerFeatures, *held: HeldSignal, is_first: bool = False) -> SignalChanges:
    return look(features, Outlook(POLICY, is_first=is_first), held)


def hold(sighting: Sighting) -> HeldSignal:
    return HeldSignal(
        uuid.uuid4(), sighting.kind, sighting.key, sighting.severity, sighting.title,
        dict(sighting.evidence), sighting.is_baseline,
    )  # fmt: skip


def opened(kind: SignalKind) -> HeldSignal:
    return next(hold(one) for one in seen(customer(**SITUATIONS[kind])).opened if one.kind is kind)


def test_the_catalogue_has_every_kind_but_those_that_the_workflow_opens_or_the_tenant_declares() -> None:
    assert {spec.kind for spec in CATALOGUE} == set(SignalKind) - {SignalKind.NO_CONTACT, SignalKind.OWN}
    whole = {SignalKind.HEALTH_DROP, SignalKind.COMPOUND_RISK, SignalKind.OWN}
    assert set(FAMILIES) == set(SignalKind) - whole


def test_a_customer_in_good_standing_shows_nothing() -> None:
    assert seen(customer()) == SignalChanges()


@pytest.mark.parametrize("kind", SITUATIONS)
def test_each_kind_opens_in_its_situation_with_title_and_evidence(kind: SignalKind) -> None:
    found = [one for one in seen(customer(**SITUATIONS[kind])).opened if one.kind is kind]
    assert len(found) == 1
    assert found[0].title[0].isupper() or found[0].title[0].isdigit()
    assert found[0].evidence
    assert not found[0].is_baseline


@pytest.mark.parametrize("kind", SITUATIONS)
def test_what_goes_on_is_not_opened_again_nor_changed(kind: SignalKind) -> None:
    held = [hold(one) for one in seen(customer(**SITUATIONS[kind])).opened]
    assert seen(customer(**SITUATIONS[kind]), *held) == SignalChanges()


@pytest.mark.parametrize("kind", SITUATIONS)
def test_each_kind_ends_when_its_cause_is_gone(kind: SignalKind) -> None:
    held = opened(kind)
    gone = {"used_7": frozenset({"export"})} if kind is SignalKind.FEATURE_DROP_OFF else {}
    if kind is SignalKind.ADOPTION_LAG:
        features = customer(adoption=AdoptionNumbers((), 12))
    elif kind is SignalKind.CONTRACT_STAGNATION:
        features = customer(commercial={"unchanged_days": 3})
    else:
        features = customer(usage=gone)
    assert [signal.id for signal, _ending in seen(features, held).resolved] == [held.id]


@pytest.mark.parametrize("kind", SITUATIONS)
def test_each_kind_abstains_when_its_source_is_silent(kind: SignalKind) -> None:
    spec = next(spec for spec in CATALOGUE if spec.kind is kind)
    told = {name: replace(fresh, silent=name in spec.needs) for name, fresh in everything_told().items()}
    assert kind not in {one.kind for one in seen(customer(**SITUATIONS[kind], freshness=told)).opened}
    held = opened(kind)
    assert held.id not in {signal.id for signal, _e in seen(customer(freshness=told), held).resolved}


def flicker(low: float, high: float) -> tuple[int, int]:
    """Look twenty times at a value that jumps; return how often a signal opened and ended."""
    held: list[HeldSignal] = []
    counts = [0, 0]
    for turn in range(20):
        changes = seen(customer(usage=week(low if turn % 2 == 0 else high)), *held)
        held += [hold(one) for one in changes.opened]
        ended = {signal.id for signal, _ending in changes.resolved}
        held = [signal for signal in held if signal.id not in ended]
        counts[0] += len(changes.opened)
        counts[1] += len(ended)
    return counts[0], counts[1]


def test_flicker_over_the_open_threshold_opens_one_signal_and_ends_none() -> None:
    assert flicker(41, 43) == (1, 0)


def test_flicker_over_the_close_threshold_alone_opens_nothing() -> None:
    assert flicker(55, 65) == (0, 0)


@given(st.lists(st.floats(44, 59), min_size=1, max_size=20))
def test_between_the_thresholds_nothing_opens_and_nothing_ends(levels: list[float]) -> None:
    held = opened(SignalKind.USAGE_DROP)
    for level in levels:
        assert seen(customer(usage=week(level))).opened == ()
        assert seen(customer(usage=week(level)), held).resolved == ()


def test_recovery_is_measured_against_the_level_before_the_fall() -> None:
    held = opened(SignalKind.USAGE_DROP)
    fallen = customer(usage={"weeks": (12.0,) + (10.0,) * 9 + (70.0,) * 3})
    assert seen(fallen, held).resolved == ()


def test_a_fall_that_lasts_becomes_the_new_normal_and_is_no_return() -> None:
    held = opened(SignalKind.USAGE_DROP)
    settled = seen(customer(usage={"weeks": (10.0,) * 13}), held)
    assert [ending for _signal, ending in settled.resolved] == [Ending.NEW_NORMAL]
    assert settled.returns == ()


def test_people_who_come_back_are_a_return() -> None:
    held = opened(SignalKind.LOGIN_SILENCE)
    back = seen(customer(usage={"days_since_last": 0, "active_days_7": 2}), held)
    assert [signal.id for signal in back.returns] == [held.id]


def test_one_stray_login_is_no_return_yet() -> None:
    held = opened(SignalKind.LOGIN_SILENCE)
    stray = seen(customer(usage={"days_since_last": 1, "active_days_7": 1}), held)
    assert stray.resolved == ()


def test_an_invoice_that_is_paid_is_no_return_of_people() -> None:
    held = opened(SignalKind.INVOICE_PAST_DUE)
    assert seen(customer(), held).returns == ()


def test_an_answer_that_is_too_old_expires() -> None:
    held = opened(SignalKind.POOR_SURVEY)
    endings = [
        ending for _s, ending in seen(customer(sentiment={"nps": None, "nps_on": None}), held).resolved
    ]
    assert endings == [Ending.EXPIRED]


def test_silence_is_not_the_loss_of_every_feature() -> None:
    quiet = {"days_since_last": 20, "active_days_7": 0, "dropped": ("a", "b")}
    kinds = {one.kind for one in seen(customer(usage=quiet)).opened}
    assert kinds == {SignalKind.LOGIN_SILENCE}


def test_a_customer_who_comes_once_a_month_is_not_silent_after_a_fortnight() -> None:
    monthly = {"days_since_last": 20, "active_days_7": 0, "usual_gap_days": 28.0}
    assert seen(customer(usage=monthly)).opened == ()


def test_each_dropped_feature_is_a_signal_of_its_own() -> None:
    found = seen(customer(usage={"dropped": ("export", "sync")})).opened
    assert [one.key for one in found] == ["feature_drop_off:export", "feature_drop_off:sync"]


def test_on_the_first_look_everything_is_baseline() -> None:
    assert all(one.is_baseline for one in seen(customer(usage=week(5)), is_first=True).opened)


def test_what_is_older_than_the_connection_is_baseline_and_becomes_news_when_it_gets_worse() -> None:
    connected = replace(everything_told()["invoice"], connected_at=AS_OF)
    told = everything_told() | {"invoice": connected}
    old = seen(customer(commercial={"past_due_days": 3}, freshness=told)).opened[0]
    assert old.is_baseline
    later = replace(connected, connected_at=LONG_AGO)
    worse = customer(commercial={"past_due_days": 40}, freshness=told | {"invoice": later})
    held, change = seen(worse, hold(old)).updated[0]
    assert (held.is_baseline, change.is_baseline, change.severity) == (True, False, Severity.HIGH)


def test_a_tenant_can_switch_a_kind_off_and_tune_it() -> None:
    off = ScoringPolicy(signals={SignalKind.USAGE_DROP: SignalPolicy(enabled=False)})
    assert look(customer(usage=week(5)), Outlook(off), ()).opened == ()
    strict = SignalPolicy(thresholds={Segment.MID_MARKET: Thresholds(open=0.95, close=0.99, severe=0.1)})
    tuned = ScoringPolicy(signals={SignalKind.USAGE_DROP: strict})
    assert len(look(customer(usage=week(60)), Outlook(tuned), ()).opened) == 1


def test_silence_of_a_strategic_customer_weighs_more() -> None:
    touched = BusinessInstant(AS_OF - dt.timedelta(days=40))
    severity, title, evidence = no_contact(touched, 30, TouchTier.STRATEGIC)
    assert (severity, evidence["since"]) == (Severity.HIGH, "2026-05-06")
    assert title == "Nobody has spoken with this customer for 30 days"
    assert no_contact(None, 60, TouchTier.TECH_TOUCH)[0] is Severity.MEDIUM
