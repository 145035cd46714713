"""Runs of playbooks and the playbooks themselves, as the API shows them."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select

from domain.errors import NotFoundError
from domain.vocabulary import GOING_ON, InterventionState
from models.database import Session
from models.resources.keyset import Order, Row, Slice, only, read_rows, read_slice
from models.tables.playbooks import InterventionRow, InterventionStepRow, PlaybookRow, PlaybookVersionRow

_RUN = select(
    InterventionRow.id,
    InterventionRow.customer_id,
    InterventionRow.playbook_key,
    PlaybookVersionRow.version.label("playbook_version"),
    InterventionRow.reason,
    InterventionRow.causes,
    InterventionRow.state,
    InterventionRow.planned_at,
    InterventionRow.started_at,
    InterventionRow.expected_wake_at,
    InterventionRow.ended_at,
    InterventionRow.outcome,
    InterventionRow.outcome_reason,
    InterventionRow.receipt,
).join(PlaybookVersionRow, PlaybookVersionRow.id == InterventionRow.version_id)
_STEPS = select(
    InterventionStepRow.step_id,
    InterventionStepRow.occurrence,
    InterventionStepRow.kind,
    InterventionStepRow.state,
    InterventionStepRow.reason,
    InterventionStepRow.due_at,
    InterventionStepRow.started_at,
    InterventionStepRow.finished_at,
)


@dataclass(frozen=True)
class RunFilter:
    """Which runs; None does not narrow."""

    customer: uuid.UUID | None = None
    playbook: str | None = None


async def list_interventions(
    session: Session, chosen: RunFilter, state: list[InterventionState], cursor: str | None, limit: int
) -> Slice:
    """Return runs, the newest first."""
    conditions = only(
        customer=(InterventionRow.customer_id.expression, chosen.customer),
        playbook=(InterventionRow.playbook_key.expression, chosen.playbook),
        state=(InterventionRow.state.expression, state),
    )
    at: ColumnElement[Any] = InterventionRow.planned_at.expression
    order = Order("planned_at", at, InterventionRow.id.expression, descending=True)
    return await read_slice(session, _RUN.where(*conditions), order, cursor, limit)


async def load_intervention(session: Session, intervention_id: uuid.UUID) -> Row:
    """Return one run with its steps; raises NotFoundError."""
    run = (await session.execute(_RUN.where(InterventionRow.id == intervention_id))).mappings().one_or_none()
    if run is None:
        raise NotFoundError(what="intervention", key=intervention_id)
    steps = _STEPS.where(InterventionStepRow.intervention_id == intervention_id)
    in_order = steps.order_by(InterventionStepRow.started_at.nulls_last(), InterventionStepRow.step_id)
    return {**run, "steps": await read_rows(session, in_order)}


async def list_playbooks(session: Session) -> list[Row]:
    """Return every playbook with how many runs are planned and open."""
    query = (
        select(
            PlaybookRow.key,
            PlaybookRow.name,
            PlaybookRow.motion,
            PlaybookRow.current_version,
            PlaybookRow.released_at,
            PlaybookRow.archived_at,
            func.count().filter(InterventionRow.state == InterventionState.PLANNED).label("planned"),
            func.count().filter(InterventionRow.state.in_(GOING_ON)).label("running"),
        )
        .outerjoin(InterventionRow, InterventionRow.playbook_key == PlaybookRow.key)
        .group_by(PlaybookRow.key)
        .order_by(PlaybookRow.key)
    )
    return await read_rows(session, query)


async def load_playbook_document(session: Session, key: str) -> Row:
    """Return one playbook with the document of its current version; raises NotFoundError."""
    playbook = await load_playbook(session, key)
    document = await session.scalar(
        select(PlaybookVersionRow.document).where(
            PlaybookVersionRow.playbook_key == key,
            PlaybookVersionRow.version == playbook["current_version"],
        )
    )
    return {**playbook, "document": document or {}}


async def load_playbook(session: Session, key: str) -> Row:
    """Return one playbook; raises NotFoundError."""
    found = next((row for row in await list_playbooks(session) if row["key"] == key), None)
    if found is None:
        raise NotFoundError(what="playbook", key=key)
    return found
