"""Which notices are worth waking a customer's workflow for, and which can wait until it wakes anyway."""

from sqlalchemy import ColumnElement, Text, and_, cast, exists, func, or_
from sqlalchemy.dialects.postgresql import JSONB

from domain.case_vocabulary import CaseState
from domain.run_rulings import NO_PLAYBOOK
from domain.vocabulary import (
    HeadsUpState,
    InterventionState,
    NoticeKind,
    RiskTier,
    SignalKind,
    SignalState,
)
from models.tables.cases import CaseRow
from models.tables.ledger import OutboxRow
from models.tables.playbooks import InterventionRow, LifecycleRow, PlaybookRow, PlaybookVersionRow
from models.tables.scoring import SignalRow
from models.tables.work import HeadsUpRow

PATIENT = (NoticeKind.TOUCHPOINT, NoticeKind.PAYMENT)
"""Everyday news: they matter at once only to a run or a case that waits, or to a silence that they end.

Otherwise they move a deadline further away, which the workflow sees when it next looks. They are more than
half of all notices of a healthy portfolio, and each ring costs a signal, two workflow tasks and a decision.
"""
CALM = (RiskTier.LOW.value, "unscored")


def is_pressing() -> ColumnElement[bool]:
    """Tell of an outbox row whether its customer should be rung for it."""
    run, case = InterventionRow, CaseRow
    runs = exists().where(run.customer_id == OutboxRow.customer_id, run.state != InterventionState.ENDED)
    cases = exists().where(case.customer_id == OutboxRow.customer_id, case.state != CaseState.ENDED)
    waits = or_(runs, cases)
    everyday = and_(OutboxRow.kind.in_(PATIENT), ~waits, ~_has_open_signal(SignalKind.NO_CONTACT))
    quiet_end = and_(OutboxRow.kind == NoticeKind.INTERVENTION_ENDED, _is_calm())
    return ~or_(everyday, quiet_end, and_(_is_quiet_resolution(), ~waits))


def _is_quiet_resolution() -> ColumnElement[bool]:
    """Tell of a signal that nothing follows from its end: its warning is closed, no playbook opens by it."""
    version, warning = PlaybookVersionRow, HeadsUpRow
    opens = exists().where(
        version.playbook_key == PlaybookRow.key,
        version.version == PlaybookRow.current_version,
        PlaybookRow.archived_at.is_(None),
        version.document["trigger"]["resolved"].has_key(OutboxRow.payload["kind"].astext),
    )
    warned = exists().where(
        warning.customer_id == OutboxRow.customer_id,
        cast(warning.signal_id, Text) == OutboxRow.payload["signal_id"].astext,
        warning.state != HeadsUpState.CLOSED,
    )
    return and_(
        OutboxRow.kind == NoticeKind.SIGNAL_RESOLVED,
        _is_calm(),
        ~or_(opens, warned),
    )


def _is_calm() -> ColumnElement[bool]:
    """Tell whether nothing is wrong with a customer, and nothing was refused that may yet be granted."""
    row, nothing = LifecycleRow, cast({}, JSONB)
    refused = func.coalesce(row.state["refused"], nothing).op("-")(NO_PLAYBOOK)
    calm = exists().where(row.customer_id == OutboxRow.customer_id, row.phase.in_(CALM), refused == nothing)
    return and_(calm, ~_has_open_signal())


def _has_open_signal(*kinds: SignalKind) -> ColumnElement[bool]:
    signal = SignalRow
    wanted = [signal.kind.in_(kinds)] if kinds else []
    return exists().where(
        signal.customer_id == OutboxRow.customer_id, signal.state == SignalState.OPEN, *wanted
    )
