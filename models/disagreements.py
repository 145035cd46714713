"""Remembers where health, risk and the CSM's forecast differ, and puts what lasts to a person, once."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.disagreement import (
    RULES,
    Held,
    Step,
    Voices,
    next_step,
    stance_of_forecast,
    stance_of_health,
    stance_of_risk,
)
from domain.labels import churn_label
from domain.scoring_policy import DisagreementPolicy, ScoringPolicy
from domain.stances import Forecast, Stance
from domain.time import BusinessInstant, after
from domain.vocabulary import (
    CustomerStatus,
    DecisionKind,
    HealthStatus,
    RiskTier,
    Severity,
    TaskOutcome,
    TaskState,
)
from models.arrays import among_ids
from models.changes import announce_change
from models.decisions import Decision, record_decisions
from models.heads_up_owners import owner_of_warning
from models.relations import load_relations
from models.tables.judgement import DisagreementRow
from models.tables.work import TaskRow

TASK_KIND = "verdict"
"""A question: yes, expect them to leave; or no, expect them to stay."""
ANSWERS = {TaskOutcome.APPROVED: Stance.LEAVING, TaskOutcome.REJECTED: Stance.STAYING}
ONE_BY_ONE = frozenset({Step.OPEN, Step.ANSWER, Step.SETTLE})
MOST_JUDGED = 500
"""Old decisions that one night looks up the outcome of."""


@dataclass(frozen=True)
class Seen:
    """One customer tonight: what the three views say, and what is remembered."""

    customer_id: uuid.UUID
    name: str
    csm_id: uuid.UUID | None
    voices: Voices
    row_id: uuid.UUID | None
    task_id: uuid.UUID | None
    held: Held | None
    answered_by: uuid.UUID | None


async def reconcile(session: AsyncSession, policy: ScoringPolicy, now: BusinessInstant) -> dict[str, int]:
    """Take every customer one step on; return how many took which. The second time there is none."""
    rules = policy.disagreement
    steps = _steps(await _look(session, rules, now), rules, now)
    for step, some in steps.items():
        await _take(session, step, some, rules, now)
    took = {step.value: len(some) for step, some in steps.items()}
    judged = await judge(session, policy.risk.horizon_days, now)
    took |= {"judged": judged} if judged else {}
    if took:
        await announce_change(session)
    return took


def _steps(seen: Sequence[Seen], rules: DisagreementPolicy, now: BusinessInstant) -> dict[Step, list[Seen]]:
    """Return who takes which step; those who are asked first have the largest revenue, as room allows."""
    room = rules.most_open - sum(one.held is not None and _waits(one.held) for one in seen)
    found: dict[Step, list[Seen]] = {}
    for one in seen:
        step = next_step(one.held, one.voices, now, rules)
        if step is not Step.NOTHING:
            found.setdefault(step, []).append(one)
    asked = found.pop(Step.OPEN, [])[: max(room, 0)]
    return found | ({Step.OPEN: asked} if asked else {})


def _waits(held: Held) -> bool:
    return held.opened_at is not None and held.decided is None


async def _look(session: AsyncSession, rules: DisagreementPolicy, now: BusinessInstant) -> list[Seen]:
    oldest = now - dt.timedelta(days=rules.forecast_days)
    rows = await session.execute(text(_SEEN), {"oldest": oldest, "now": now})
    return [_seen(row) for row in rows.mappings()]


_SEEN = """
SELECT customer.id, customer.name, customer.csm_id, customer.status, customer.health_status,
       customer.churn_risk_tier, said.forecast, assessed.limited_since,
       held.id AS row_id, held.health, held.risk, held.csm, held.began_at, held.opened_at, held.due_at,
       held.decided, held.quiet_since, held.task_id,
       task.outcome AS answer, task.closed_by_id AS answered_by
FROM customers AS customer
LEFT JOIN LATERAL (SELECT forecast FROM forecasts
                   WHERE customer_id = customer.id AND said_at >= :oldest AND said_at <= :now
                   ORDER BY said_at DESC LIMIT 1) AS said ON true
LEFT JOIN disagreements AS held ON held.customer_id = customer.id AND held.ended_at IS NULL
LEFT JOIN LATERAL (SELECT limited_since FROM assessments WHERE customer_id = customer.id
                   ORDER BY assessed_at DESC LIMIT 1) AS assessed ON true
