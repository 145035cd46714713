"""`/api/webhook-deliveries`: what providers pushed, what became of it, and reading it again."""

import datetime as dt
import uuid
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK

from api.guards import needs
from api.resources.pages import STATE, ApiRequest, Cursor, Limit, Page, page_of, write_once
from api.resources.shapes import Shape
from domain.permissions import Permission
from models.clock import StoredClock
from models.database import Database, Session
from models.deliveries import DeliveryState, replay_delivery
from models.resources.deliveries import list_deliveries, load_body, load_delivery

Source = Annotated[
    str | None, QueryParameter(pattern=r"^[a-zA-Z0-9_.\-]+$", description="Of this source alone.")
]


class WebhookDelivery(Shape):
    """One delivery: when it came, and what became of what it says."""

    id: uuid.UUID
    source_id: str
    provider: str
    delivery_id: str
    topic: str | None
    state: DeliveryState
    attempts: int
    stored: int
    duplicates: int
    quarantined: int
    error: str | None
    received_at: dt.datetime
    due_at: dt.datetime
    settled_at: dt.datetime | None


class WebhookBody(Shape):
    """What came, as text."""

    id: uuid.UUID
    body: str


class WebhookDeliveryController(Controller):
    """Deliveries, and reading one again."""

    path = "/webhook-deliveries"
    opt = needs(Permission.READ_IMPORTS)
    tags = ["Data"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(
        self,
        database: NamedDependency[Database],
        source: Source = None,
        states: Annotated[list[DeliveryState] | None, STATE] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[WebhookDelivery]:
        """List deliveries, the newest first."""
        async with database.transaction() as session:
            found = await list_deliveries(session, source, states or [], cursor, limit)
            return page_of(WebhookDelivery, found)

    @get("/{delivery_id:uuid}")
    async def show(
        self, delivery_id: FromPath[uuid.UUID], database: NamedDependency[Database]
    ) -> WebhookDelivery:
        """Return one delivery."""
        async with database.transaction() as session:
            return WebhookDelivery.model_validate(await load_delivery(session, delivery_id))

    @get("/{delivery_id:uuid}/body", opt=needs(Permission.READ_RAW_ROWS))
    async def body(
        self, delivery_id: FromPath[uuid.UUID], database: NamedDependency[Database]
    ) -> WebhookBody:
        """Return the body of one delivery as it came."""
        async with database.transaction() as session:
            await load_delivery(session, delivery_id)
            return WebhookBody(id=delivery_id, body=await load_body(session, delivery_id))

    @post("/{delivery_id:uuid}/replay", opt=needs(Permission.MEND_ROWS), status_code=HTTP_200_OK)
    async def replay(
        self,
        request: ApiRequest,
        delivery_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> WebhookDelivery:
        """Have one delivery read again; what it told before counts as a duplicate."""

        async def write(session: Session) -> WebhookDelivery:
            await replay_delivery(session, delivery_id, clock.wall_now())
            return WebhookDelivery.model_validate(await load_delivery(session, delivery_id))

        return await write_once(request, database, clock, WebhookDelivery, write)
