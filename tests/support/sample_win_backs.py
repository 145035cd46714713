"""Lost customers and offers in every state, as win-back would leave them behind."""

import uuid
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseKind, CaseOutcome, CaseState, OfferState
from domain.labels import Cause
from domain.time import BusinessInstant
from models.tables.cases import CaseRow, WinBackRow
from models.tables.runs import OfferRow
from tests.support.case_rows import SOURCE, case_id, case_row, days_ago
from tests.support.sample_scores import FAMILY

LEFT: tuple[tuple[int, str, CaseOutcome | None, bool, Cause, str | None], ...] = (
    (29, "letter_1", None, False, Cause.VOLUNTARY, "too_expensive"),
    (28, "watching", CaseOutcome.REACTIVATED, False, Cause.VOLUNTARY, "missing_features"),
    (27, "watching", CaseOutcome.LOST, False, Cause.INVOLUNTARY, None),
    (25, "held_out", None, True, Cause.VOLUNTARY, "unused"),
    (24, "held_out", CaseOutcome.LOST, True, Cause.VOLUNTARY, "switched_service"),
)


async def _add_left(session: AsyncSession, rows: list[dict[str, Any]], now: BusinessInstant) -> None:
    cases, win_backs = [], []
    for index, stage, outcome, is_held_out, cause, reason in LEFT:
        row, back = rows[index], outcome is CaseOutcome.REACTIVATED
        ended = {"state": CaseState.ENDED, "ended_at": days_ago(now, 3), "outcome": outcome}
        words = {"outcome_reason": "They subscribed again" if back else "The time to come back is over"}
        then = "Nothing: left alone by chance" if is_held_out else "Send letter 1"
        going = {"expected_wake_at": days_ago(now, -6), "next_action": then}
        more = {"stage": stage, "opened_at": days_ago(now, 9)} | (ended | words if outcome else going)
        cases.append(case_row(CaseKind.WIN_BACK, index, row, now, **more))
        win_backs.append(
            {
                "case_id": case_id("win_back", index),
                "number": 1,
                "cause": cause,
                "cancelled_at": days_ago(now, 9),
                "reason": reason,
                "lost_arr_minor": row["arr_minor"],
                "currency": row["currency"],
                "is_held_out": is_held_out,
                "returned_at": days_ago(now, 3) if back else None,
                "returned_arr_minor": row["arr_minor"] if back else None,
                "is_attributed": True if back else None,
            }
        )
    await session.execute(insert(CaseRow), cases)
    await session.execute(insert(WinBackRow), win_backs)


def _offer(
    index: int, row: dict[str, Any], state: OfferState, now: BusinessInstant, **more: Any
) -> dict[str, Any]:
    base = {
        "id": uuid.uuid5(FAMILY, f"offer/{index}/{state}"),
        "customer_id": row["id"],
        "intervention_id": None,
        "case_id": case_id("win_back", index),
        "effect_key": f"case/{case_id('win_back', index)}/grant/1/{state}",
        "kind": "discount",
        "title": "20 % off for 3 months",
        "percent": 20.0,
        "months": 3,
        "currency": row["currency"],
        "cost_minor": row["arr_minor"] // 20,
        "margin": 0.68,
        "evidence": {"rung": "rung 2 of 4", "tenure": "16 months a customer", "reason": "too expensive"},
        "source_id": SOURCE,
        "code": f"BACK-{index}",
        "state": state,
        "proposed_at": days_ago(now, 7),
        "decided_at": days_ago(now, 6),
        "decided_by_id": None,
        "expires_at": days_ago(now, -20),
        "redeemed_at": None,
    }
    return base | more


async def _add_offers(session: AsyncSession, rows: list[dict[str, Any]], now: BusinessInstant) -> None:
    waits = {"decided_at": None, "expires_at": None, "code": None}
    decided_by = {"decided_by_id": rows[27]["csm_id"], "proposed_at": days_ago(now, 40)}
    offers = [
        _offer(29, rows[29], OfferState.PROPOSED, now, **waits),
        _offer(28, rows[28], OfferState.REDEEMED, now, redeemed_at=days_ago(now, 3)),
        _offer(27, rows[27], OfferState.EXPIRED, now, expires_at=days_ago(now, 10), **decided_by),
        _offer(29, rows[29], OfferState.REFUSED, now, evidence={}, margin=None),
    ]
    await session.execute(insert(OfferRow), offers)


async def add_win_backs(session: AsyncSession, rows: list[dict[str, Any]], now: BusinessInstant) -> None:
    """Write customers that have left, and what they were offered."""
    await _add_left(session, rows, now)
    await _add_offers(session, rows, now)
