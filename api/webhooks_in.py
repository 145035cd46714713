"""`POST /webhooks/{source_id}`: what connected providers push. Kept as it came; understood afterwards."""

import structlog
from litestar import Request, Response, Router, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK

from api.guards import Access, needs
from domain.errors import NotFoundError
from domain.permissions import NotAuthenticError
from domain.webhook_messages import WebhookRequest
from integrations.salesforce_messages import ACK
from integrations.webhook_envelopes import open_envelope
from integrations.webhook_signatures import SCHEMES, check_signature, secrets_in
from models.ciphers import Cipher
from models.clock import StoredClock
from models.connections import Connection, load_connection
from models.database import Database
from models.deliveries import receive_delivery
from settings import Settings

MAX_BODY_BYTES = 4_000_000
"""Far above what any of the providers sends at once."""

DeliveryRequest = Request[object, None, State]


def webhooks_in_router() -> Router:
    """Return the routes of connected providers."""
    return Router(
        "/webhooks",
        route_handlers=[receive],
        opt=needs(Access.SIGNATURE),
        tags=["Webhooks"],
        security=[{}],
    )


@post(
    ["/{source_id:str}", "/{source_id:str}/{token:str}"],
    status_code=HTTP_200_OK,
    request_max_body_size=MAX_BODY_BYTES,
)
async def receive(
    request: DeliveryRequest,
    source_id: FromPath[str],
    settings: NamedDependency[Settings],
    database: NamedDependency[Database],
    clock: NamedDependency[StoredClock],
    token: FromPath[str | None] = None,
) -> Response[str]:
    """Check the signature over the raw body, keep the delivery once, and answer.

    A repeated delivery gets the same answer and changes nothing. What it says is worked out right after.
    """
    connection = await _connection(database, source_id, Cipher(settings.signing_key))
    sent = WebhookRequest(
        request.method, _public_url(request, settings), _headers(request), await request.body(), token
    )
    _authentic(connection, sent, clock)
    envelope = open_envelope(connection.provider, sent)
    content_type = sent.headers.get("content-type")
    async with database.transaction() as session:
        await receive_delivery(session, source_id, envelope, sent.body, content_type, clock.wall_now())
    return _answer(connection.provider)


async def _connection(database: Database, source_id: str, cipher: Cipher) -> Connection:
    """Return the connection; one that pushes nothing is as unknown as none."""
    if not source_id.isprintable():
        raise NotFoundError(what="connection", key=ascii(source_id))
    async with database.transaction() as session:
        connection = await load_connection(session, source_id, cipher)
    if connection.provider not in SCHEMES:
        raise NotFoundError(what="connection", key=source_id)
    return connection


def _public_url(request: DeliveryRequest, settings: Settings) -> str:
    """Return the address as the provider knows it: behind a proxy it is not what we see."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{settings.base_url}{request.url.path}{query}"


def _headers(request: DeliveryRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _authentic(connection: Connection, sent: WebhookRequest, clock: StoredClock) -> None:
    """Raise NotAuthenticError, and log that, without a word of what was sent."""
    secrets = secrets_in(connection.secrets)
    try:
        check_signature(connection.provider, sent, secrets, clock.wall_now(), connection.options)
    except NotAuthenticError:
        reason = "bad signature, or not in time" if secrets else "no webhook secret is set"
        structlog.get_logger("api.webhooks").warning(
            "webhook refused", source=connection.source_id, provider=connection.provider, reason=reason
        )
        raise


def _answer(provider: str) -> Response[str]:
    if provider == "salesforce":
        return Response(ACK, media_type="text/xml; charset=utf-8")
    return Response('{"received":true}', media_type="application/json")
