"""Editing live: what a new version would mean for open runs, and carrying out what the publisher chose.

A publication is one transaction; the runs that were open then hear of it batch by batch, each batch under the
row locks of its customers. How far it has come is kept, so that whoever finds it interrupted goes on.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.edit_impact import HERD, Choices, Effect, Impact, OnOpen, RunAt, impact, move
from domain.playbook import Playbook
from domain.ports import Clock
from domain.run_state import Position
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import DecisionKind, InterventionState, NoticeKind, StepState
from models.changes import announce_change
from models.database import Database
from models.decisions import Decision, record_decisions
from models.effects import abandon_claims
from models.endings import UNFINISHED, cancel_tasks
from models.outbox import Notice, put_notices
from models.playbooks import Author, PlaybookShelf, Published, publish
from models.tables.customers import CustomerRow
from models.tables.playbooks import (
    InterventionRow,
    InterventionStepRow,
    PlaybookEditRow,
    PlaybookVersionRow,
)

BATCH = 100
"""Customers whose rows are locked at once."""
SHOWN = 50
"""Runs that a preview names one by one."""


@dataclass(frozen=True)
class ImpactLine:
    """One open run in the preview."""

    run_id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    step: str | None
    version: int
    impact: Impact


@dataclass(frozen=True)
class EditPreview:
    """What an edit would mean now: runs by effect, and some of them by name, the gravest first."""

    counts: Mapping[Effect, int]
    due_at_once: int
    """Waits that would end now if every run took the new version up."""
    lines: tuple[ImpactLine, ...] = ()

    @property
    def runs(self) -> int:
        """All open runs of other versions."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Edit:
    """A publication under way."""

    id: uuid.UUID
    key: str
    version_id: uuid.UUID
    version: int
    choices: Choices
    spreads: bool
    through: uuid.UUID | None
    counts: dict[str, int]


async def preview_edit(
    session: AsyncSession, shelf: PlaybookShelf, new: Playbook, now: BusinessInstant
) -> EditPreview:
    """Say what a document would mean for every open run of its playbook, without publishing it."""
    rows = (await session.execute(_open_runs(new.key))).all()
    lines = [await _line(session, shelf, new, row) for row in rows]
    gravest = sorted(lines, key=lambda line: (-GRAVITY[line.impact.effect], line.customer))
    found = Counter(line.impact.effect for line in lines)
    at_once = sum(line.impact.is_due_at_once(now) for line in lines)
    return EditPreview({effect: found[effect] for effect in Effect}, at_once, tuple(gravest[:SHOWN]))


GRAVITY = {effect: place for place, effect in enumerate(Effect)}


def _open_runs(key: str) -> Any:
    run, step = InterventionRow, InterventionStepRow
    occurrence = run.position["visits"][run.position["step"].astext].as_integer()
    current = and_(
        step.intervention_id == run.id,
        step.step_id == run.position["step"].astext,
        step.occurrence == occurrence,
    )
    return (
        select(
            run.id,
            run.customer_id,
            CustomerRow.name.label("customer"),
            run.version_id,
            run.state,
            run.position,
            run.started_at,
            run.planned_at,
            PlaybookVersionRow.version,
            step.state.label("row_state"),
        )
        .join(CustomerRow, CustomerRow.id == run.customer_id)
        .join(PlaybookVersionRow, PlaybookVersionRow.id == run.version_id)
        .outerjoin(step, current)
        .where(run.playbook_key == key, run.state != InterventionState.ENDED)
        .order_by(run.customer_id, run.id)
    )


async def _line(session: AsyncSession, shelf: PlaybookShelf, new: Playbook, row: Row[Any]) -> ImpactLine:
    old = await shelf.version(session, row.version_id)
    at = _at(row)
    return ImpactLine(
        row.id, row.customer_id, row.customer, at.position.step, row.version, impact(old, new, at)
    )


def _at(row: Row[Any]) -> RunAt:
    return RunAt(row.id, Position.model_validate(row.position), row.row_state)


