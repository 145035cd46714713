"""`/api/pauses`: what a person has ordered to rest, and the end of it."""

import datetime as dt
import uuid
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from pydantic import BaseModel, ConfigDict, Field

from api.guards import needs
from api.resources.instants import Instant
from api.resources.pages import ApiRequest, hand_of, write_once
from domain.permissions import Permission, may_rest
from domain.time import BusinessInstant, business
from domain.vocabulary import PauseScope
from models.clock import StoredClock
from models.database import Database, Session
from models.pauses import LONGEST_REASON
from models.resting import end_rest, load_rest, order_rest, rests_before, rests_now


class NewRest(BaseModel):
    """Why, and until when in business time; null until a person ends it."""

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]
    until: Instant | None = None


class NewPause(NewRest):
    """What rests: `key` is a playbook's key, a segment, or the id of a customer or a run."""

    scope: PauseScope
    key: Annotated[str, Field(max_length=200)] = ""


class RestShape(BaseModel):
    """One rest. `ended_at` is null while it holds or where it ran out by itself."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    scope: PauseScope
    key: str
    name: str
    reason: str
    by: str | None
    since: dt.datetime
    until: dt.datetime | None
    ended_at: dt.datetime | None


class Rests(BaseModel):
    """What rests now, the widest first, and the latest rests that are over."""

    now: list[RestShape]
    before: list[RestShape]


class PauseController(Controller):
    """Rests."""

    path = "/pauses"
    opt = needs(Permission.READ_RUNS)
    tags = ["Runs"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(self, database: NamedDependency[Database], clock: NamedDependency[StoredClock]) -> Rests:
        """List what rests."""
        async with database.transaction() as session:
            return Rests(
                now=[RestShape.model_validate(one) for one in await rests_now(session, clock.now())],
                before=[RestShape.model_validate(one) for one in await rests_before(session, clock.now())],
            )

    @post("/", opt=needs(Permission.ORDER_RESTS), status_code=HTTP_201_CREATED)
    async def pause(
        self,
        request: ApiRequest,
        data: JSONBody[NewPause],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> RestShape:
        """Order a rest. One of a run or a customer needs runs:write too; what is wider, effects:stop."""
        may_rest(request.user.may, data.scope, request.user.who)

        async def write(session: Session) -> RestShape:
            hand, until = hand_of(request, clock), business_or_none(data.until)
            pause_id = await order_rest(session, data.scope, data.key, until, data.reason, hand)
            return RestShape.model_validate(await load_rest(session, pause_id))

        return await write_once(request, database, clock, RestShape, write)

    @post("/{pause_id:uuid}/resume", opt=needs(Permission.ORDER_RESTS), status_code=HTTP_200_OK)
    async def resume(
        self,
        request: ApiRequest,
        pause_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> RestShape:
        """End a rest. One of a run or a customer needs runs:write too; what is wider, effects:start."""

        async def write(session: Session) -> RestShape:
            rest = await load_rest(session, pause_id)
            may_rest(request.user.may, rest.scope, request.user.who, ends=True)
            await end_rest(session, pause_id, hand_of(request, clock))
            return RestShape.model_validate(await load_rest(session, pause_id))

        return await write_once(request, database, clock, RestShape, write)


def business_or_none(at: dt.datetime | None) -> BusinessInstant | None:
    """Return the instant as business time, if there is one."""
    return business(at) if at is not None else None
