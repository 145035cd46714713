"""`/api/cases` and `/api/offers`: what is collected and won back, by whose hand it is held, what it costs."""

import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, Field

from api.guards import also, needs
from api.resources.case_shapes import Case, CaseDetail, Offer
from api.resources.pages import STATE, ApiRequest, Cursor, Limit, Page, hand_of, page_of, write_once
from domain.case_vocabulary import CaseKind, CaseOutcome, CaseState, OfferState
from domain.permissions import Permission
from models.case_control import hold_case, look_again, resume_case, stop_case
from models.clock import StoredClock
from models.database import Database, Session
from models.resources.cases import CaseFilter, list_cases, list_offers, load_case_detail
from models.run_control import LONGEST_REASON

CONTROL = needs(Permission.CONTROL_RUNS)
Act = Callable[[Session], Awaitable[None]]


class HoldCase(BaseModel):
    """Why it is held: it stands in its record with the name of whoever says it."""

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]


class StopCase(BaseModel):
    """How the case ends, and why: an unpaid invoice is written_off or stopped, a win-back lost or stopped."""

    outcome: CaseOutcome = CaseOutcome.STOPPED
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]


class CaseResource(Controller):
    """Cases."""

    path = "/cases"
    opt = needs(Permission.READ_CUSTOMERS)
    guards = [also(Permission.READ_RUNS)]  # noqa: RUF012  as Litestar declares it
    tags = ["Cases"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(
        self,
        database: NamedDependency[Database],
        states: Annotated[list[CaseState] | None, STATE] = None,
        kind: FromQuery[CaseKind | None] = None,
        stage: FromQuery[str | None] = None,
        customer: FromQuery[uuid.UUID | None] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[Case]:
        """List cases, the newest first."""
        chosen = CaseFilter(kind, states or [], stage, customer)
        async with database.transaction() as session:
            return page_of(Case, await list_cases(session, chosen, cursor, limit))

    @get("/{case_id:uuid}")
    async def show(self, case_id: FromPath[uuid.UUID], database: NamedDependency[Database]) -> CaseDetail:
        """Return one case with its steps, attempts, letters and decisions."""
        async with database.transaction() as session:
            return await _shown(session, case_id)

    @post("/{case_id:uuid}/hold", opt=CONTROL, status_code=HTTP_200_OK)
    async def hold(
        self,
        request: ApiRequest,
        case_id: FromPath[uuid.UUID],
        data: JSONBody[HoldCase],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> CaseDetail:
        """Hold the case: it goes on listening, and does nothing until it is resumed."""
        act = partial(hold_case, case_id=case_id, reason=data.reason, hand=hand_of(request, clock))
        return await _steered(request, database, clock, case_id, act)

    @post("/{case_id:uuid}/resume", opt=CONTROL, status_code=HTTP_200_OK)
    async def resume(
        self,
        request: ApiRequest,
        case_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> CaseDetail:
        """End the hold of a person; the case looks again at once."""
        act = partial(resume_case, case_id=case_id, hand=hand_of(request, clock))
        return await _steered(request, database, clock, case_id, act)

    @post("/{case_id:uuid}/stop", opt=CONTROL, status_code=HTTP_200_OK)
    async def stop(
        self,
        request: ApiRequest,
        case_id: FromPath[uuid.UUID],
        data: JSONBody[StopCase],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> CaseDetail:
        """End the case; its open tasks are closed, nothing more goes out, the provider is told nothing."""
        act = partial(
            stop_case, case_id=case_id, reason=data.reason, outcome=data.outcome, hand=hand_of(request, clock)
        )
        return await _steered(request, database, clock, case_id, act)

    @post("/{case_id:uuid}/ring", opt=CONTROL, status_code=HTTP_200_OK)
    async def ring(
        self,
        request: ApiRequest,
        case_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> CaseDetail:
        """Have the case look at its evidence now; a workflow that is gone is started from what is stored."""
        act = partial(look_again, case_id=case_id, hand=hand_of(request, clock))
        return await _steered(request, database, clock, case_id, act)


class OfferResource(Controller):
    """What was offered, and what it costs."""

    path = "/offers"
    opt = needs(Permission.READ_CUSTOMERS)
    guards = [also(Permission.READ_RUNS)]  # noqa: RUF012  as Litestar declares it
    tags = ["Cases"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(
        self,
        database: NamedDependency[Database],
        states: Annotated[list[OfferState] | None, STATE] = None,
        customer: FromQuery[uuid.UUID | None] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[Offer]:
        """List offers of runs and cases, the newest first."""
        async with database.transaction() as session:
            return page_of(Offer, await list_offers(session, states or [], customer, cursor, limit))


async def _steered(
    request: ApiRequest, database: Database, clock: StoredClock, case_id: uuid.UUID, act: Act
) -> CaseDetail:
    """Let a person's hand act on a case, once for one request, and return how it stands then."""

    async def write(session: Session) -> CaseDetail:
        await act(session)
        return await _shown(session, case_id)

    return await write_once(request, database, clock, CaseDetail, write)


async def _shown(session: Session, case_id: uuid.UUID) -> CaseDetail:
    return CaseDetail.model_validate(await load_case_detail(session, case_id))
