"""`/api/monitor`: what does not go on by itself, and its repairs."""

import datetime as dt
import uuid
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, Field

from api.guards import needs
from api.resources.pages import ApiRequest, hand_of, write_once
from domain.errors import NotFoundError
from domain.monitoring import Repair, Trouble, late_since
from domain.permissions import Permission
from domain.vocabulary import Outcome
from models.clock import StoredClock
from models.database import Database, Session
from models.model_health import load_model_health
from models.monitor import Monitored, load_monitor
from models.repairs import MOST_AT_ONCE, RepairOrder, named, repair_all
from models.run_control import LONGEST_REASON


class FindingShape(BaseModel):
    """One thing that stands still. `since` is of the machine's clock where `is_wall`, else business time."""

    model_config = ConfigDict(from_attributes=True)

    key: str
    trouble: Trouble
    customer_id: uuid.UUID
    customer: str
    run_id: uuid.UUID | None
    case_id: uuid.UUID | None
    playbook: str | None
    sentence: str
    since: dt.datetime
    is_wall: bool
    repairs: list[Repair]


class LookShape(BaseModel):
    """When Temporal was last asked; `problem` says what kept it from answering."""

    model_config = ConfigDict(from_attributes=True)

    at: dt.datetime
    looked_at: int
    problem: str | None


class MonitorShape(BaseModel):
    """What was found, how many of each kind, and the last look at Temporal, null before the first."""

    counts: dict[Trouble, int]
    findings: list[FindingShape]
    look: LookShape | None


class ModelHealthShape(BaseModel):
    """A look at a model: stability index per column and of the score, outcomes, and alerts in words."""

    model_version: str
    as_of: dt.date
    customers: int
    reference_on: dt.date
    score_psi: float | None
    columns: list[dict[str, Any]]
    outcomes: dict[str, Any]
    alerts: list[dict[str, Any]]


class NewRepair(BaseModel):
    """The same repair for one finding or many; a stop needs an outcome and a reason."""

    repair: Repair
    findings: Annotated[list[str], Field(min_length=1, max_length=MOST_AT_ONCE)]
    outcome: Outcome | None = None
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""


class Refused(BaseModel):
    """A finding that was not repaired, and why."""

    key: str
    reason: str


class RepairedShape(BaseModel):
    """What became of a repair; what had been mended in the meantime is in neither list."""

    done: list[str]
    refused: list[Refused]


class MonitorController(Controller):
    """What an operator looks at."""

    path = "/monitor"
    opt = needs(Permission.READ_RUNS)
    tags = ["Monitor"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(
        self, database: NamedDependency[Database], clock: NamedDependency[StoredClock]
    ) -> MonitorShape:
        """Return what has gone wrong, each with the repairs that it may have."""
        async with database.transaction() as session:
            return shown(await look(session, clock))

    @get("/models")
    async def models(
        self, database: NamedDependency[Database], clock: NamedDependency[StoredClock]
    ) -> list[ModelHealthShape]:
        """Return the newest look at each model that scores: what it reads, and how right it was."""
        async with database.transaction() as session:
            found = await load_model_health(session, clock.now().date())
        return [ModelHealthShape(**vars(one)) for one in found]

    @post("/repairs", opt=needs(Permission.REPAIR_RUNS), status_code=HTTP_200_OK)
    async def repair(
        self,
        request: ApiRequest,
        data: JSONBody[NewRepair],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> RepairedShape:
        """Repair findings by their keys, each by itself: one that cannot be keeps no other from it."""
        order = RepairOrder(data.repair, data.outcome, data.reason)

        async def write(session: Session) -> RepairedShape:
            found = named((await look(session, clock)).findings, data.findings)
            if not found:
                raise NotFoundError(what="open finding", key=data.findings[0])
            repaired = await repair_all(session, found, order, hand_of(request, clock))
            refused = [Refused(key=key, reason=reason) for key, reason in repaired.refused]
            return RepairedShape(done=list(repaired.done), refused=refused)

        return await write_once(request, database, clock, RepairedShape, write)


async def look(session: Session, clock: StoredClock) -> Monitored:
    """Return what the monitor sees now."""
    return await load_monitor(session, late_since(clock.now(), clock.rate), clock.wall_now())


def shown(found: Monitored) -> MonitorShape:
    """Return it for programs."""
    return MonitorShape(
        counts={trouble: len(found.of(trouble)) for trouble in Trouble},
        findings=[FindingShape.model_validate(one) for one in found.findings],
        look=LookShape.model_validate(found.look) if found.look is not None else None,
    )