async def publish_edit(
    database: Database,
    clock: Clock,
    document: Playbook,
    choices: Choices,
    author: Author,
    *,
    seen: int | None = None,
) -> tuple[Published, dict[str, int]]:
    """Publish a document and carry the choice out for each open run; return how many went which way.

    The same document once more changes nothing. Raises StaleEditError (see publish).
    """
    async with database.transaction() as session:
        published = await begin_edit(session, clock.now(), document, choices, author, seen=seen)
    counts = await finish_edits(database, clock, document.key)
    return published, counts.get(published.version_id or uuid.uuid4(), {})


async def begin_edit(
    session: AsyncSession,
    now: BusinessInstant,
    document: Playbook,
    choices: Choices,
    author: Author,
    *,
    seen: int | None = None,
) -> Published:
    """Publish, and write down what is to become of open runs; finish_edits does it after the commit."""
    published = await publish(session, document, now, author, seen=seen)
    if published.is_new:
        preview = await preview_edit(session, PlaybookShelf(), document, now)
        await session.execute(
            insert(PlaybookEditRow).values(
                id=uuid.uuid4(),
                playbook_key=document.key,
                version_id=published.version_id,
                choices=write_choices(choices),
                spreads=preview.due_at_once > HERD,
                counts={},
                asked_at=now,
                finished_at=None if preview.runs else now,
            )
        )
    await announce_change(session)
    return published


def write_choices(choices: Choices) -> dict[str, Any]:
    """Return choices as they are stored."""
    by_effect = {effect.value: choice.value for effect, choice in choices.by_effect.items()}
    return {"overall": choices.overall.value, "by_effect": by_effect}


def read_choices(stored: Mapping[str, Any]) -> Choices:
    """Read stored choices."""
    by_effect = {Effect(name): OnOpen(value) for name, value in stored["by_effect"].items()}
    return Choices(OnOpen(stored["overall"]), by_effect)


async def finish_edits(
    database: Database, clock: Clock, key: str | None = None
) -> dict[uuid.UUID, dict[str, int]]:
    """Carry out every edit that is under way, the oldest first; return the counts by version.

    Safe to call at any time and from several places: each batch is one transaction of one caller.
    """
    done: dict[uuid.UUID, dict[str, int]] = {}
    shelf = PlaybookShelf()
    while True:
        async with database.transaction() as session:
            edit = await _next_edit(session, key)
            if edit is None:
                return done
            done[edit.version_id] = await _apply_batch(session, shelf, edit, clock.now(), clock.wall_now())


async def _next_edit(session: AsyncSession, key: str | None) -> Edit | None:
    row = PlaybookEditRow
    version = PlaybookVersionRow
    query = (
        select(row, version.version)
        .join(version, version.id == row.version_id)
        .where(row.finished_at.is_(None), *([] if key is None else [row.playbook_key == key]))
        .order_by(row.playbook_key, version.version)
        .limit(1)
        .with_for_update(of=row)
    )
    answer = (await session.execute(query)).one_or_none()
    if answer is None:
        return None
    found, number = answer
    choices = read_choices(found.choices)
    counts = {name: int(count) for name, count in found.counts.items()}
    return Edit(
        found.id,
        found.playbook_key,
        found.version_id,
        number,
        choices,
        found.spreads,
        found.through,
        counts,
    )


async def _apply_batch(
    session: AsyncSession, shelf: PlaybookShelf, edit: Edit, now: BusinessInstant, wall: WallInstant
) -> dict[str, int]:
    customers = await _lock_customers(session, edit)
    new = await shelf.version(session, edit.version_id)
    rows = await _runs_of(session, edit, customers)
    counts = Counter(edit.counts)
    rung: list[uuid.UUID] = []
    decisions: list[Decision] = []
    for row in rows:
        old = await shelf.version(session, row.version_id)
        found = impact(old, new, _at(row))
        choice = edit.choices.of(found)
        counts[choice.value] += 1
        decisions.append(_decision(edit, row, found, choice))
        if choice is not OnOpen.PIN:
            await _put(session, edit, row, new, choice, now)
            rung += [row.customer_id] if row.state is not InterventionState.PLANNED else []
    await record_decisions(session, decisions, now)
    payload = {"playbook": edit.key}
    await put_notices(
        session,
        [Notice(one, NoticeKind.PLAYBOOK_EDITED, payload, now) for one in dict.fromkeys(rung)],
        wall,
    )
    is_last = len(customers) < BATCH
    changes = {
        "counts": dict(counts),
        "through": customers[-1] if customers else edit.through,
        "finished_at": now if is_last else None,
    }
    await session.execute(update(PlaybookEditRow).where(PlaybookEditRow.id == edit.id).values(changes))
    await announce_change(session)
    return dict(counts)


