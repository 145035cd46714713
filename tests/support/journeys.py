"""One run of a recipe on the loop, begun past the director at ten on a Monday, and what comes of it."""

import datetime as dt
import uuid
from collections.abc import Mapping

from domain.edit_impact import Choices, OnOpen
from domain.playbook import Playbook
from domain.vocabulary import InterventionState, Outcome, PauseScope, StepState
from models.hands import Hand
from models.installation import release
from models.playbook_edits import publish_edit
from models.playbooks import Author, publish
from models.resting import end_rest, find_rest, order_rest
from models.tables.playbooks import InterventionRow, InterventionStepRow
from tests.support.loop import Loop
from tests.support.runs import one_letter, open_run, start_run
from tests.support.scenario import Scenario

MOMENT = dt.timedelta(minutes=5)
LAST = {"id": "behind", "notify": {"title": "Look at $customer", "body": "Now."}}
PATIENT = {"when": "renewed", "outcome": "renewed", "window": "90d"}
"""A goal that is not reached, so that only what a test does ends the run."""


def letter(name: str, **more: object) -> dict[str, object]:
    """A step that writes to the champion."""
    return {"id": name, "send_email": {"template": "stay-in-touch", "to": ["champion"]} | more}


def rest(name: str, span: str) -> dict[str, object]:
    """A step that lets time pass."""
    return {"id": name, "wait": {"duration": span}}


def call(name: str, title: str = "Call $customer") -> dict[str, object]:
    """A step that makes work for the CSM."""
    return {"id": name, "create_task": {"title": title, "body": "Now."}}


def recipe(*steps: Mapping[str, object], **more: object) -> Playbook:
    """A playbook of these steps that ends by what a test does; a wait at its end has something behind it."""
    given: dict[str, object] = {"key": "a-journey", "steps": list(steps), "goal": PATIENT} | more
    playbook = one_letter(**given)  # type: ignore[arg-type]  # its own names, and those of the document
    if not playbook.is_moot(playbook.steps[-1]):
        return playbook
    return one_letter(**given | {"steps": [*steps, LAST]})  # type: ignore[arg-type]  # as above


class Journey:
    """One run, and hands on it."""

    def __init__(self, loop: Loop, scene: Scenario, run_id: uuid.UUID) -> None:
        self.loop, self.scene, self.run_id = loop, scene, run_id

    @property
    def hand(self) -> Hand:
        return Hand("Ada Osei", None, self.loop.clock.now(), self.loop.clock.wall_now())

    async def row(self) -> InterventionRow:
        return next(row for row in await self.scene.runs() if row.id == self.run_id)

    async def at(self) -> str | None:
        return (await self.row()).position.get("step")

    async def ending(self) -> tuple[InterventionState, Outcome | None]:
        row = await self.row()
        return row.state, row.outcome

    async def visits(self) -> dict[str, InterventionStepRow]:
        """The record of each step, which no recipe of a test visits twice."""
        return {row.step_id: row for row in await self.scene.steps() if row.intervention_id == self.run_id}

    async def became(self, step_id: str) -> tuple[StepState, str | None]:
        row = (await self.visits())[step_id]
        return row.state, row.reason

    async def hear(self) -> None:
        """Deliver what was told, and let the run look."""
        await self.loop.ring()
        await self.loop.decided(self.scene.customer_id)
        await self.loop.pass_time(MOMENT)

    async def have_rest(self, scope: PauseScope = PauseScope.PLAYBOOK) -> None:
        key = str(self.run_id) if scope is PauseScope.RUN else (await self.row()).playbook_key
        async with self.loop.database.transaction() as session:
            await order_rest(session, scope, key, None, "they are on holiday", self.hand)
        await self.hear()

    async def have_go_on(self, scope: PauseScope = PauseScope.PLAYBOOK) -> None:
        key = str(self.run_id) if scope is PauseScope.RUN else (await self.row()).playbook_key
        async with self.loop.database.transaction() as session:
            found = await find_rest(session, scope, key, self.hand.now)
            await end_rest(session, found.id, self.hand)
        await self.hear()

    async def publish(self, document: Playbook, on_open: OnOpen = OnOpen.MIGRATE) -> None:
        await publish_edit(self.loop.database, self.loop.clock, document, Choices(on_open), Author())
        await self.hear()


async def journey(loop: Loop, scene: Scenario, document: Playbook, *, resting: bool = False) -> Journey:
    """Start a run of this document at ten on Monday, perhaps in a rest of its playbook."""
    await loop.pass_time(dt.timedelta(hours=2))
    run_id = await open_run(loop.database, document, scene.customer_id, loop.clock.now())
    made = Journey(loop, scene, run_id)
    if resting:
        await made.have_rest()
    await start_run(loop.client, run_id)
    await loop.pass_time(MOMENT)
    return made


async def adopt(loop: Loop, document: Playbook) -> None:
    """Publish a playbook and release it, so that the director may open runs of it."""
    async with loop.database.transaction() as session:
        await publish(session, document, loop.clock.now())
        await release(session, loop.clock.now(), loop.clock.wall_now(), playbook_key=document.key)
