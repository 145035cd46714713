"""`/api/interventions` and `/api/installation`: what runs, and what may act."""

import uuid
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, Field

from api.guards import needs
from api.resources.pages import STATE, ApiRequest, Cursor, Limit, Page, page_of, write_once
from api.resources.shapes import Installation, Intervention, InterventionDetail
from domain.permissions import Permission
from domain.vocabulary import InterventionState
from models.clock import StoredClock
from models.database import Database, Session
from models.installation import load_installation, observe_again, release, start_effects, stop_effects
from models.resources.runs import RunFilter, list_interventions, load_intervention


class Release(BaseModel):
    """How many planned runs may start on a business day; null for all of them at once."""

    per_day: Annotated[int, Field(ge=1, le=100_000)] | None = None


class InterventionController(Controller):
    """Runs."""

    path = "/interventions"
    opt = needs(Permission.READ_RUNS)
    tags = ["Runs"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(
        self,
        database: NamedDependency[Database],
        states: Annotated[list[InterventionState] | None, STATE] = None,
        customer: FromQuery[uuid.UUID | None] = None,
        playbook: FromQuery[str | None] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[Intervention]:
        """List runs, the newest first."""
        chosen = RunFilter(customer, playbook)
        async with database.transaction() as session:
            found = await list_interventions(session, chosen, states or [], cursor, limit)
        return page_of(Intervention, found)

    @get("/{intervention_id:uuid}")
    async def show(
        self, intervention_id: FromPath[uuid.UUID], database: NamedDependency[Database]
    ) -> InterventionDetail:
        """Return one run with its steps."""
        async with database.transaction() as session:
            return InterventionDetail.model_validate(await load_intervention(session, intervention_id))


class InstallationController(Controller):
    """The switches of everything."""

    path = "/installation"
    opt = needs(Permission.READ_PLAYBOOKS)
    tags = ["Installation"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, database: NamedDependency[Database]) -> Installation:
        """Say whether the installation observes or acts, and whether effects are stopped."""
        async with database.transaction() as session:
            return await _shown(session)

    @post("/release", opt=needs(Permission.RELEASE), status_code=HTTP_200_OK)
    async def release(
        self,
        request: ApiRequest,
        data: JSONBody[Release],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Installation:
        """Let every playbook act from now on; what is planned starts, at the rate given."""

        async def write(session: Session) -> Installation:
            told = await release(session, clock.now(), clock.wall_now(), per_day=data.per_day)
            return await _shown(session, told)

        return await write_once(request, database, clock, Installation, write)

    @post("/observe", opt=needs(Permission.RELEASE), status_code=HTTP_200_OK)
    async def observe(
        self,
        request: ApiRequest,
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Installation:
        """Take every release back: new runs are only planned; those that run go on."""

        async def write(session: Session) -> Installation:
            await observe_again(session)
            return await _shown(session)

        return await write_once(request, database, clock, Installation, write)

    @post("/effects/stop", opt=needs(Permission.STOP_EFFECTS), status_code=HTTP_200_OK)
    async def stop(
        self,
        request: ApiRequest,
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Installation:
        """Stop every outward effect at once; deciding goes on."""
        user = request.user.user_id

        async def write(session: Session) -> Installation:
            await stop_effects(session, clock.now(), user)
            return await _shown(session)

        return await write_once(request, database, clock, Installation, write)

    @post("/effects/start", opt=needs(Permission.START_EFFECTS), status_code=HTTP_200_OK)
    async def start(
        self,
        request: ApiRequest,
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Installation:
        """Allow effects again; what was put off is asked about anew."""

        async def write(session: Session) -> Installation:
            return await _shown(session, await start_effects(session, clock.now(), clock.wall_now()))

        return await write_once(request, database, clock, Installation, write)


async def _shown(session: Session, told: int = 0) -> Installation:
    found = await load_installation(session)
    return Installation.model_validate({**vars(found), "customers_told": told})
