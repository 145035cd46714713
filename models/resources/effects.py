"""The effect ledger as the API, the pages and the command line show it."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Uuid, and_, cast, func, or_, select

from domain.errors import NotFoundError
from domain.monitoring import WALL_GRACE
from domain.time import WallInstant
from domain.vocabulary import EffectState
from models.database import Session
from models.doubts import question_about
from models.effect_answers import CASE_PREFIX
from models.resources.keyset import Order, Row, Slice, only, read_row, read_rows, read_slice
from models.tables.cases import CaseRow
from models.tables.customers import CustomerRow
from models.tables.ledger import DecisionRow, EffectRow, ProviderEventRow, TouchpointRow
from models.tables.people import UserRow
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.tables.runs import PromptRow
from models.tables.work import TaskRow

MOST_UNKNOWN = 100
_E = EffectRow
_COLUMNS = (
    _E.key,
    _E.delivery_id,
    _E.kind,
    _E.customer_id,
    CustomerRow.name.label("customer"),
    _E.state,
    _E.attempts,
    _E.lease_until,
    _E.claimed_at,
    _E.settled_at,
    _E.provider,
    _E.provider_message_id,
    _E.error,
)
_ALL = select(*_COLUMNS).outerjoin(CustomerRow, CustomerRow.id == _E.customer_id)


@dataclass(frozen=True)
class EffectFilter:
    """Which effects are wanted. `search`: how a key begins, or a delivery id, ours or the provider's."""

    states: Sequence[EffectState] = ()
    kind: str | None = None
    provider: str | None = None
    customer_id: uuid.UUID | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    search: str | None = None


async def list_effects(session: Session, wanted: EffectFilter, cursor: str | None, limit: int) -> Slice:
    """Return effects, the newest claim first."""
    tie = cast(func.md5(_E.key), Uuid)
    order = Order("claimed_at", _E.claimed_at.expression, tie, descending=True)
    return await read_slice(session, _ALL.where(*_fitting(wanted)), order, cursor, limit)


async def unknown_effects(session: Session, wall: WallInstant) -> list[Row]:
    """Return those of which nobody knows, the oldest first: in doubt, or claimed by somebody who is lost."""
    lost = and_(_E.state == EffectState.CLAIMED, _E.lease_until < wall - WALL_GRACE)
    query = _ALL.where(or_(_E.state == EffectState.UNCERTAIN, lost)).order_by(_E.claimed_at, _E.key)
    return await read_rows(session, query.limit(MOST_UNKNOWN))


async def count_by_state(session: Session) -> dict[str, int]:
    """Return how many effects are in each state."""
    rows = (await session.execute(select(_E.state, func.count()).group_by(_E.state))).all()
    return {state.value: count for state, count in rows}


async def kinds_of_effects(session: Session) -> tuple[list[str], list[str]]:
    """Return the kinds and the providers that there are, for filters."""
    kinds, providers = (select(column).distinct().order_by(column) for column in (_E.kind, _E.provider))
    return list((await session.scalars(kinds)).all()), list((await session.scalars(providers)).all())


def _fitting(wanted: EffectFilter) -> list[ColumnElement[bool]]:
    chosen = list(
        only(
            state=(_E.state.expression, list(wanted.states)),
            kind=(_E.kind.expression, wanted.kind),
            provider=(_E.provider.expression, wanted.provider),
            customer=(_E.customer_id.expression, wanted.customer_id),
        )
    )
    if wanted.since is not None:
        chosen.append(_E.claimed_at >= wanted.since)
    if wanted.until is not None:
        chosen.append(_E.claimed_at < wanted.until)
    if wanted.search:
        begins = _E.key.startswith(wanted.search, autoescape=True)
        ids = (_E.delivery_id == wanted.search, _E.provider_message_id == wanted.search)
        chosen.append(or_(begins, *ids))
    return chosen


