"""Start one run of a playbook made for a test, past the director, as if it had ruled so."""

import uuid

from sqlalchemy import insert, select, update
from temporalio.client import Client

from activities.contracts import InterventionRunState
from domain.playbook import Playbook
from domain.time import BusinessInstant
from domain.vocabulary import InterventionState, Purpose
from models.database import Database
from models.playbooks import publish
from models.tables.playbooks import InterventionRow, PlaybookRow, PlaybookVersionRow
from workflows import policies
from workflows.intervention import InterventionWorkflow, workflow_id


def one_letter(purpose: Purpose = Purpose.LIFECYCLE, key: str | None = None, **more: object) -> Playbook:
    """A playbook that writes one letter and then rests for a week."""
    letter = {"template": "stay-in-touch", "to": ["champion", "admin"], "purpose": purpose.value}
    document = {
        "key": key or f"one-{purpose.value}-letter",
        "name": "One letter",
        "description": "A letter of the tests.",
        "motion": "retention",
        "priority": 1,
        "trigger": {"signals": ["qbr_missed"]},
        "goal": {"when": "touchpoint", "window": "30d"},
        "steps": [{"id": "letter", "send_email": letter}, {"id": "rest", "wait": {"duration": "7d"}}],
    }
    return Playbook.model_validate(document | more)


async def open_run(
    database: Database, document: Playbook, customer_id: uuid.UUID, now: BusinessInstant
) -> uuid.UUID:
    """Write an open run of this document, whose workflow is not started yet."""
    run_id = uuid.uuid4()
    async with database.transaction() as session:
        await publish(session, document, now)
        version = await session.scalar(
            select(PlaybookVersionRow.id).where(PlaybookVersionRow.playbook_key == document.key)
        )
        released = update(PlaybookRow).where(PlaybookRow.key == document.key)
        await session.execute(released.values(released_at=now))
        await session.execute(
            insert(InterventionRow).values(
                id=run_id,
                customer_id=customer_id,
                playbook_key=document.key,
                version_id=version,
                reason="a test",
                causes=[],
                state=InterventionState.RUNNING,
                position={},
                planned_at=now,
                started_at=now,
            )
        )
    return run_id


async def start_run(client: Client, run_id: uuid.UUID, opens_with: str | None = None) -> None:
    """Start the workflow of an open run; `opens_with` names a first step that is a message."""
    await client.start_workflow(
        InterventionWorkflow.run,
        InterventionRunState(run_id, opens_with=opens_with),
        id=workflow_id(run_id),
        task_queue=policies.LIFECYCLE_QUEUE,
    )
