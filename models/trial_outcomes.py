"""Fills in what became of assignments once their windows have passed: set-wise, each label once."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Row, exists, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain import trial_labels as rules
from domain.time import BusinessInstant, after
from domain.trial_labels import Became, Measure, TrialLabel, late_label
from domain.vocabulary import InterventionState
from models.relations import load_relations
from models.tables.playbooks import InterventionRow, PlaybookVersionRow
from models.tables.trials import AssignmentRow, TrialOutcomeRow

BATCH = 2_000

_RECOVERED = text("""
WITH due AS (
    SELECT id, customer_id, CAST(assigned_at AT TIME ZONE 'UTC' AS date) AS day, assigned_at
    FROM assignments AS one
    WHERE assigned_at <= :until AND case_id IS NULL
      AND NOT EXISTS (SELECT FROM trial_outcomes WHERE assignment_id = one.id AND measure = 'recovered')
    ORDER BY assigned_at, id
    LIMIT :batch
), weeks AS (
    SELECT due.id, due.day, due.assigned_at, week.place, COALESCE(sum(used.quantity), 0) AS quantity
    FROM due
    CROSS JOIN generate_series(-1 - :usual, 1) AS week(place)
    LEFT JOIN usage_daily AS used
      ON used.customer_id = due.customer_id
     AND used.day >= due.day + week.place * 7 AND used.day < due.day + (week.place + 1) * 7
     AND used.feature NOT IN (SELECT feature FROM metrics WHERE kind = 'gauge')
    GROUP BY due.id, due.day, due.assigned_at, week.place
), told AS (
    SELECT id, day, assigned_at,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY quantity) FILTER (WHERE place < -1) AS usual,
           count(*) FILTER (WHERE place < -1 AND quantity > 0) AS used_weeks,
           max(quantity) FILTER (WHERE place = -1) AS before,
           max(quantity) FILTER (WHERE place = 1) AS later
    FROM weeks GROUP BY id, day, assigned_at
), judged AS (
    SELECT id, assigned_at,
           CASE WHEN usual > 0 AND used_weeks >= :least AND before < :fallen * usual
                 AND NOT EXISTS (
                   SELECT FROM kind_silences
                   WHERE kind = 'usage' AND since < told.day + :days
                     AND (until IS NULL OR until > told.day - 7))
                THEN later >= :fallen * usual END AS is_good
    FROM told
)
INSERT INTO trial_outcomes (assignment_id, measure, label, is_good, matured_at, known_at)
SELECT id, 'recovered', CASE WHEN is_good THEN 'recovered' WHEN NOT is_good THEN 'no_change' END, is_good,
       assigned_at + CAST(:window AS interval), :now
FROM judged
ON CONFLICT DO NOTHING
RETURNING 1
""")


async def label_recoveries(session: AsyncSession, now: BusinessInstant) -> int:
    """Say of one batch whether use that had fallen was back in the second week; return how many were due.

    Who had no usual week, or had not fallen, or whose use nobody told, has no early label: all of that is
    known at the assignment, so that the arms stay comparable. Who has left has none either: use that had not
    fallen is no news of them.
    """
    window = rules.WINDOWS[Measure.RECOVERED]
    values = {
        "until": after(now, -window),
        "batch": BATCH,
        "usual": rules.USUAL_WEEKS,
        "least": rules.LEAST_WEEKS,
        "fallen": rules.FALLEN,
        "days": rules.RECOVERY_DAYS,
        "window": window,
        "now": now,
    }
    return len((await session.execute(_RECOVERED, values)).all())


async def label_stays(session: AsyncSession, now: BusinessInstant) -> int:
    """Say of one batch whether the customer is still there after 90 days; return how many were due.

    Never before the window and its grace have passed for all: departures are known earlier than their
    absence, and a rate of what is known early would be too high.
    """
    row = AssignmentRow
    query = select(row.id, row.customer_id, row.assigned_at, row.acted_tier, row.state)
    due = (await session.execute(_due(query, Measure.STAYED, now))).all()
    relations = await load_relations(session, {one.customer_id for one in due})
    became = [(one, _stay(one, relations, now)) for one in due]
    window = rules.WINDOWS[Measure.STAYED]
    await _write(
        session, Measure.STAYED, [(one.id, one.assigned_at + window, what) for one, what in became], now
    )
    return len(due)


def _stay(one: Row[Any], relations: dict[uuid.UUID, Any], now: BusinessInstant) -> Became:
    renewal = one.state.get("renewal_on")
    return late_label(
        relations[one.customer_id],
        one.assigned_at,
        now,
        tier=one.acted_tier,
        renewal_on=dt.date.fromisoformat(renewal) if renewal else None,
    )


async def label_goals(session: AsyncSession, now: BusinessInstant) -> int:
    """Say of one batch of variants whether the run reached its goal; return how many were due."""
    row, run, version = AssignmentRow, InterventionRow, PlaybookVersionRow
    goal = version.document["goal"]["outcome"].astext
    query = (
        select(row.id, run.ended_at, run.outcome, goal.label("goal"))
        .join(run, run.id == row.intervention_id)
        .join(version, version.id == run.version_id)
        .where(row.step_id != "", run.state == InterventionState.ENDED, run.outcome.is_not(None))
        .where(_is_unlabelled(Measure.GOAL))
        .order_by(run.ended_at, row.id)
        .limit(BATCH)
    )
    due = (await session.execute(query)).all()
    labels = {label.value: label for label in TrialLabel}
    told = [
        (
            one.id,
            one.ended_at,
            Became(labels.get(one.outcome.value), one.outcome.value == (one.goal or "saved")),
        )
        for one in due
    ]
    await _write(session, Measure.GOAL, told, now)
    return len(due)


def _is_unlabelled(measure: Measure) -> Any:
    outcome = TrialOutcomeRow
    return ~exists().where(outcome.assignment_id == AssignmentRow.id, outcome.measure == measure)


def _due(query: Any, measure: Measure, now: BusinessInstant) -> Any:
    row = AssignmentRow
    is_over = row.assigned_at <= after(now, -rules.WINDOWS[measure])
    return query.where(is_over, _is_unlabelled(measure)).order_by(row.assigned_at, row.id).limit(BATCH)


async def _write(
    session: AsyncSession,
    measure: Measure,
    told: list[tuple[uuid.UUID, BusinessInstant, Became]],
    now: BusinessInstant,
) -> None:
    rows = [
        {
            "assignment_id": key,
            "measure": measure,
            "label": became.label,
            "is_good": became.is_good,
            "matured_at": matured,
            "known_at": now,
        }
        for key, matured, became in told
    ]
    if rows:
        await session.execute(upsert(TrialOutcomeRow).on_conflict_do_nothing(), rows)
