"""Which notices are worth waking a customer's workflow for, and which can wait until it wakes anyway."""

from sqlalchemy import ColumnElement, exists

from domain.vocabulary import InterventionState, NoticeKind, SignalKind, SignalState
from models.tables.ledger import OutboxRow
from models.tables.playbooks import InterventionRow
from models.tables.scoring import SignalRow

PATIENT = (NoticeKind.TOUCHPOINT, NoticeKind.PAYMENT)
"""Everyday news: they matter at once only to a run that waits, or to a silence that they end.

Otherwise they move a deadline further away, which the workflow sees when it next looks. They are more than
half of all notices of a healthy portfolio, and each ring costs a signal, two workflow tasks and a decision.
"""


def is_pressing() -> ColumnElement[bool]:
    """Tell of an outbox row whether its customer should be rung for it."""
    run, signal = InterventionRow, SignalRow
    waits = exists().where(run.customer_id == OutboxRow.customer_id, run.state != InterventionState.ENDED)
    silent = exists().where(
        signal.customer_id == OutboxRow.customer_id,
        signal.kind == SignalKind.NO_CONTACT,
        signal.state == SignalState.OPEN,
    )
    return OutboxRow.kind.not_in(PATIENT) | waits | silent