LEFT JOIN tasks AS task ON task.id = held.task_id AND task.state = 'done'
WHERE held.id IS NOT NULL
   OR customer.status <> 'churned' AND
      CASE WHEN customer.health_status IN ('thriving', 'engaged') OR customer.churn_risk_tier = 'low'
                OR said.forecast = 'will_renew' THEN true ELSE false END AND
      CASE WHEN customer.health_status IN ('needs_attention', 'at_risk')
                OR customer.churn_risk_tier IN ('high', 'critical')
                OR said.forecast IN ('at_risk', 'will_leave') THEN true ELSE false END
ORDER BY customer.arr_minor DESC, customer.id
"""
"""Whoever may disagree, and whoever is remembered; the stances themselves are the domain's."""


def _seen(row: RowMapping) -> Seen:
    return Seen(
        row["id"], row["name"], row["csm_id"], _voices(row), row["row_id"], row["task_id"], _held(row),
        row["answered_by"],
    )  # fmt: skip


def _voices(row: RowMapping) -> Voices:
    """Return the three views; of a customer that has left nobody says anything any more."""
    if row["status"] == CustomerStatus.CHURNED:
        return Voices(Stance.NONE, Stance.NONE, Stance.NONE)
    status, tier, forecast = row["health_status"], row["churn_risk_tier"], row["forecast"]
    return Voices(
        stance_of_health(HealthStatus(status) if status else None, limited=row["limited_since"] is not None),
        stance_of_risk(RiskTier(tier) if tier else None),
        stance_of_forecast(Forecast(forecast) if forecast else None),
    )


def _held(row: RowMapping) -> Held | None:
    if row["row_id"] is None:
        return None
    answer = row["answer"]
    return Held(
        voices=Voices(Stance(row["health"]), Stance(row["risk"]), Stance(row["csm"])),
        began_at=row["began_at"],
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        decided=Stance(row["decided"]) if row["decided"] else None,
        quiet_since=row["quiet_since"],
        answer=ANSWERS.get(TaskOutcome(answer)) if answer else None,
    )


async def _take(
    session: AsyncSession, step: Step, some: list[Seen], rules: DisagreementPolicy, now: BusinessInstant
) -> None:
    """Take many customers the same step: at once where there may be thousands."""
    if step in {Step.FORGET, Step.BEGIN_ANEW}:
        await _forget(session, [one for one in some if not _asked(one)])
    if step in {Step.END, Step.BEGIN_ANEW}:
        await _end(session, [one for one in some if _asked(one)], now)
    if step in {Step.BEGIN, Step.BEGIN_ANEW}:
        await _begin(session, some, now)
    if step in {Step.QUIET, Step.LOUD}:
        await _change(session, some, quiet_since=now if step is Step.QUIET else None)
    for one in some if step in ONE_BY_ONE else ():
        await _ask_or_decide(session, one, step, rules, now)


async def _ask_or_decide(
    session: AsyncSession, one: Seen, step: Step, rules: DisagreementPolicy, now: BusinessInstant
) -> None:
    if step is Step.OPEN:
        await _open(session, one, rules, now)
    elif step is Step.ANSWER:
        await _answer(session, one, now)
    else:
        await _settle(session, one, rules, now)


def _asked(one: Seen) -> bool:
    return one.held is not None and one.held.opened_at is not None


async def _begin(session: AsyncSession, some: list[Seen], now: BusinessInstant) -> None:
    rows = [
        {"id": uuid.uuid4(), "customer_id": one.customer_id, "began_at": now, **vars(one.voices)}
        for one in some
    ]
    await session.execute(insert(DisagreementRow), rows)


async def _forget(session: AsyncSession, some: list[Seen]) -> None:
    row = DisagreementRow
    await session.execute(delete(row).where(among_ids(row.id, _ids(some))))


async def _change(session: AsyncSession, some: list[Seen], **values: Any) -> None:
    row = DisagreementRow
    await session.execute(update(row).where(among_ids(row.id, _ids(some))).values(**values))


def _ids(some: list[Seen]) -> list[uuid.UUID]:
    return [one.row_id for one in some if one.row_id is not None]


