"""A case that stands open for one customer, and the things that are done for it."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from activities.deeds import Deeds, Doing
from activities.letters import Letterhead
from domain.case_vocabulary import CaseKind, CaseOutcome
from domain.links import LinkMaker
from domain.ports import EmailAddress
from domain.time import BusinessInstant
from domain.vocabulary import EffectState, StepState
from integrations.invitations import CalendarInvitations
from integrations.jinja_renderer import JinjaMessageRenderer
from models.case_steps import CaseRecord, CaseVisit, begin_visit, records_of
from models.cases import CaseEnding, NewCase, end_case, load_case, open_case
from models.database import Database, Session
from models.deed_places import CasePlace
from models.deeds import Deed, Outcome
from models.effects import Effect
from models.installation import release
from models.send_ledger import Become
from models.tables.ledger import EffectRow
from models.tables.work import TaskRow
from tests.support.scenario import Scenario
from tests.support.steps import HandClock
from workers.library import LIBRARY

NOON = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))  # a Wednesday


@dataclass
class Till:
    """A provider in memory that takes each delivery id once while it remembers it."""

    then: Callable[[], None] = lambda: None
    """Raises what goes wrong, before or after it was taken."""
    takes_first: bool = True
    memory: set[str] = field(default_factory=set)
    taken: list[str] = field(default_factory=list)

    async def call(self, delivery_id: str) -> str:
        if not self.takes_first:
            self.then()
        if delivery_id not in self.memory:
            self.memory.add(delivery_id)
            self.taken.append(delivery_id)
        if self.takes_first:
            self.then()
        return "taken"

    async def look_up(self, effect: Effect) -> str | None:
        return "taken" if effect.delivery_id in self.taken else None


@dataclass
class OpenCase:
    """One open case of one customer, and verbs on it."""

    database: Database
    scene: Scenario
    clock: HandClock
    case_id: uuid.UUID
    visit: CaseVisit
    against: str | None = None
    recorded: list[str] = field(default_factory=list)

    async def do(self, till: Till, attempt: int = 1) -> str:
        """Have a charge done by a till, as the activity does."""
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt)
        done: str = await environment.run(Deeds(self.database, self.clock).do, self._doing(till))
        return done

    def _doing(self, till: Till) -> Doing[str]:
        deed = Deed(CasePlace(self.visit), "payment", "in_1", "till", {"amount": 100})
        done = Outcome(EffectState.CONFIRMED, Become(StepState.DONE), "receipt")
        return Doing(
            deed,
            self._wanted,
            till.call,
            till.look_up,
            dt.timedelta(hours=23),
            lambda _result: done,
            self._record,
        )

    async def _wanted(self, _session: Session, _now: BusinessInstant) -> str | None:
        return self.against

    async def _record(self, _session: Session, _effect: Effect, result: str) -> None:
        self.recorded.append(result)

    async def end(self) -> None:
        """End the case, as a payment does."""
        async with self.database.transaction() as session:
            case = await load_case(session, self.case_id)
            ending = CaseEnding(CaseOutcome.RECOVERED, "The invoice was paid.")
            await end_case(session, case, ending, self.clock.now(), self.clock.wall_now())

    async def record(self) -> CaseRecord:
        """Return what has become of its one visit."""
        async with self.database.transaction() as session:
            return (await records_of(session, self.case_id))[self.visit.step, self.visit.occurrence]

    async def effects(self) -> Sequence[EffectRow]:
        """Return the ledger's rows of the case."""
        async with self.database.transaction() as session:
            return (await session.scalars(select(EffectRow).order_by(EffectRow.claimed_at))).all()

    async def tasks(self) -> Sequence[TaskRow]:
        """Return what people are asked about it."""
        async with self.database.transaction() as session:
            return (await session.scalars(select(TaskRow))).all()

    async def lose_the_lease(self) -> None:
        """Let the lease of its effect be over, as after a kill and a while."""
        self.clock.pass_by(dt.timedelta(seconds=16))


async def open_one(
    database: Database, *, now: BusinessInstant = NOON, released: bool = True, **customer: Any
) -> OpenCase:
    """Open a dunning case whose one visit is asked for."""
    clock = HandClock(at=now)
    scene = await Scenario(database, now).begin(**customer)
    async with database.transaction() as session:
        if released:
            await release(session, now, clock.wall_now())
        new = NewCase(CaseKind.DUNNING, scene.customer_id, "in_1", "dunning/in_1", {}, "new", "Not paid.")
        case_id = await open_case(session, new, now, clock.wall_now())
        assert case_id is not None
        visit = CaseVisit(case_id, "charge")
        await begin_visit(session, visit, "payment", now)
    return OpenCase(database, scene, clock, case_id, visit)


def letterhead() -> Letterhead:
    """Return how letters are written in tests."""
    links = LinkMaker("https://everstay.example", "a secret of the tests")
    team = EmailAddress("team@everstay.example", "Team")
    return Letterhead(JinjaMessageRenderer(LIBRARY / "templates"), links, team, CalendarInvitations())
