"""Runs of playbooks with their steps, tasks, heads-ups, e-mails and decisions."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import (
    Channel,
    DecisionKind,
    Direction,
    HeadsUpState,
    HealthStatus,
    InterventionState,
    Motion,
    Outcome,
    Purpose,
    Severity,
    StepState,
    TaskState,
    TouchpointState,
)
from models.tables.ledger import DecisionRow, TouchpointRow
from models.tables.playbooks import InterventionRow, InterventionStepRow, PlaybookRow, PlaybookVersionRow
from models.tables.work import HeadsUpRow, TaskRow
from tests.support.sample_playbooks import stored_documents
from tests.support.sample_scores import FAMILY, WORDS

SOURCE = "sample"
BAD = (HealthStatus.AT_RISK, HealthStatus.NEEDS_ATTENTION)
RECEIPT = {
    "cancelled_steps": ["wait-for-call", "second-mail"],
    "cancelled_tasks": ["Call about falling use"],
    "cancelled_sends": [],
}
STEPS = {
    "low-engagement": (
        ("first-mail", "send_email", StepState.DONE, "sent", 5),
        ("wait-for-answer", "wait", StepState.DONE, "timeout", 5),
        ("call", "create_task", StepState.DONE, None, 2),
        ("wait-for-call", "wait", StepState.WAITING, None, 2),
    ),
    "escalated-save": (
        ("manager-knows", "notify", StepState.DONE, None, 3),
        ("executive-call", "create_task", StepState.DONE, None, 3),
        ("wait-for-call", "wait", StepState.WAITING, None, 3),
    ),
}


def _ago(now: BusinessInstant, days: float) -> BusinessInstant:
    return BusinessInstant(now - dt.timedelta(days=days))


async def _add_playbooks(session: AsyncSession, now: BusinessInstant, *, released: bool) -> None:
    documents = stored_documents()
    playbooks = [
        {
            "key": each["key"],
            "name": each["name"],
            "motion": Motion(each["motion"]),
            "current_version": 1,
            "released_at": _ago(now, 60) if released else None,
        }
        for each in documents
    ]
    await session.execute(insert(PlaybookRow), playbooks)
    versions = [
        {
            "id": uuid.uuid5(FAMILY, each["key"]),
            "playbook_key": each["key"],
            "version": 1,
            "document": each,
            "content_hash": "0",
            "published_at": _ago(now, 90),
        }
        for each in documents
    ]
    await session.execute(insert(PlaybookVersionRow), versions)


def _run(index: int, row: dict[str, Any], now: BusinessInstant, *, released: bool) -> dict[str, Any]:
    key = "escalated-save" if row["health_status"] is HealthStatus.AT_RISK else "low-engagement"
    ended = index in {12, 26}
    drivers = WORDS[row["health_status"]][2]
    causes: list[dict[str, Any]] = [{"tier": row["churn_risk_tier"].value}]
    causes += [{"family": family, "points": points} for family, _, points in drivers[:2]]
    state = InterventionState.RUNNING if released else InterventionState.PLANNED
    return {
        "id": uuid.uuid5(FAMILY, f"run/{index}"),
        "customer_id": row["id"],
        "playbook_key": key,
        "version_id": uuid.uuid5(FAMILY, key),
        "reason": f"tier:{row['churn_risk_tier'].value}",
        "causes": causes,
        "state": InterventionState.ENDED if ended else state,
        "position": {"step": "wait-for-call", "due_at": _ago(now, -2).isoformat(), "visits": {"call": 1}},
        "planned_at": _ago(now, 5.2),
        "started_at": _ago(now, 5) if released or ended else None,
        "expected_wake_at": None if ended or not released else _ago(now, 1.5 if index == 6 else -2),
        "ended_at": _ago(now, 1) if ended else None,
        "outcome": Outcome.SAVED if ended else None,
        "outcome_reason": "what opened this run has reversed and stayed so" if ended else None,
        "receipt": RECEIPT if ended else None,
    }


def _steps(run: dict[str, Any], now: BusinessInstant) -> list[dict[str, Any]]:
    if run["started_at"] is None:
        return []
    return [
        {
            "id": uuid.uuid5(run["id"], step),
            "intervention_id": run["id"],
            "step_id": step,
            "occurrence": 1,
            "kind": kind,
            "state": StepState.CANCELLED if run["outcome"] and state is StepState.WAITING else state,
            "reason": reason,
            "detail": {},
            "due_at": _ago(now, -2) if state is StepState.WAITING else None,
            "started_at": _ago(now, days),
            "finished_at": _ago(now, days) if state is StepState.DONE else None,
        }
        for step, kind, state, reason, days in STEPS[run["playbook_key"]]
    ]


def _task(index: int, row: dict[str, Any], run: dict[str, Any], now: BusinessInstant) -> dict[str, Any]:
    grave = row["health_status"] is HealthStatus.AT_RISK
    ended = run["outcome"] is not None
    due = _ago(now, (2.5, -0.2, -3)[index % 3])
    return {
        "id": uuid.uuid5(FAMILY, f"task/{index}"),
        "customer_id": row["id"],
        "intervention_id": run["id"],
        "effect_key": f"{run['id']}/call/1/{row['csm_id']}",
        "kind": "executive" if grave else "call",
        "title": f"Call the sponsor at {row['name']}" if grave else f"Call {row['name']} about falling use",
        "body": WORDS[row["health_status"]][0],
        "severity": Severity.CRITICAL if grave else Severity.HIGH,
        "assignee_id": row["csm_id"],
        "state": TaskState.CANCELLED if ended else TaskState.OPEN,
        "created_at": _ago(now, 3),
        "due_at": due,
        "closed_at": _ago(now, 1) if ended else None,
    }


def _heads_up(index: int, row: dict[str, Any], now: BusinessInstant) -> dict[str, Any]:
    neutral = row["health_status"] is HealthStatus.NEUTRAL
    return {
        "id": uuid.uuid5(FAMILY, f"heads-up/{index}"),
        "customer_id": row["id"],
        "dedupe_key": "no_contact" if neutral else "watchlist",
        "owner_id": row["csm_id"],
        "severity": Severity.MEDIUM,
        "title": "No contact for 36 days" if neutral else f"Churn risk has risen to {row['churn_risk_tier']}",
        "body": "Main reasons: " + "; ".join(each[1] for each in WORDS[row["health_status"]][2][:2]) + ".",
        "arr_minor": row["arr_minor"],
        "currency": row["currency"],
        "state": HeadsUpState.OPEN,
        "opened_at": _ago(now, 4),
    }


def _email(index: int, run: dict[str, Any], contact: uuid.UUID, now: BusinessInstant) -> dict[str, Any]:
    return {
        "id": uuid.uuid5(FAMILY, f"email/{index}"),
        "source_id": SOURCE,
        "external_id": f"email-{index}",
        "content_hash": "0",
        "customer_id": run["customer_id"],
        "contact_id": contact,
        "intervention_id": run["id"],
        "direction": Direction.OUT,
        "channel": Channel.EMAIL,
        "purpose": Purpose.LIFECYCLE,
        "state": TouchpointState.OPENED if index % 2 else TouchpointState.DELIVERED,
        "subject": "Is something in the way?",
        "template": "low-engagement",
        "occurred_at": _ago(now, 5),
        "known_at": _ago(now, 5),
    }


def _decisions(index: int, run: dict[str, Any], now: BusinessInstant) -> list[dict[str, Any]]:
    lines = (
        (
            DecisionKind.DIRECTIVE,
            "start_run",
            run["playbook_key"],
            "tier_high",
            5.2,
            "Started: risk is high and use is the main reason.",
        ),
        (
            DecisionKind.REFUSAL,
            "start_run",
            "renewal-check-in",
            "other_run_open",
            4.1,
            "Not started: another run already speaks with this customer.",
        ),
        (
            DecisionKind.DEFERRAL,
            "send_email",
            "second-mail",
            "quiet_hours",
            2.2,
            "Put off until 08:00 in Berlin: it is night there.",
        ),
    )
    return [
        {
            "id": uuid.uuid5(FAMILY, f"decision/{index}/{number}"),
            "customer_id": run["customer_id"],
            "intervention_id": run["id"] if kind is not DecisionKind.REFUSAL else None,
            "decided_at": _ago(now, days),
            "kind": kind,
            "action": action,
            "subject": subject,
            "reason": reason,
            "sentence": sentence,
            "evidence": {"tier": "high"},
        }
        for number, (kind, action, subject, reason, days, sentence) in enumerate(lines)
    ]


async def add_runs(
    session: AsyncSession,
    rows: list[dict[str, Any]],
    contacts: dict[uuid.UUID, list[uuid.UUID]],
    now: BusinessInstant,
    *,
    released: bool,
) -> None:
    """Write a run for every customer in trouble, with what belongs to it; heads-ups for the neutral too."""
    await _add_playbooks(session, now, released=released)
    bad = [(index, row) for index, row in enumerate(rows) if row["health_status"] in BAD]
    runs = [(index, row, _run(index, row, now, released=released)) for index, row in bad]
    await session.execute(insert(InterventionRow), [run for _, _, run in runs])
    await session.execute(insert(DecisionRow), [d for i, _, run in runs for d in _decisions(i, run, now)])
    started = [(index, row, run) for index, row, run in runs if run["started_at"] is not None]
    await session.execute(insert(InterventionStepRow), [s for _, _, run in started for s in _steps(run, now)])
    await session.execute(insert(TaskRow), [_task(i, row, run, now) for i, row, run in started])
    mailed = [each for each in started if each[2]["playbook_key"] == "low-engagement"]
    await session.execute(
        insert(TouchpointRow), [_email(i, run, contacts[row["id"]][0], now) for i, row, run in mailed]
    )
    warned = [
        (i, row) for i, row in enumerate(rows) if row["health_status"] in {HealthStatus.NEUTRAL, BAD[1]}
    ]
    await session.execute(insert(HeadsUpRow), [_heads_up(i, row, now) for i, row in warned])
