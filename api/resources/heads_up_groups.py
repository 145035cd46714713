"""`/api/heads-up-groups`: warnings by customer, ranked by the revenue at stake, and handled together."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, Field

from api.guards import needs
from api.resources.customers import Owner, person
from api.resources.instants import Instant
from api.resources.pages import ApiRequest, write_once
from api.resources.shapes import HeadsUp, Shape
from domain.permissions import Permission
from domain.time import business
from domain.vocabulary import Severity
from models.clock import StoredClock
from models.database import Database, Session
from models.heads_up_groups import acknowledge_group, close_group, list_groups, snooze_group
from models.resources.work import WorkFilter

WRITE = needs(Permission.DO_WORK)
MOST_AT_ONCE = 500
Ids = Annotated[list[uuid.UUID], Field(min_length=1, max_length=MOST_AT_ONCE)]


class HeadsUpGroup(Shape):
    """One customer with the warnings that wait there; `severity` is that of the worst."""

    customer_id: uuid.UUID
    customer: str
    arr_minor: int
    currency: str
    severity: Severity
    heads_ups: list[HeadsUp]


class HeadsUpGroups(BaseModel):
    """The customers with the most revenue at stake, and how many there are in all."""

    items: list[HeadsUpGroup]
    total: int


class Chosen(BaseModel):
    """Which warnings of the customer: all that are open, unless some are named."""

    heads_up_ids: Ids | None = None


class SnoozeGroup(Chosen):
    """When they shall come back, in business time."""

    until: Instant


class CloseGroup(Chosen):
    """Why they need nobody any more."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class GroupChanged(BaseModel):
    """How many warnings changed; what was closed in the meantime is not among them."""

    changed: int


class HeadsUpGroupController(Controller):
    """Early warnings by customer."""

    path = "/heads-up-groups"
    opt = needs(Permission.READ_WORK)
    tags = ["Work"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(
        self,
        request: ApiRequest,
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
        owner: Owner = None,
        customer: FromQuery[uuid.UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=200, description="Customers returned.")] = 50,
    ) -> HeadsUpGroups:
        """List customers whose warnings wait: most revenue first, of equals the worst warned of."""
        chosen = WorkFilter(person(request, owner), customer)
        async with database.transaction() as session:
            groups, total = await list_groups(session, chosen, clock.now(), limit)
        return HeadsUpGroups(items=[HeadsUpGroup.model_validate(vars(one)) for one in groups], total=total)

    @post("/{customer_id:uuid}/acknowledge", opt=WRITE, status_code=HTTP_200_OK)
    async def acknowledge(
        self,
        request: ApiRequest,
        customer_id: FromPath[uuid.UUID],
        data: JSONBody[Chosen],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> GroupChanged:
        """Say that somebody has seen them."""
        write = _counted(
            lambda session: acknowledge_group(session, customer_id, data.heads_up_ids, clock.now())
        )
        return await write_once(request, database, clock, GroupChanged, write)

    @post("/{customer_id:uuid}/snooze", opt=WRITE, status_code=HTTP_200_OK)
    async def snooze(
        self,
        request: ApiRequest,
        customer_id: FromPath[uuid.UUID],
        data: JSONBody[SnoozeGroup],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> GroupChanged:
        """Put them away for a while."""
        until, ids = business(data.until), data.heads_up_ids
        write = _counted(lambda session: snooze_group(session, customer_id, ids, until, clock.now()))
        return await write_once(request, database, clock, GroupChanged, write)

    @post("/{customer_id:uuid}/close", opt=WRITE, status_code=HTTP_200_OK)
    async def close(
        self,
        request: ApiRequest,
        customer_id: FromPath[uuid.UUID],
        data: JSONBody[CloseGroup],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> GroupChanged:
        """Close them by hand."""
        reason, ids = data.reason, data.heads_up_ids
        write = _counted(lambda session: close_group(session, customer_id, ids, reason, clock.now()))
        return await write_once(request, database, clock, GroupChanged, write)


def _counted(change: Callable[[Session], Awaitable[int]]) -> Callable[[Session], Awaitable[GroupChanged]]:
    async def write(session: Session) -> GroupChanged:
        return GroupChanged(changed=await change(session))

    return write
