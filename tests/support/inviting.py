"""Runs that invite somebody to a meeting."""

import uuid

from sqlalchemy import insert, select, update

from domain.playbook import Playbook
from domain.time import BusinessInstant
from domain.vocabulary import InterventionState, StepState
from models.database import Database
from models.step_visits import Visit
from models.tables.facts import MeetingRow
from models.tables.ledger import OutboxRow
from models.tables.meetings import InvitationRow
from models.tables.playbooks import InterventionRow, InterventionStepRow
from models.tables.work import TaskRow
from tests.support.runs import open_run


def one_meeting(key: str | None = None, **meeting: object) -> Playbook:
    """A playbook that invites to one meeting and tells the owner what came of it."""
    step = {
        "title": "Review with $customer",
        "kind": "qbr",
        "to": ["champion"],
        "ahead": "3d",
        "timeout": "5d",
        "on_accepted": "yes",
        "on_declined": "no",
        "on_timeout": "silence",
    }
    notes = [
        {"id": name, "notify": {"to": "csm", "title": name, "body": name, "severity": "info"}, "next": "rest"}
        for name in ("yes", "no", "silence")
    ]
    document = {
        "key": key or f"meeting-{uuid.uuid4().hex[:12]}",
        "name": "One meeting",
        "description": "A meeting of the tests.",
        "motion": "retention",
        "priority": 1,
        "trigger": {"signals": ["qbr_missed"]},
        "goal": {"when": "touchpoint", "window": "60d"},
        "steps": [
            {"id": "invite", "schedule_meeting": step | meeting},
            *notes,
            {"id": "rest", "wait": {"duration": "30d"}},
        ],
    }
    return Playbook.model_validate(document)


async def invitation_of(
    database: Database, customer_id: uuid.UUID, now: BusinessInstant, **meeting: object
) -> Visit:
    """Open a run that stands at its invitation."""
    run_id = await open_run(database, one_meeting(**meeting), customer_id, now)  # type: ignore[arg-type]  # the test's own
    visit = Visit(run_id, "invite", 1)
    async with database.transaction() as session:
        position = {"step": "invite", "visits": {"invite": 1}}
        mine = update(InterventionRow).where(InterventionRow.id == run_id)
        await session.execute(mine.values(position=position, state=InterventionState.RUNNING))
        await session.execute(
            insert(InterventionStepRow).values(
                id=uuid.uuid4(),
                **vars(visit),
                kind="schedule_meeting",
                state=StepState.STARTED,
                detail={},
                started_at=now,
            )
        )
    return visit


async def meetings(database: Database) -> list[tuple[MeetingRow, InvitationRow]]:
    """Every meeting of our own, with its invitation."""
    async with database.transaction() as session:
        query = select(MeetingRow, InvitationRow).join(
            InvitationRow, InvitationRow.meeting_id == MeetingRow.id
        )
        rows = (await session.execute(query.order_by(MeetingRow.scheduled_at))).all()
        return [(meeting, invitation) for meeting, invitation in rows]


async def rings(database: Database) -> int:
    """How often the customer's workflow will hear of a meeting."""
    async with database.transaction() as session:
        payloads = await session.scalars(select(OutboxRow.payload))
        return sum("meeting_id" in payload for payload in payloads)


async def asked(database: Database) -> list[TaskRow]:
    """The tasks that meetings gave."""
    async with database.transaction() as session:
        query = select(TaskRow).where(TaskRow.effect_key.startswith("meeting/"))
        return list((await session.scalars(query.order_by(TaskRow.effect_key))).all())
