"""What every page's frame shows: whether anything is sent, and what waits for this person."""

import datetime as dt
import uuid
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ScalarSelect, and_, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, business
from domain.vocabulary import HeadsUpState, InterventionState, PauseScope, TaskState
from models.given_up_endpoints import is_given_up
from models.kind_silences import Silence, read_silences, silences_now
from models.mass_alerts import MassAlert, mass_alerts_now, read_mass_alerts
from models.tables.endpoints import WebhookEndpointRow
from models.tables.people import UserRow
from models.tables.playbooks import InterventionRow, PlaybookRow
from models.tables.runs import PauseRow
from models.tables.system import InstallationRow
from models.tables.work import HeadsUpRow, TaskRow


@dataclass(frozen=True)
class WholeRest:
    """The rest of everything: who, why, until when."""

    reason: str
    by: str | None
    since: BusinessInstant
    until: BusinessInstant | None


def rest_now(now: BusinessInstant) -> ScalarSelect[Any]:
    """Select the rest of everything, if one holds, for a page that reads it along with something else."""
    row = PauseRow
    told = func.jsonb_build_array(row.reason, UserRow.name, row.since, row.until)
    holds = (row.scope == PauseScope.EVERYTHING) & row.ended_at.is_(None)
    chosen = select(told).outerjoin(UserRow, UserRow.id == row.by_id)
    return chosen.where(holds, or_(row.until.is_(None), row.until > now)).limit(1).scalar_subquery()


def read_rest(told: list[str | None] | None) -> WholeRest | None:
    """Return what `rest_now` has selected."""
    if told is None:
        return None
    reason, by, since, until = told
    end = business(dt.datetime.fromisoformat(until)) if until else None
    return WholeRest(reason or "", by, business(dt.datetime.fromisoformat(since or "")), end)


def given_up_now() -> ScalarSelect[Any]:
    """Select the endpoints that nobody but their own silence has disabled."""
    row = WebhookEndpointRow
    names = select(func.array_agg(aggregate_order_by(row.key, row.key)))
    return names.where(is_given_up()).scalar_subquery()


@dataclass(frozen=True)
class Chrome:
    """The frame's figures. Without an installation row nothing was started yet: it observes."""

    product_name: str | None
    released_at: BusinessInstant | None
    release_per_day: int | None
    effects_stopped_at: BusinessInstant | None
    waiting_for_me: int
    planned: int
    held_playbooks: int
    silences: tuple[Silence, ...]
    """Kinds of fact that nobody tells just now: what rests on them abstains."""
    mass_alerts: tuple[MassAlert, ...]
    """Signals that so many customers showed at once that they are held back."""
    rest: WholeRest | None = None
    """A person has ordered everything to rest."""
    given_up: tuple[str, ...] = ()
    """Endpoints that were disabled because they took nothing any more: what is written for them waits."""

    @property
    def is_observing(self) -> bool:
        """Whether a person has still to release something."""
        return self.released_at is None or self.held_playbooks > 0 or self.planned > 0


def due_task(now: BusinessInstant) -> Any:
    """Return the condition of a task that wants doing: open, or snoozed until a time that has come."""
    woken = and_(TaskRow.state == TaskState.SNOOZED, TaskRow.snoozed_until <= now)
    return or_(TaskRow.state == TaskState.OPEN, woken)


def due_heads_up(now: BusinessInstant) -> Any:
    """Return the condition of a heads-up that nobody has looked at, or whose snooze is over."""
    rested = or_(HeadsUpRow.snoozed_until.is_(None), HeadsUpRow.snoozed_until <= now)
    return and_(HeadsUpRow.state == HeadsUpState.OPEN, rested)


def _count(*conditions: Any) -> Any:
    return select(func.count()).where(*conditions).scalar_subquery()


async def load_chrome(session: AsyncSession, user_id: uuid.UUID, now: BusinessInstant) -> Chrome:
    """Return the frame's figures in one query."""
    tasks = _count(TaskRow.assignee_id == user_id, due_task(now))
    heads_ups = _count(HeadsUpRow.owner_id == user_id, due_heads_up(now))
    planned = _count(InterventionRow.state == InterventionState.PLANNED)
    held = _count(PlaybookRow.released_at.is_(None), PlaybookRow.archived_at.is_(None))
    one = select(tasks + heads_ups, planned, held).subquery()
    query = select(
        InstallationRow.product_name,
        InstallationRow.released_at,
        InstallationRow.release_per_day,
        InstallationRow.effects_stopped_at,
        one,
        silences_now(),
        mass_alerts_now(),
        rest_now(now),
        given_up_now(),
    ).select_from(one.outerjoin(InstallationRow, InstallationRow.id == 1))
    *figures, silences, alerts, rest, given_up = (await session.execute(query)).one()
    known: dict[str, Any] = dict(zip((field.name for field in fields(Chrome)), figures, strict=False))
    known |= {"silences": read_silences(silences), "mass_alerts": read_mass_alerts(alerts)}
    return Chrome(**known, rest=read_rest(rest), given_up=tuple(given_up or ()))
