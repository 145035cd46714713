"""Which signals warn: one story, one warning."""

import uuid
from typing import Any

from domain.customer_state import CustomerState, HeardNotice, Memory, OpenSignal
from domain.directives import CloseHeadsUp, Directive, OpenHeadsUp
from domain.signal_warnings import COVERED, warn_of_signals
from domain.vocabulary import CustomerStatus, NoticeKind, Severity, SignalKind, TouchTier
from tests.support.features import AS_OF

K = SignalKind


def signal(kind: SignalKind, **changes: Any) -> OpenSignal:
    defaults: dict[str, Any] = {"dedupe_key": kind.value}
    return OpenSignal(
        uuid.uuid5(uuid.NAMESPACE_OID, kind), kind, Severity.MEDIUM, kind.value, AS_OF, **(defaults | changes)
    )


def state(*signals: OpenSignal, warned: tuple[str, ...] = ()) -> CustomerState:
    return CustomerState(
        customer_id=uuid.UUID(int=1), status=CustomerStatus.ACTIVE, touch_tier=TouchTier.MANAGED, tier=None,
        health_status=None, holdout=False, do_not_contact=False, is_observed=True, renewal_on=None,
        started_at=None, last_touch_at=None, watchlisted_at=None, signals=signals,
        heads_up_keys=frozenset(warned),
    )  # fmt: skip


def heard(*signals: OpenSignal) -> list[HeardNotice]:
    return [HeardNotice(NoticeKind.SIGNAL_OPENED, {"signal_id": str(one.id)}, AS_OF) for one in signals]


def opened(directives: list[Directive]) -> list[str]:
    return [one.dedupe_key for one in directives if isinstance(one, OpenHeadsUp)]


def closed(directives: list[Directive]) -> dict[str, str]:
    return {one.dedupe_key: one.reason for one in directives if isinstance(one, CloseHeadsUp)}


DROP, POOR, LATE = signal(K.USAGE_DROP), signal(K.POOR_SURVEY), signal(K.TICKET_OVERDUE)
TOGETHER = signal(K.COMPOUND_RISK)
ALL = (DROP, POOR, LATE, TOGETHER)


def test_a_compound_risk_replaces_the_warnings_of_its_members() -> None:
    before = state(*ALL, warned=("usage_drop", "poor_survey"))
    said, memory = warn_of_signals(before, heard(LATE, TOGETHER), Memory())
    assert opened(said) == ["compound_risk"]
    assert closed(said) == {"usage_drop": COVERED, "poor_survey": COVERED}
    assert set(memory.covered) == {str(one.id) for one in (DROP, POOR, LATE)}


def test_looking_again_says_nothing_new() -> None:
    _said, memory = warn_of_signals(state(*ALL), heard(*ALL), Memory())
    again, after = warn_of_signals(state(*ALL, warned=("compound_risk",)), [], memory)
    assert (again, after) == ([], memory)


def test_what_still_holds_comes_back_when_the_compound_risk_ends() -> None:
    _said, memory = warn_of_signals(state(*ALL), heard(*ALL), Memory())
    said, after = warn_of_signals(state(POOR, warned=("compound_risk",)), [], memory)
    assert opened(said) == ["poor_survey"]
    assert list(closed(said)) == ["compound_risk"]
    assert after.covered == ()


def test_a_warning_that_a_person_had_closed_does_not_come_back() -> None:
    _said, memory = warn_of_signals(state(*ALL), heard(LATE, POOR, TOGETHER), Memory())
    said, _after = warn_of_signals(state(DROP, POOR, warned=("compound_risk",)), [], memory)
    assert opened(said) == ["poor_survey"]


def test_an_old_compound_risk_has_warned_nobody_and_replaces_nothing() -> None:
    old = signal(K.COMPOUND_RISK, is_baseline=True)
    said, _memory = warn_of_signals(state(DROP, old), heard(DROP), Memory())
    assert opened(said) == ["usage_drop"]


def test_an_overdue_ticket_speaks_for_the_target_that_it_missed() -> None:
    missed = signal(K.SLA_BREACH)
    said, memory = warn_of_signals(state(LATE, missed), heard(LATE, missed), Memory())
    assert opened(said) == ["ticket_overdue"]
    later, _memory = warn_of_signals(state(missed, warned=("ticket_overdue",)), [], memory)
    assert opened(later) == []


def test_signals_of_ones_own_warn_one_by_one() -> None:
    first = signal(K.OWN, dedupe_key="own:first")
    said, _memory = warn_of_signals(state(first, warned=("own:gone",)), heard(first), Memory())
    assert opened(said) == ["own:first"]
    assert list(closed(said)) == ["own:gone"]


def test_what_is_only_worth_knowing_warns_nobody() -> None:
    low, blocked = signal(K.UPSELL_POTENTIAL_LOW), signal(K.EXPANSION_BLOCKER)
    assert warn_of_signals(state(low, blocked), heard(low, blocked), Memory())[0] == []
