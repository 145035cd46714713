"""Rows of cases of any kind, for samples."""

import datetime as dt
import uuid
from typing import Any

from domain.case_vocabulary import CaseKind, CaseState
from domain.time import BusinessInstant
from tests.support.sample_scores import FAMILY

SOURCE = "sample"
POLICY = {"retries": {"attempts": 8}}


def case_id(kind: str, index: int) -> uuid.UUID:
    """The same id for the same case of the sample."""
    return uuid.uuid5(FAMILY, f"{kind}/{index}")


def days_ago(now: BusinessInstant, days: float) -> BusinessInstant:
    """So many days before the sample's now."""
    return BusinessInstant(now - dt.timedelta(days=days))


def case_row(
    kind: CaseKind, index: int, row: dict[str, Any], now: BusinessInstant, **more: Any
) -> dict[str, Any]:
    """One case that is open, with whatever is different about it."""
    base = {
        "id": case_id(kind.value, index),
        "kind": kind,
        "customer_id": row["id"],
        "subject": f"{kind.value}-{index}",
        "workflow_id": f"{kind.value.replace('_', '-')}/{index}",
        "state": CaseState.OPEN,
        "policy": POLICY if kind is CaseKind.DUNNING else {},
        "memory": {},
        "advance_seq": 3,
        "last_result": None,
        "held_reason": None,
        "opened_at": days_ago(now, 5),
        "expected_wake_at": None,
        "next_action": None,
        "ended_at": None,
        "outcome": None,
        "outcome_reason": None,
    }
    return base | more
