"""`/api/holding`: events that belong to nobody yet, and whose they are. `/api/metrics`: how uses add up."""

import datetime as dt
import uuid
from typing import Annotated, Any

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, Field

from api.guards import needs
from api.resources.pages import ApiRequest, Limit, said_by, write_once
from domain.permissions import Permission
from domain.usage_windows import MetricKind
from models.clock import StoredClock
from models.database import Database, Session
from models.holding_actions import (
    GroupKey,
    create_customer_of,
    ignore_group,
    link_group,
    unlink_group,
)
from models.metrics import Metric, declare_metric, list_metrics
from models.views.holding import load_held_groups, load_linked_groups, load_reasons

READ = needs(Permission.READ_IMPORTS)
WRITE = needs(Permission.MEND_ROWS)


class Shape(BaseModel):
    """Read from rows."""

    model_config = ConfigDict(from_attributes=True)


class Group(BaseModel):
    """A group as its source names it."""

    source_id: Annotated[str, Field(min_length=1, max_length=200)]
    key: Annotated[str, Field(min_length=1, max_length=500)]


class LinkGroup(Group):
    """Whose a group is."""

    customer_id: uuid.UUID


class GroupSaid(Group):
    """What now holds of a group: the customer it belongs to, none if it is ignored or waits."""

    customer_id: uuid.UUID | None
    state: str


class HeldGroupShape(Shape):
    """A group that nobody knows; traits only for callers who may see raw rows."""

    source_id: str
    key: str
    events: int
    first_at: dt.datetime
    last_at: dt.datetime
    people: int
    names: list[str]
    traits: dict[str, Any] | None
    is_ignored: bool


class LinkedGroupShape(Shape):
    """A group that a person linked."""

    source_id: str
    key: str
    customer_id: uuid.UUID
    customer: str
    since: dt.datetime


class HeldReasonShape(Shape):
    """How much waits, and for what: unknown_group, no_group, ambiguous_group or unknown_user."""

    reason: str
    events: int
    first_at: dt.datetime
    last_at: dt.datetime


class Holding(BaseModel):
    """What waits for somebody."""

    reasons: list[HeldReasonShape]
    groups: list[HeldGroupShape]
    linked: list[LinkedGroupShape]


class MetricShape(Shape):
    """How the uses of a feature add up; `property` holds the quantity of an event."""

    feature: Annotated[str, Field(min_length=1, max_length=200)]
    kind: MetricKind
    unit: str | None = None
    description: str | None = None
    property: str | None = None


class DeclareMetric(BaseModel):
    """A counter adds up; a gauge (seats, storage) stands at something."""

    kind: MetricKind
    unit: Annotated[str | None, Field(max_length=100)] = None
    description: Annotated[str | None, Field(max_length=1000)] = None
    property: Annotated[str | None, Field(min_length=1, max_length=200)] = None


class HoldingController(Controller):
    """Held events."""

    path = "/holding"
    opt = READ
    tags = ["Data"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(
        self,
        request: ApiRequest,
        database: NamedDependency[Database],
        ignored: FromQuery[bool] = False,  # noqa: FBT002 - a query parameter
        limit: Limit = 50,
    ) -> Holding:
        """Return what waits by reason, groups that nobody knows, and those that people linked."""
        async with database.transaction() as session:
            groups = await load_held_groups(session, ignored=ignored, most=limit)
            linked = await load_linked_groups(session, limit)
            reasons = await load_reasons(session)
        shapes = [HeldGroupShape.model_validate(group) for group in groups]
        if not request.user.may(Permission.READ_RAW_ROWS):
            shapes = [shape.model_copy(update={"traits": None}) for shape in shapes]
        return Holding(
            reasons=[HeldReasonShape.model_validate(one) for one in reasons],
            groups=shapes,
            linked=[LinkedGroupShape.model_validate(one) for one in linked],
        )

    @post("/link", opt=WRITE, status_code=HTTP_200_OK)
    async def link(
        self,
        request: ApiRequest,
        data: JSONBody[LinkGroup],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> GroupSaid:
        """Say whose a group is; its held events are counted for them."""

        async def write(session: Session) -> GroupSaid:
            await link_group(session, _key(data), data.customer_id, said_by(request, clock))
            return _answer(data, data.customer_id, "linked")

        return await write_once(request, database, clock, GroupSaid, write)

    @post("/create", opt=WRITE, status_code=HTTP_200_OK)
    async def create(
        self,
        request: ApiRequest,
        data: JSONBody[Group],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> GroupSaid:
        """Make a customer of what was told of a group, and link it."""

        async def write(session: Session) -> GroupSaid:
            customer_id = await create_customer_of(session, _key(data), said_by(request, clock))
            return _answer(data, customer_id, "linked")

        return await write_once(request, database, clock, GroupSaid, write)

    @post("/ignore", opt=WRITE, status_code=HTTP_200_OK)
    async def ignore(
        self,
        request: ApiRequest,
        data: JSONBody[Group],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> GroupSaid:
        """Say that a group is nobody's customer; its events stay held."""

        async def write(session: Session) -> GroupSaid:
            await ignore_group(session, _key(data), said_by(request, clock))
            return _answer(data, None, "ignored")

        return await write_once(request, database, clock, GroupSaid, write)

    @post("/unlink", opt=WRITE, status_code=HTTP_200_OK)
    async def unlink(
        self,
        request: ApiRequest,
        data: JSONBody[Group],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> GroupSaid:
        """Take back what was said of a group: its events leave the customer and wait again."""

        async def write(session: Session) -> GroupSaid:
            await unlink_group(session, _key(data), said_by(request, clock))
            return _answer(data, None, "waiting")

        return await write_once(request, database, clock, GroupSaid, write)


class MetricController(Controller):
    """Declared metrics."""

    path = "/metrics"
    opt = READ
    tags = ["Data"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(self, database: NamedDependency[Database]) -> list[MetricShape]:
        """List what was declared; every other feature counts its events."""
        async with database.transaction() as session:
            return [MetricShape.model_validate(one) for one in await list_metrics(session)]

    @put("/{feature:str}", opt=WRITE, status_code=HTTP_200_OK)
    async def declare(
        self,
        feature: FromPath[str],
        request: ApiRequest,
        data: JSONBody[DeclareMetric],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> MetricShape:
        """Say how the uses of a feature add up."""

        async def write(session: Session) -> MetricShape:
            metric = Metric(feature, data.kind, data.unit, data.description, data.property)
            return MetricShape.model_validate(await declare_metric(session, metric))

        return await write_once(request, database, clock, MetricShape, write)


def _key(data: Group) -> GroupKey:
    return GroupKey(data.source_id, data.key)


def _answer(data: Group, customer_id: uuid.UUID | None, state: str) -> GroupSaid:
    return GroupSaid(source_id=data.source_id, key=data.key, customer_id=customer_id, state=state)
