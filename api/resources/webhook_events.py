"""`/api/webhook-events` and `/api/webhook-messages`: what may be subscribed to, and what became of it."""

import datetime as dt
import uuid
from typing import Annotated

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, Field

from api.guards import needs
from api.resources.endpoints import WebhookEndpoint
from api.resources.pages import STATE, ApiRequest, Cursor, Limit, Page, page_of, write_once
from api.resources.shapes import Shape
from domain.permissions import Permission
from domain.time import wall
from domain.vocabulary import MessageState
from domain.webhook_events import EVENT_TYPES
from models.clock import StoredClock
from models.database import Database, Session
from models.endpoints import subscribe
from models.resources.webhook_messages import list_messages, load_message
from models.webhook_messages import replay_message, replay_messages

WRITE = needs(Permission.EDIT_ENDPOINTS)
EventName = Annotated[
    str | None, QueryParameter(name="type", pattern=r"^[a-z_]+\.[a-z_]+$", description="Of this event alone.")
]


class WebhookEvent(BaseModel):
    """One kind of event, with its fields in words and an example of them."""

    name: str
    description: str
    fields: dict[str, str]
    example: dict[str, str | None]


class Subscription(BaseModel):
    """The events that are wanted: names, `run.*` for a family, `*` for all; an empty list ends it."""

    model_config = ConfigDict(extra="forbid")

    events: Annotated[list[str], Field(max_length=100)]


class WebhookMessage(Shape):
    """One event for one endpoint: when it was written, and how far it came. Machine time."""

    id: uuid.UUID
    endpoint: str
    type: str
    state: MessageState
    attempts: int
    created_at: dt.datetime
    due_at: dt.datetime
    last_status: int | None
    last_error: str | None
    settled_at: dt.datetime | None


class WebhookAttempt(Shape):
    """One attempt; without an error it was taken."""

    number: int
    at: dt.datetime
    seconds: float
    status: int | None
    error: str | None


class WebhookMessageDetail(WebhookMessage):
    """A message with what it says and every attempt."""

    webhook_id: str
    body: str
    log: list[WebhookAttempt]


class Replay(BaseModel):
    """What to send again: everything since an instant, or, without one, what has failed so far."""

    model_config = ConfigDict(extra="forbid")

    since: dt.datetime | None = None


class Replayed(BaseModel):
    """How many messages are sent again."""

    messages: int


class WebhookEventController(Controller):
    """Events, subscriptions and messages."""

    path = "/"
    opt = needs(Permission.READ_PLAYBOOKS)
    tags = ["Playbooks"]  # noqa: RUF012  as Litestar declares it

    @get("/webhook-events")
    async def catalogue(self) -> list[WebhookEvent]:
        """List every event that endpoints may subscribe to."""
        return [
            WebhookEvent(
                name=one.name, description=one.description, fields=dict(one.fields), example=one.example
            )
            for one in EVENT_TYPES
        ]

    @put("/webhook-endpoints/{key:str}/events", opt=WRITE)
    async def choose(
        self,
        request: ApiRequest,
        key: FromPath[str],
        data: JSONBody[Subscription],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> WebhookEndpoint:
        """Let an endpoint subscribe to these events and no others. The same again changes nothing."""
        async with database.transaction() as session:
            saved = await subscribe(session, key, data.events, clock.wall_now(), request.user.user_id)
            return WebhookEndpoint.model_validate(saved, from_attributes=True)

    @get("/webhook-endpoints/{key:str}/messages")
    async def list_(
        self,
        key: FromPath[str],
        database: NamedDependency[Database],
        states: Annotated[list[MessageState] | None, STATE] = None,
        event: EventName = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[WebhookMessage]:
        """List an endpoint's messages, the newest first."""
        async with database.transaction() as session:
            found = await list_messages(session, key, states or [], event, cursor, limit)
            return page_of(WebhookMessage, found)

    @post("/webhook-endpoints/{key:str}/replay", opt=WRITE, status_code=HTTP_200_OK)
    async def replay_all(
        self,
        request: ApiRequest,
        key: FromPath[str],
        data: JSONBody[Replay],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Replayed:
        """Send again what has failed, or everything since an instant, under the ids that they had."""
        since = wall(data.since) if data.since is not None else None

        async def write(session: Session) -> Replayed:
            return Replayed(messages=await replay_messages(session, key, clock.wall_now(), since))

        return await write_once(request, database, clock, Replayed, write)

    @get("/webhook-messages/{message_id:uuid}", opt=needs(Permission.READ_CUSTOMERS))
    async def show(
        self, message_id: FromPath[uuid.UUID], database: NamedDependency[Database]
    ) -> WebhookMessageDetail:
        """Return one message with what it says and every attempt."""
        async with database.transaction() as session:
            return WebhookMessageDetail.model_validate(await load_message(session, message_id))

    @post("/webhook-messages/{message_id:uuid}/replay", opt=WRITE, status_code=HTTP_200_OK)
    async def replay(
        self,
        request: ApiRequest,
        message_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> WebhookMessageDetail:
        """Send one again, whatever became of it."""

        async def write(session: Session) -> WebhookMessageDetail:
            await replay_message(session, message_id, clock.wall_now())
            return WebhookMessageDetail.model_validate(await load_message(session, message_id))

        return await write_once(request, database, clock, WebhookMessageDetail, write)