async def _open(session: AsyncSession, one: Seen, rules: DisagreementPolicy, now: BusinessInstant) -> None:
    """Ask whoever looks after the customer; the row's own id makes the task appear once."""
    due = after(now, dt.timedelta(days=rules.decision_days))
    said = one.voices.sentence()
    body = (
        f"For {rules.lasting_days} days now: {said}. Say what you expect; without an answer, "
        f"{RULES[rules.settle]}."
    )
    task_id = uuid.uuid4()
    await session.execute(
        insert(TaskRow).values(
            id=task_id,
            customer_id=one.customer_id,
            effect_key=f"disagreement/{one.row_id}",
            kind=TASK_KIND,
            title=f"Do you expect {one.name} to leave?",
            body=body,
            severity=Severity.HIGH,
            assignee_id=await owner_of_warning(session, one.csm_id, now),
            state=TaskState.OPEN,
            created_at=now,
            due_at=due,
        )
    )
    await _change(session, [one], task_id=task_id, opened_at=now, due_at=due)


async def _answer(session: AsyncSession, one: Seen, now: BusinessInstant) -> None:
    decided = one.held.answer if one.held else None
    await _change(session, [one], decided=decided, decided_at=now, decided_by_id=one.answered_by)
    if decided is not None:
        await _note(session, one, decided, "a person", now)


async def _settle(session: AsyncSession, one: Seen, rules: DisagreementPolicy, now: BusinessInstant) -> None:
    """Let the policy decide, and take the question off the desk, saying so."""
    held = one.held.voices if one.held else one.voices
    decided = held.settled(rules)
    await _change(session, [one], decided=decided, decided_at=now, by_policy=rules.settle)
    note = f"Nobody answered in time, so {RULES[rules.settle]}: expect them to be {decided.value}."
    await _close_tasks(session, [one], note, now)
    await _note(session, one, decided, f"the policy ({RULES[rules.settle]})", now)


async def _end(session: AsyncSession, some: list[Seen], now: BusinessInstant) -> None:
    await _change(session, some, ended_at=now)
    await _close_tasks(session, some, "They do not disagree any more.", now)


async def _close_tasks(session: AsyncSession, some: list[Seen], note: str, now: BusinessInstant) -> None:
    waiting = TaskRow.state.in_((TaskState.OPEN, TaskState.SNOOZED))
    tasks = [one.task_id for one in some if one.task_id is not None]
    closed = update(TaskRow).where(among_ids(TaskRow.id, tasks), waiting)
    await session.execute(closed.values(state=TaskState.CANCELLED, note=note, closed_at=now))


async def _note(session: AsyncSession, one: Seen, decided: Stance, who: str, now: BusinessInstant) -> None:
    voices = one.held.voices if one.held else one.voices
    sentence = f"Expect them to be {decided.value}, says {who}: {voices.sentence()}."
    evidence = {name: stance.value for name, stance in voices.said().items()}
    reason = "disagreement_settled" if who.startswith("the policy") else "disagreement_answered"
    decision = Decision(
        one.customer_id, DecisionKind.DIRECTIVE, "decide", "disagreement", reason, sentence, evidence
    )
    await record_decisions(session, [decision], now)


async def judge(session: AsyncSession, horizon_days: int, now: BusinessInstant) -> int:
    """Note who was right, where it is known by now whether the customer left; return how many."""
    row = DisagreementRow
    query = (
        select(row.id, row.customer_id, row.opened_at)
        .where(row.opened_at.is_not(None), row.judged_at.is_(None))
        .order_by(row.opened_at)
        .limit(MOST_JUDGED)
    )
    waiting = [one for one in (await session.execute(query)).all() if one.opened_at is not None]
    relations = await load_relations(session, {one.customer_id for one in waiting}) if waiting else {}
    judged = 0
    for one in waiting:
        label = churn_label(relations[one.customer_id], one.opened_at, horizon_days, now)
        if label.value is not None:
            values = {"left": label.value, "judged_at": now}
            await session.execute(update(row).where(row.id == one.id).values(values))
            judged += 1
    return judged


def is_right(stance: Stance, *, left: bool) -> bool:
    """Tell whether a view was right about a customer who left, or stayed."""
    return (stance is Stance.LEAVING) == left