async def load_effect(session: Session, name: str) -> Row:
    """Return one effect by its delivery id or its key; raises NotFoundError."""
    query = _ALL.add_columns(UserRow.name.label("for_user"), CustomerRow.csm_id, CustomerRow.sales_owner_id)
    query = query.outerjoin(UserRow, UserRow.id == _E.user_id)
    found = await read_row(session, query.where(or_(_E.delivery_id == name, _E.key == name)))
    if found is None:
        raise NotFoundError(what="effect", key=name)
    return found


async def load_evidence(session: Session, effect: Row) -> dict[str, Any]:
    """Return everything that speaks of an effect: what it belongs to, who was told, what was decided."""
    touch, prompt, task, event = TouchpointRow, PromptRow, TaskRow, ProviderEventRow
    touches = select(touch.channel, touch.purpose, touch.state, touch.template, touch.occurred_at)
    prompts = select(prompt.state, prompt.offered_at, prompt.shown_at, prompt.answered_at, prompt.expires_at)
    tasks = select(task.id, task.title, task.state, task.outcome, task.due_at)
    events = select(event.kind, event.provider, event.received_at, event.applied_at)
    return {
        "belongs": await _belongs(session, effect["key"]),
        "touchpoint": await read_row(session, touches.where(touch.effect_key == effect["key"])),
        "prompt": await read_row(session, prompts.where(prompt.effect_key == effect["key"])),
        "task": await read_row(session, tasks.where(task.effect_key == question_about(effect["key"]))),
        "events": await read_rows(
            session,
            events.where(event.delivery_id == effect["delivery_id"]).order_by(event.received_at),
        ),
        "decisions": await _decisions(session, effect["key"]),
    }


async def _belongs(session: Session, key: str) -> Row | None:
    """Return the run's step or the case that asked for it."""
    parts = key.removeprefix(CASE_PREFIX).split("/")
    try:
        of, step_id, occurrence = uuid.UUID(parts[0]), parts[1], int(parts[2])
    except (ValueError, IndexError):
        return None
    if key.startswith(CASE_PREFIX):
        query = select(CaseRow.id.label("case_id"), CaseRow.kind, CaseRow.state, CaseRow.stage)
        case = await read_row(session, query.where(CaseRow.id == of))
        return case and {**case, "step_id": step_id, "occurrence": occurrence}
    step, run = InterventionStepRow, InterventionRow
    mine = and_(step.intervention_id == run.id, step.step_id == step_id, step.occurrence == occurrence)
    runs = select(run.id.label("run_id"), run.playbook_key, step.state, step.reason).outerjoin(step, mine)
    found = await read_row(session, runs.where(run.id == of))
    return found and {**found, "step_id": step_id, "occurrence": occurrence}


async def _decisions(session: Session, key: str) -> list[Row]:
    """Return the decisions that name the effect, and those of its step."""
    row, parts = DecisionRow, key.split("/")
    named = row.evidence["effect"].astext == key
    try:
        run_id, occurrence = uuid.UUID(parts[0]), int(parts[2])
        visit = and_(
            row.intervention_id == run_id,
            row.evidence["step"].astext == parts[1],
            row.evidence["occurrence"].astext == str(occurrence),
        )
        chosen = or_(visit, and_(row.intervention_id == run_id, named))
    except (ValueError, IndexError):
        customer = select(EffectRow.customer_id).where(EffectRow.key == key).scalar_subquery()
        chosen = and_(row.customer_id == customer, named)
    query = select(row.decided_at, row.kind, row.reason, row.sentence).where(chosen)
    return await read_rows(session, query.order_by(row.decided_at, row.id))


async def is_answerable_by(session: Session, effect: Row, user_id: uuid.UUID | None) -> bool:
    """Tell whether an effect is of somebody's own customer, or was put to them as a task."""
    if user_id is None:
        return False
    if user_id in {effect["csm_id"], effect["sales_owner_id"]}:
        return True
    asked = select(TaskRow.id).where(
        TaskRow.effect_key == question_about(effect["key"]), TaskRow.assignee_id == user_id
    )
    return await session.scalar(asked) is not None
