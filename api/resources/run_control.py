"""`/api/runs/{id}/…` and `/api/run-requests`: start, stop, skip, send back, ring; each by name."""

import uuid
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED
from pydantic import BaseModel, ConfigDict, Field

from api.guards import needs
from api.resources.pages import ApiRequest, hand_of, write_once
from api.resources.pauses import NewRest, RestShape, business_or_none
from api.resources.shapes import InterventionDetail
from domain.permissions import Permission
from domain.vocabulary import Outcome, PauseScope, RequestState
from models.clock import StoredClock
from models.database import Database, Session
from models.hands import Hand
from models.resources.runs import load_intervention
from models.resting import end_rest, find_rest, order_rest
from models.run_control import LONGEST_REASON, restart_run, retry_run, skip_step, stop_run
from models.run_requests import LONGEST_NOTE, load_request, request_run

CONTROL = needs(Permission.CONTROL_RUNS)


class Stop(BaseModel):
    """How the run ends, and why: both stand in its record with the name of whoever says it."""

    outcome: Outcome = Outcome.STOPPED
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]


class Restart(BaseModel):
    """Where to go on; null for the beginning."""

    step: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Retry(BaseModel):
    """Whether to start the workflow anew even if there is one: for one whose own code fails."""

    anew: bool = False


class NewRun(BaseModel):
    """What to run. `is_urgent`: although another run is open or one has ended lately."""

    playbook: Annotated[str, Field(min_length=1, max_length=200)]
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""
    is_urgent: bool = False


class RunRequestShape(BaseModel):
    """A wish for a run: open until it is answered, then opened with `run_id` or refused with `answer`."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    customer_id: uuid.UUID
    playbook_key: str
    note: str
    is_urgent: bool
    state: RequestState
    answer: str | None
    run_id: uuid.UUID | None
    address: str = ""

    def with_address(self) -> "RunRequestShape":
        """Say where its answer will stand."""
        return self.model_copy(update={"address": f"/api/run-requests/{self.id}"})


class RunControlController(Controller):
    """What a person or a program does with one run."""

    path = "/runs/{run_id:uuid}"
    opt = CONTROL
    tags = ["Runs"]  # noqa: RUF012  as Litestar declares it

    @post("/stop", status_code=HTTP_200_OK)
    async def stop(
        self,
        request: ApiRequest,
        run_id: FromPath[uuid.UUID],
        data: JSONBody[Stop],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> InterventionDetail:
        """End the run; its open tasks are closed and nothing more goes out."""

        async def write(session: Session) -> InterventionDetail:
            await stop_run(session, run_id, data.outcome, data.reason, hand_of(request, clock))
            return await _shown(session, run_id)

        return await write_once(request, database, clock, InterventionDetail, write)

    @post("/skip", status_code=HTTP_200_OK)
    async def skip(
        self,
        request: ApiRequest,
        run_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> InterventionDetail:
        """Leave out the step at which the run stands."""

        async def write(session: Session) -> InterventionDetail:
            await skip_step(session, run_id, hand_of(request, clock))
            return await _shown(session, run_id)

        return await write_once(request, database, clock, InterventionDetail, write)

    @post("/restart", status_code=HTTP_200_OK)
    async def restart(
        self,
        request: ApiRequest,
        run_id: FromPath[uuid.UUID],
        data: JSONBody[Restart],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> InterventionDetail:
        """Send the run back; what it has done is not taken back, and what it does again is new."""

        async def write(session: Session) -> InterventionDetail:
            await restart_run(session, run_id, data.step, hand_of(request, clock))
            return await _shown(session, run_id)

        return await write_once(request, database, clock, InterventionDetail, write)

    @post("/retry", status_code=HTTP_200_OK)
    async def retry(
        self,
        request: ApiRequest,
        run_id: FromPath[uuid.UUID],
        data: JSONBody[Retry],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> InterventionDetail:
        """Have the run look again; a workflow that is gone is started from what is stored."""

        async def write(session: Session) -> InterventionDetail:
            await retry_run(session, run_id, hand_of(request, clock), anew=data.anew)
            return await _shown(session, run_id)

        return await write_once(request, database, clock, InterventionDetail, write)

    @post("/pause", status_code=HTTP_200_OK)
    async def pause(
        self,
        request: ApiRequest,
        run_id: FromPath[uuid.UUID],
        data: JSONBody[NewRest],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> RestShape:
        """Have the run rest; it goes on listening, and hears what happened when it goes on."""

        async def write(session: Session) -> RestShape:
            hand, until = hand_of(request, clock), business_or_none(data.until)
            await order_rest(session, PauseScope.RUN, str(run_id), until, data.reason, hand)
            return await _rest_of(session, run_id, hand)

        return await write_once(request, database, clock, RestShape, write)

    @post("/resume", status_code=HTTP_200_OK)
    async def resume(
        self,
        request: ApiRequest,
        run_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> RestShape:
        """End the rest of just this run."""

        async def write(session: Session) -> RestShape:
            hand = hand_of(request, clock)
            rest = await _rest_of(session, run_id, hand)
            await end_rest(session, rest.id, hand)
            return rest.model_copy(update={"ended_at": hand.now})

        return await write_once(request, database, clock, RestShape, write)


class RunRequestController(Controller):
    """Wishes for runs."""

    tags = ["Runs"]  # noqa: RUF012  as Litestar declares it

    @post("/customers/{customer_id:uuid}/runs", opt=CONTROL, status_code=HTTP_202_ACCEPTED)
    async def start(
        self,
        request: ApiRequest,
        customer_id: FromPath[uuid.UUID],
        data: JSONBody[NewRun],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> RunRequestShape:
        """Ask for a run; the director opens it or says why not, and `address` tells which."""

        async def write(session: Session) -> RunRequestShape:
            hand = hand_of(request, clock)
            asked = await request_run(
                session, customer_id, data.playbook, data.note, hand, is_urgent=data.is_urgent
            )
            return RunRequestShape.model_validate(asked).with_address()

        return await write_once(request, database, clock, RunRequestShape, write)

    @get("/run-requests/{request_id:uuid}", opt=needs(Permission.READ_RUNS))
    async def show(
        self, request_id: FromPath[uuid.UUID], database: NamedDependency[Database]
    ) -> RunRequestShape:
        """Say what became of a wish."""
        async with database.transaction() as session:
            found = await load_request(session, request_id)
            return RunRequestShape.model_validate(found).with_address()


async def _shown(session: Session, run_id: uuid.UUID) -> InterventionDetail:
    return InterventionDetail.model_validate(await load_intervention(session, run_id))


async def _rest_of(session: Session, run_id: uuid.UUID, hand: Hand) -> RestShape:
    return RestShape.model_validate(await find_rest(session, PauseScope.RUN, str(run_id), hand.now))
