"""`/api/webhook-endpoints`: the other systems that we tell of things."""

import datetime as dt
import uuid
from typing import Annotated

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.guards import needs
from api.resources.pages import ApiRequest, write_once
from api.resources.shapes import Shape
from domain.permissions import Permission
from integrations.endpoint_trial import try_endpoint
from integrations.webhook_poster import HttpWebhookPoster
from models.changes import announce_change
from models.ciphers import Cipher
from models.clock import StoredClock
from models.database import Database, Session
from models.endpoints import (
    Endpoint,
    EndpointOrder,
    disable_endpoint,
    get_endpoint,
    list_endpoints,
    remove_endpoint,
    required_endpoint,
    save_endpoint,
)
from settings import Settings

WRITE = needs(Permission.EDIT_ENDPOINTS)


class WebhookEndpoint(Shape):
    """One endpoint, without its secret."""

    key: str
    url: str
    note: str
    created_at: dt.datetime
    changed_at: dt.datetime
    changed_by_id: uuid.UUID | None
    disabled_at: dt.datetime | None
    disabled_reason: str | None
    events: list[str]
    failing_since: dt.datetime | None


class SavedEndpoint(WebhookEndpoint):
    """An endpoint as saved; a secret that was made for it is shown this once."""

    secret: str | None = None


class SaveEndpoint(BaseModel):
    """Where to post. Without a secret an endpoint keeps its own; a new one is given one."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    note: Annotated[str, Field(max_length=1000)] = ""
    secret: SecretStr | None = None
    events: Annotated[list[str], Field(max_length=100)] | None = None
    """What it subscribes to; without it, it keeps what it has."""


class DisableEndpoint(BaseModel):
    """Why nothing is posted there any more."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class Trial(BaseModel):
    """What an endpoint said to a message that means nothing."""

    taken: bool
    said: str


def _shown(endpoint: Endpoint) -> WebhookEndpoint:
    return WebhookEndpoint.model_validate(endpoint, from_attributes=True)


class EndpointController(Controller):
    """Endpoints, by key."""

    path = "/webhook-endpoints"
    opt = needs(Permission.READ_PLAYBOOKS)
    tags = ["Playbooks"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(self, database: NamedDependency[Database]) -> list[WebhookEndpoint]:
        """List every endpoint."""
        async with database.transaction() as session:
            return [_shown(one) for one in await list_endpoints(session)]

    @get("/{key:str}")
    async def show(self, key: FromPath[str], database: NamedDependency[Database]) -> WebhookEndpoint:
        """Return one."""
        async with database.transaction() as session:
            return _shown(await get_endpoint(session, key))

    @put("/{key:str}", opt=WRITE)
    async def save(
        self,
        request: ApiRequest,
        key: FromPath[str],
        data: JSONBody[SaveEndpoint],
        settings: NamedDependency[Settings],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> SavedEndpoint:
        """Create or replace one, and enable it. The same again changes nothing; no answer is kept."""
        secret = data.secret.get_secret_value() if data.secret is not None else None
        order = EndpointOrder(key, data.url, data.note, secret, request.user.user_id, data.events)
        private = settings.webhook_private_addresses
        async with database.transaction() as session:
            await announce_change(session)
            cipher, wall = Cipher(settings.signing_key), clock.wall_now()
            made = await save_endpoint(session, order, cipher, wall, allow_private=private)
            saved = SavedEndpoint.model_validate(await get_endpoint(session, key), from_attributes=True)
        return saved.model_copy(update={"secret": made})

    @post("/{key:str}/disable", opt=WRITE, status_code=HTTP_200_OK)
    async def disable(
        self,
        request: ApiRequest,
        key: FromPath[str],
        data: JSONBody[DisableEndpoint],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> WebhookEndpoint:
        """Post nothing more there, and take no more answers, until it is saved again."""

        async def write(session: Session) -> WebhookEndpoint:
            await disable_endpoint(session, key, data.reason, clock.wall_now(), request.user.user_id)
            return _shown(await get_endpoint(session, key))

        return await write_once(request, database, clock, WebhookEndpoint, write)

    @post("/{key:str}/test", opt=WRITE, status_code=HTTP_200_OK)
    async def test(
        self,
        key: FromPath[str],
        settings: NamedDependency[Settings],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Trial:
        """Post a signed message of type `everstay.test`, and say what came of it."""
        async with database.transaction() as session:
            endpoint = await required_endpoint(session, key, Cipher(settings.signing_key))
        poster = HttpWebhookPoster(allow_private=settings.webhook_private_addresses)
        taken, said = await try_endpoint(
            poster, endpoint.key, endpoint.url, endpoint.secrets, clock.wall_now()
        )
        return Trial(taken=taken, said=said)

    @delete("/{key:str}", opt=WRITE)
    async def remove(self, key: FromPath[str], database: NamedDependency[Database]) -> None:
        """Forget one; steps that name it fail from now on, and their runs go on."""
        async with database.transaction() as session:
            await remove_endpoint(session, key)
