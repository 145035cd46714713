"""A run that stands at one step which another activity does, and what is recorded of it."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import insert, select, update
from temporalio.testing import ActivityEnvironment

from activities.contracts import PerformInput, PerformResult
from activities.performing import Performer, StepActivities
from domain.playbook import Playbook
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import InterventionState, StepState
from models.clock import wall_now
from models.database import Database
from models.playbooks import PlaybookShelf
from models.step_visits import Visit
from models.tables.ledger import DecisionRow, EffectRow
from models.tables.playbooks import InterventionRow, InterventionStepRow
from tests.support.runs import open_run
from tests.support.scenario import Scenario

MONDAY = BusinessInstant(dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC))
STEP = "it"


@dataclass
class HandClock:
    """Both times, moved by hand."""

    at: BusinessInstant = MONDAY
    wall: WallInstant = field(default_factory=wall_now)

    def wall_now(self) -> WallInstant:
        return self.wall

    def now(self) -> BusinessInstant:
        return self.at

    def wall_at(self, due: BusinessInstant) -> WallInstant:
        return WallInstant(self.wall + (due - self.at))

    def business_at(self, wall: WallInstant) -> BusinessInstant:
        return BusinessInstant(self.at + (wall - self.wall))

    def pass_by(self, span: dt.timedelta) -> None:
        self.at, self.wall = BusinessInstant(self.at + span), WallInstant(self.wall + span)


@dataclass
class Standing:
    """One run at its step `it`; verbs that have the step done."""

    database: Database
    scene: Scenario
    run_id: uuid.UUID
    kind: str
    clock: HandClock = field(default_factory=HandClock)

    @property
    def visit(self) -> Visit:
        return Visit(self.run_id, STEP, 1)

    async def perform(self, performer: Performer, attempt: int = 1) -> PerformResult:
        """Have the step done, as the worker does at this attempt."""
        activities = StepActivities(self.database, self.clock, PlaybookShelf(), {self.kind: performer})
        env = ActivityEnvironment()
        env.info = replace(env.info, attempt=attempt)
        asked = PerformInput(self.run_id, STEP, 1, self.kind)
        found: PerformResult = await env.run(activities.perform_step, asked)
        return found

    async def row(self) -> InterventionStepRow:
        async with self.database.transaction() as session:
            found = (
                await session.execute(
                    select(InterventionStepRow).where(InterventionStepRow.intervention_id == self.run_id)
                )
            ).scalar_one()
            session.expunge(found)
            return found

    async def effects(self) -> list[EffectRow]:
        async with self.database.transaction() as session:
            found = (await session.scalars(select(EffectRow).order_by(EffectRow.key))).all()
            session.expunge_all()
            return list(found)

    async def sentences(self) -> list[str]:
        async with self.database.transaction() as session:
            row = DecisionRow
            query = select(row.sentence).where(row.intervention_id == self.run_id).order_by(row.decided_at)
            return list((await session.scalars(query)).all())

    async def finish(self, state: StepState, reason: str) -> None:
        """Record the step as over, as the interpreter does at a timeout."""
        async with self.database.transaction() as session:
            rows = update(InterventionStepRow).where(InterventionStepRow.intervention_id == self.run_id)
            await session.execute(rows.values(state=state, reason=reason))


def one_step(step: Mapping[str, Any], **more: Any) -> Playbook:
    """A playbook whose first step is this one, named `it`."""
    document = {
        "key": "one-step",
        "name": "One step",
        "description": "A step of the tests.",
        "motion": "retention",
        "priority": 1,
        "trigger": {"signals": ["qbr_missed"]},
        "goal": {"when": "touchpoint", "window": "60d"},
        "steps": [{"id": STEP, **step}, {"id": "rest", "wait": {"duration": "7d"}}],
    }
    return Playbook.model_validate(document | more)


async def stand_at(
    database: Database, step: Mapping[str, Any], *, scene: Scenario | None = None, **more: Any
) -> Standing:
    """Open a run of a customer with a champion, whose workflow has just asked for this step."""
    scene = scene or await Scenario(database, MONDAY).begin()
    document = one_step(step, **more)
    run_id = await open_run(database, document, scene.customer_id, MONDAY)
    position = {"step": STEP, "entered_at": MONDAY.isoformat(), "visits": {STEP: 1}}
    kind = document.steps[0].kind
    async with database.transaction() as session:
        run = update(InterventionRow).where(InterventionRow.id == run_id)
        await session.execute(run.values(position=position, state=InterventionState.RUNNING))
        await session.execute(
            insert(InterventionStepRow).values(
                id=uuid.uuid4(),
                intervention_id=run_id,
                step_id=STEP,
                occurrence=1,
                kind=kind,
                state=StepState.STARTED,
                detail={},
                started_at=MONDAY,
            )
        )
    return Standing(database, scene, run_id, kind)