async def _lock_customers(session: AsyncSession, edit: Edit) -> Sequence[uuid.UUID]:
    """Lock the next customers with an open run of another version, in the order of their ids."""
    run = InterventionRow
    query = select(run.customer_id).where(
        run.playbook_key == edit.key,
        run.state != InterventionState.ENDED,
        run.version_id != edit.version_id,
    )
    if edit.through is not None:
        query = query.where(run.customer_id > edit.through)
    chosen = (await session.scalars(query.distinct().order_by(run.customer_id).limit(BATCH))).all()
    locked = (
        select(CustomerRow.id)
        .where(CustomerRow.id.in_(chosen))
        .order_by(CustomerRow.id)
        .with_for_update(key_share=True)
    )
    await session.execute(locked)
    return chosen


async def _runs_of(session: AsyncSession, edit: Edit, customers: Sequence[uuid.UUID]) -> Sequence[Row[Any]]:
    """Read the runs again, now that nobody else may move them."""
    query = _open_runs(edit.key).where(
        InterventionRow.customer_id.in_(customers), InterventionRow.version_id != edit.version_id
    )
    found: Sequence[Row[Any]] = (await session.execute(query)).all()
    return found


SAID = {
    OnOpen.PIN: "The run stays on version {old}; version {new} is for new ones.",
    OnOpen.MIGRATE: "The run goes on in version {new} where it stood in version {old}.",
    OnOpen.RESTART: "The run begins again in version {new}; it was in version {old}.",
}
REASONS = {OnOpen.PIN: "pinned", OnOpen.MIGRATE: "migrated", OnOpen.RESTART: "restarted"}


def _decision(edit: Edit, row: Row[Any], found: Impact, choice: OnOpen) -> Decision:
    sentence = SAID[choice].format(old=row.version, new=edit.version)
    evidence = {
        "edit": str(edit.id),
        "effect": found.effect.value,
        "from_version": row.version,
        "step": Position.model_validate(row.position).step,
        "was_due": found.was_due.isoformat() if found.was_due else None,
        "due": found.will_be_due.isoformat() if found.will_be_due else None,
    }
    return Decision(
        row.customer_id,
        DecisionKind.DIRECTIVE,
        "edit_run",
        edit.key,
        REASONS[choice],
        f"{found.sentence} {sentence}",
        evidence,
        row.id,
    )


async def _put(
    session: AsyncSession,
    edit: Edit,
    row: Row[Any],
    new: Playbook,
    choice: OnOpen,
    now: BusinessInstant,
) -> None:
    """Put a run where the choice says, and take back what a restart makes needless."""
    started = row.started_at or row.planned_at
    position = move(choice, new, _at(row), started, now, spreads=edit.spreads)
    if choice is OnOpen.RESTART:
        await _take_back(session, row.id, f"begun again in version {edit.version}", now)
    values = {"version_id": edit.version_id, "position": position.model_dump(mode="json")}
    await session.execute(update(InterventionRow).where(InterventionRow.id == row.id).values(values))


async def _take_back(session: AsyncSession, run_id: uuid.UUID, reason: str, now: BusinessInstant) -> None:
    """Cancel open visits and tasks of a run that begins again; what was sent stays sent."""
    step = InterventionStepRow
    await session.execute(
        update(step)
        .where(step.intervention_id == run_id, step.state.in_(UNFINISHED))
        .values(state=StepState.CANCELLED, finished_at=now, reason=reason)
    )
    await cancel_tasks(session, run_id, reason, now)
    await abandon_claims(session, f"{run_id}/", reason)
