"""Unpaid invoices at every stage and ended every way, as dunning would leave them behind."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import Collection, FinalAction
from domain.case_vocabulary import AttemptResult, CaseKind, CaseOutcome, CaseState, PaidBy
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import (
    Channel,
    DecisionKind,
    Direction,
    EffectState,
    Purpose,
    Severity,
    StepState,
    TaskState,
    TouchpointState,
)
from models.tables.cases import CaseRow, CaseStepRow, DunningRow, PaymentAttemptRow
from models.tables.facts import InvoiceRow
from models.tables.ledger import DecisionRow, EffectRow, TouchpointRow
from models.tables.work import TaskRow
from tests.support.case_rows import SOURCE, case_id, case_row, days_ago
from tests.support.sample_scores import FAMILY
from tests.support.sample_win_backs import LEFT, add_win_backs

HOLD = "they dispute two of the seats"
LETTER = "payment-gentle"
UNPAID: tuple[tuple[int, str, int, str | None, int, str], ...] = (
    (1, "retrying", 4, "insufficient_funds", 2, "Try the card again"),
    (2, "needs_customer", 9, "expired_card", 1, "Send the second letter"),
    (3, "reminding", 12, None, 0, "Send the reminder of day 15"),
    (4, "grace", 21, "do_not_honor", 3, "Send the final notice"),
    (5, "retrying", 2, "processing_error", 1, "Try the card again"),
    (6, "needs_customer", 15, "authentication_required", 2, "Wait for the customer to confirm it"),
    (7, "retrying", 6, "insufficient_funds", 3, "Try the card again"),
    (8, "provider_retries", 3, "generic_decline", 0, "See what the provider's attempt comes to"),
)
"""Of which customer, at which stage, days late, why refused, attempts of ours, what comes next."""
ENDED: tuple[tuple[int, CaseOutcome, PaidBy | None, int], ...] = (
    (10, CaseOutcome.RECOVERED, PaidBy.EVERSTAY, 6),
    (11, CaseOutcome.RECOVERED, PaidBy.CUSTOMER, 9),
    (12, CaseOutcome.RECOVERED, PaidBy.PROVIDER, 40),
    (13, CaseOutcome.EXHAUSTED, None, 12),
    (14, CaseOutcome.WRITTEN_OFF, None, 50),
)


def _invoice(index: int, row: dict[str, Any], days: int, minor: int, now: BusinessInstant) -> dict[str, Any]:
    return {
        "id": uuid.uuid5(FAMILY, f"unpaid/{index}"),
        "source_id": SOURCE,
        "external_id": f"in_{index}",
        "content_hash": "0",
        "customer_id": row["id"],
        "known_at": days_ago(now, days),
        "received_at": WallInstant(now),
        "number": f"2026-{400 + index}",
        "currency": row["currency"],
        "amount_due_minor": minor,
        "status": "open",
        "issued_at": days_ago(now, days + 14),
        "due_at": days_ago(now, days),
    }


def _dunning(
    index: int, row: dict[str, Any], minor: int, now: BusinessInstant, **more: Any
) -> dict[str, Any]:
    base = {
        "case_id": case_id("dunning", index),
        "invoice_id": uuid.uuid5(FAMILY, f"unpaid/{index}"),
        "source_id": SOURCE,
        "collection": Collection.CHARGE,
        "currency": row["currency"],
        "opened_minor": minor,
        "remaining_minor": minor,
        "recovered_minor": 0,
        "anchored_at": days_ago(now, 5),
        "decline_code": None,
        "decline_advice": None,
        "final_action": FinalAction.PAUSE,
        "recovered_by": None,
    }
    return base | more


def _attempt(
    index: int, number: int, row: dict[str, Any], minor: int, at: BusinessInstant, **more: Any
) -> dict[str, Any]:
    base = {
        "id": uuid.uuid5(FAMILY, f"attempt/{index}/{number}"),
        "invoice_id": uuid.uuid5(FAMILY, f"unpaid/{index}"),
        "case_id": case_id("dunning", index),
        "number": number,
        "by": PaidBy.EVERSTAY,
        "card_key": f"card-{index}",
        "card_brand": "visa" if index % 2 else "mastercard",
        "amount_minor": minor,
        "currency": row["currency"],
        "result": AttemptResult.DECLINED,
        "decline_code": None,
        "advice_code": None,
        "made_at": at,
    }
    return base | more


async def _add_unpaid(session: AsyncSession, rows: list[dict[str, Any]], now: BusinessInstant) -> None:
    cases, invoices, dunnings, attempts = [], [], [], []
    for index, stage, days, code, tries, then in UNPAID:
        row = rows[index]
        minor, is_held = row["arr_minor"] // 12, index == 7
        hold = {
            "held_by_person": {"reason": HOLD, "by": "Jonas Weber", "since": days_ago(now, 1).isoformat()}
        }
        held = {"state": CaseState.HELD, "memory": hold, "held_reason": f"Held by Jonas Weber: {HOLD}"}
        going = {"expected_wake_at": days_ago(now, -1), "next_action": then}
        more = {"stage": stage, "opened_at": days_ago(now, days)} | (held if is_held else going)
        cases.append(case_row(CaseKind.DUNNING, index, row, now, **more))
        invoices.append(_invoice(index, row, days, minor, now))
        collection = Collection.CHARGE if code else Collection.TRANSFER
        advice = "confirm_card_data" if stage == "needs_customer" else None
        dunnings.append(
            _dunning(index, row, minor, now, collection=collection, decline_code=code, decline_advice=advice)
        )
        if code:
            first = {"by": PaidBy.PROVIDER, "decline_code": code, "advice_code": advice}
            attempts.append(_attempt(index, 0, row, minor, days_ago(now, days), **first))
        attempts += [
            _attempt(index, 1 + at, row, minor, days_ago(now, days - 1 - at), decline_code=code)
            for at in range(tries)
        ]
    await session.execute(insert(InvoiceRow), invoices)
    await session.execute(insert(CaseRow), cases)
    await session.execute(insert(DunningRow), dunnings)
    await session.execute(insert(PaymentAttemptRow), attempts)


async def _add_ended(session: AsyncSession, rows: list[dict[str, Any]], now: BusinessInstant) -> None:
    cases, invoices, dunnings, attempts = [], [], [], []
    for index, outcome, by, days in ENDED:
        row, minor, is_paid = rows[index], rows[index]["arr_minor"] // 12, by is not None
        ending = {
            "state": CaseState.ENDED,
            "stage": "final",
            "opened_at": days_ago(now, days + 8),
            "ended_at": days_ago(now, days),
            "outcome": outcome,
            "outcome_reason": "The invoice was paid" if is_paid else "Nothing more is tried",
        }
        cases.append(case_row(CaseKind.DUNNING, index, row, now, **ending))
        invoices.append(
            _invoice(index, row, days + 8, minor, now) | {"status": "paid" if is_paid else "open"}
        )
        paid = {"recovered_minor": minor, "remaining_minor": 0, "recovered_by": by}
        dunnings.append(
            _dunning(index, row, minor, now, anchored_at=days_ago(now, days + 8), **paid if is_paid else {})
        )
        result = {"by": by, "result": AttemptResult.SUCCEEDED}
        attempts += [_attempt(index, 1, row, minor, days_ago(now, days), **result)] if is_paid else []
    await session.execute(insert(InvoiceRow), invoices)
    await session.execute(insert(CaseRow), cases)
    await session.execute(insert(DunningRow), dunnings)
    await session.execute(insert(PaymentAttemptRow), attempts)


def _letter(
    contact: uuid.UUID, row: dict[str, Any], now: BusinessInstant
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """One letter that was opened: its effect, its touchpoint, its step."""
    case, at = case_id("dunning", 2), days_ago(now, 8)
    key = f"case/{case}/{LETTER}/1/{contact}"
    effect = {
        "key": key,
        "delivery_id": "sample-letter",
        "kind": "email",
        "payload_hash": "0",
        "customer_id": row["id"],
        "state": EffectState.CONFIRMED,
        "attempts": 1,
        "claimed_at": WallInstant(now),
        "provider": "sample",
    }
    touch = {
        "id": uuid.uuid5(FAMILY, "letter"),
        "source_id": SOURCE,
        "external_id": "letter-of-a-case",
        "content_hash": "0",
        "customer_id": row["id"],
        "contact_id": contact,
        "case_id": case,
        "effect_key": key,
        "direction": Direction.OUT,
        "channel": Channel.EMAIL,
        "purpose": Purpose.TRANSACTIONAL,
        "state": TouchpointState.OPENED,
        "subject": "Your payment did not go through",
        "template": LETTER,
        "occurred_at": at,
        "known_at": at,
    }
    return effect, touch, _step(case, LETTER, "letter", StepState.DONE, at)


def _step(case: uuid.UUID, step: str, kind: str, state: StepState, at: BusinessInstant) -> dict[str, Any]:
    return {
        "id": uuid.uuid5(FAMILY, f"{case}/{step}"),
        "case_id": case,
        "step": step,
        "occurrence": 1,
        "kind": kind,
        "state": state,
        "reason": "quiet_hours" if state is StepState.DEFERRED else None,
        "detail": {},
        "due_at": BusinessInstant(at + dt.timedelta(days=9)) if state is StepState.DEFERRED else None,
        "started_at": at,
        "finished_at": at if state is StepState.DONE else None,
    }


async def _add_trail(
    session: AsyncSession,
    rows: list[dict[str, Any]],
    contacts: dict[uuid.UUID, list[uuid.UUID]],
    now: BusinessInstant,
) -> None:
    """Write letters, a task and decisions of one case, and the decisions that opened all."""
    row, case = rows[2], case_id("dunning", 2)
    effect, touch, letter = _letter(contacts[row["id"]][0], row, now)
    await session.execute(insert(EffectRow), [effect])
    await session.execute(insert(TouchpointRow), [touch])
    put_off = _step(case, "payment-firm", "letter", StepState.DEFERRED, days_ago(now, 2))
    await session.execute(insert(CaseStepRow), [letter, put_off])
    task = {
        "id": uuid.uuid5(FAMILY, "task of a case"),
        "customer_id": row["id"],
        "case_id": case,
        "effect_key": f"case/{case}/call/1/task",
        "kind": "call",
        "title": "Call about an invoice that is not paid",
        "body": "Two letters were not answered.",
        "severity": Severity.HIGH,
        "assignee_id": row["csm_id"],
        "state": TaskState.OPEN,
        "created_at": days_ago(now, 1),
        "due_at": days_ago(now, -1),
    }
    await session.execute(insert(TaskRow), [task])
    opened = [
        {
            "id": uuid.uuid5(FAMILY, f"opened/{index}"),
            "customer_id": rows[index]["id"],
            "case_id": case_id("dunning", index),
            "decided_at": days_ago(now, days),
            "kind": DecisionKind.DIRECTIVE,
            "action": "open_case",
            "subject": "dunning",
            "reason": "payment_failed",
            "sentence": "Opened: the charge was refused and the invoice is due.",
            "evidence": {},
        }
        for index, _stage, days, *_ in UNPAID
    ]
    await session.execute(insert(DecisionRow), opened)


async def add_cases(
    session: AsyncSession,
    rows: list[dict[str, Any]],
    contacts: dict[uuid.UUID, list[uuid.UUID]],
    now: BusinessInstant,
) -> None:
    """Write cases of both kinds with what belongs to them, where the sample is large enough."""
    if len(rows) <= max(index for index, *_ in LEFT):
        return
    await _add_unpaid(session, rows, now)
    await _add_ended(session, rows, now)
    await add_win_backs(session, rows, now)
    await _add_trail(session, rows, contacts, now)
