"""`/api/customers`: who they are, how they stand, what happened, and why we did or did not act."""

import datetime as dt
import uuid
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.params import FromPath, FromQuery, QueryParameter

from api.guards import needs
from api.resources.pages import ApiRequest, Cursor, Limit, Page, page_of
from api.resources.shapes import Customer, CustomerDetail, Decision, TimelineEvent, Why
from domain.permissions import Permission
from domain.vocabulary import (
    Attention,
    CustomerStatus,
    DecisionKind,
    HealthStatus,
    RiskTier,
    Segment,
    TouchTier,
)
from models.clock import StoredClock
from models.database import Database
from models.resources.customers import SORTS, CustomerFilter, list_customers, load_customer
from models.resources.history import read_decisions, read_timeline
from models.views.why import load_why

ME = "me"
Sort = Annotated[
    str, QueryParameter(description=f"One of {', '.join(SORTS)}; a minus in front turns it round.")
]
Owner = Annotated[str | None, QueryParameter(description="A user's id, or `me` for who is signed in.")]


class CustomerController(Controller):
    """Reading only: customers change by facts."""

    path = "/customers"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Customers"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(  # noqa: PLR0913, PLR0917  each filter is a parameter of the address
        self,
        request: ApiRequest,
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
        search: FromQuery[str] = "",
        status: FromQuery[list[CustomerStatus] | None] = None,
        tier: FromQuery[list[RiskTier] | None] = None,
        health: FromQuery[list[HealthStatus] | None] = None,
        segment: FromQuery[list[Segment] | None] = None,
        touch_tier: FromQuery[list[TouchTier] | None] = None,
        attention: FromQuery[list[Attention] | None] = None,
        owner: Owner = None,
        sort: Sort = "name",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[Customer]:
        """List customers. A filter may be given several times: one of its values must fit."""
        chosen = CustomerFilter(
            search=search,
            status=tuple(status or ()),
            tier=tuple(tier or ()),
            health=tuple(health or ()),
            segment=tuple(segment or ()),
            touch_tier=tuple(touch_tier or ()),
            attention=tuple(attention or ()),
            owner=person(request, owner),
        )
        async with database.transaction() as session:
            found = await list_customers(session, chosen, sort, cursor, limit, clock.now())
        return page_of(Customer, found)

    @get("/{customer_id:uuid}")
    async def show(
        self,
        customer_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> CustomerDetail:
        """Return one customer with score, drivers, assessment, contacts, open signals and open runs."""
        async with database.transaction() as session:
            return CustomerDetail.model_validate(await load_customer(session, customer_id, clock.now()))

    @get("/{customer_id:uuid}/timeline")
    async def timeline(
        self,
        customer_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[TimelineEvent]:
        """List what happened, the newest first."""
        async with database.transaction() as session:
            return page_of(TimelineEvent, await read_timeline(session, customer_id, cursor, limit))

    @get("/{customer_id:uuid}/decisions")
    async def decisions(
        self,
        customer_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        kind: FromQuery[DecisionKind | None] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[Decision]:
        """Say why we did and why we did not, the newest first."""
        async with database.transaction() as session:
            return page_of(Decision, await read_decisions(session, customer_id, kind, cursor, limit))

    @get("/{customer_id:uuid}/why")
    async def why(
        self,
        customer_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
        playbook: Annotated[str, QueryParameter(description="The key of a playbook.", max_length=100)],
        on: Annotated[dt.date | None, QueryParameter(description="A business day; all days without.")] = None,
    ) -> Why:
        """Say why a playbook acted or did not: decisions of a day, and what stands against a run now."""
        async with database.transaction() as session:
            found = await load_why(session, customer_id, playbook, on, clock.now())
            return Why.model_validate(found, from_attributes=True)


def person(request: ApiRequest, owner: str | None) -> uuid.UUID | None:
    """Return whom a filter names; `me` needs somebody who is signed in."""
    if owner is None:
        return None
    if owner == ME:
        return request.user.signed_in().id
    try:
        return uuid.UUID(owner)
    except ValueError as error:
        raise ValidationException("owner: a user's id, or me") from error
