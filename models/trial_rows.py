"""Reads assignments and what became of them: for the nightly report, and the customers behind its figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from domain.impact import DeclaredExperiment, TrialRow
from domain.playbook_steps import Experiment
from domain.trial_labels import Measure
from domain.uplift import declared_uplift
from domain.vocabulary import Segment
from models.tables.customers import CustomerRow
from models.tables.playbooks import PlaybookRow, PlaybookVersionRow
from models.tables.trials import AssignmentRow, TrialOutcomeRow

_ROWS = text("""
SELECT one.customer_id, one.playbook_key, one.step_id, one.arm, one.propensity, one.global_share,
       one.assigned_at, one.segment, one.churn_probability, one.arr_minor, one.currency,
       one.case_id IS NOT NULL AS has_left,
       (SELECT json_object_agg(measure, is_good) FROM trial_outcomes
        WHERE assignment_id = one.id AND is_good IS NOT NULL) AS good,
       COALESCE(run.outcome = COALESCE(version.document -> 'goal' ->> 'outcome', 'saved'), false)
         AND run.outcome IN ('saved', 'renewed', 'reactivated', 'expanded')
         OR COALESCE(won.is_attributed, false) AS claims
FROM assignments AS one
LEFT JOIN interventions AS run ON run.id = one.intervention_id
LEFT JOIN win_backs AS won ON won.case_id = one.case_id
LEFT JOIN playbook_versions AS version ON version.id = run.version_id
ORDER BY one.assigned_at, one.id
""")


async def load_trial_rows(session: AsyncSession) -> list[TrialRow]:
    """Return every assignment with its labels, in the order in which they were made."""
    return [
        TrialRow(
            customer_id=one.customer_id,
            playbook=one.playbook_key,
            step=one.step_id,
            arm=one.arm,
            propensity=one.propensity,
            global_share=one.global_share,
            assigned_at=one.assigned_at,
            segment=one.segment,
            probability=one.churn_probability,
            arr_minor=one.arr_minor,
            currency=one.currency,
            good={Measure(name): is_good for name, is_good in (one.good or {}).items()},
            claims=bool(one.claims),
            has_left=one.has_left,
        )
        for one in await session.execute(_ROWS)
    ]


async def declared_experiments(session: AsyncSession) -> list[DeclaredExperiment]:
    """Return the experiments of all playbooks in use."""
    version, playbook = PlaybookVersionRow, PlaybookRow
    query = (
        select(playbook.key, version.document["steps"])
        .join(version, (version.playbook_key == playbook.key) & (version.version == playbook.current_version))
        .where(playbook.archived_at.is_(None))
        .order_by(playbook.key)
    )
    return [
        _declared(key, step)
        for key, steps in (await session.execute(query)).all()
        for step in steps
        if step.get("experiment")
    ]


async def declared_uplifts(session: AsyncSession) -> dict[str, float]:
    """Return the share of departures that each playbook in use says it prevents."""
    version, playbook = PlaybookVersionRow, PlaybookRow
    document = version.document
    query = (
        select(playbook.key, document["priority"].as_integer(), document["assumed_uplift"].as_float())
        .join(version, (version.playbook_key == playbook.key) & (version.version == playbook.current_version))
        .where(playbook.archived_at.is_(None))
    )
    return {
        key: declared_uplift(priority, assumed) for key, priority, assumed in await session.execute(query)
    }


def _declared(key: str, step: Mapping[str, Any]) -> DeclaredExperiment:
    one = Experiment.model_validate(step["experiment"])
    return DeclaredExperiment(
        playbook=key,
        step=step["id"],
        variants=tuple(variant.name for variant in one.variants),
        measure=Measure(one.measure),
        least_share=one.least_share,
        is_measured=one.choose == "measured",
    )


@dataclass(frozen=True)
class ArmFilter:
    """Which customers stand behind a figure; empty means all."""

    playbook: str
    arm: str = ""
    segment: Segment | None = None


def arm_query(chosen: ArmFilter) -> tuple[Select[Any], ReadOnlyColumnCollection[str, Any]]:
    """Return the query of the customers behind one playbook's figures, and the columns of their occasions.

    Each stands there with its first occasion, as in the figures.
    """
    row, customer = AssignmentRow, CustomerRow
    one = (
        select(row)
        .ext(distinct_on(row.customer_id))
        .where(row.playbook_key == chosen.playbook, row.step_id == "", row.propensity < 1)
        .order_by(row.customer_id, row.assigned_at, row.id)
        .subquery()
        .c
    )
    late, early = (_labels(measure) for measure in (Measure.STAYED, Measure.RECOVERED))
    query = (
        select(
            one.id, one.customer_id, customer.name.label("customer"), one.arm, one.segment, one.occasion,
            one.assigned_at, one.propensity, one.churn_probability, one.arr_minor, one.currency,
            one.intervention_id, late.c.label.label("late"), late.c.known_at.label("late_known_at"),
            early.c.label.label("early"),
        )
        .join(customer, customer.id == one.customer_id)
        .outerjoin(late, late.c.assignment_id == one.id)
        .outerjoin(early, early.c.assignment_id == one.id)
    )  # fmt: skip
    if chosen.arm:
        query = query.where(one.arm == chosen.arm)
    if chosen.segment is not None:
        query = query.where(one.segment == chosen.segment)
    return query, one


def _labels(measure: Measure) -> Any:
    outcome = TrialOutcomeRow
    told = select(outcome.assignment_id, outcome.label, outcome.known_at)
    return told.where(outcome.measure == measure).subquery()
