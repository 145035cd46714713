"""`POST /webhooks/callbacks/{token}`: endpoints answer what a playbook asked them."""

import json
from typing import Any

import structlog
from litestar import Request, Response, Router, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK

from api.guards import Access, needs
from domain.errors import EverstayError
from domain.outgoing_webhooks import AnswerLinks, BadAnswerError, UnknownAnswerError
from domain.permissions import NotAuthenticError
from domain.webhook_messages import WebhookRequest
from integrations.webhook_signatures import check_signature
from models.ciphers import Cipher
from models.clock import StoredClock
from models.database import Database
from models.endpoints import open_endpoint
from models.step_visits import Visit
from models.webhook_answers import Answer, asked_endpoint, take_answer
from settings import Settings

MOST_BYTES = 16_384

AnswerRequest = Request[object, None, State]


def webhook_answers_router() -> Router:
    """Return the route that answers come to."""
    return Router(
        "/webhooks/callbacks",
        route_handlers=[answer_step],
        opt=needs(Access.SIGNATURE),
        tags=["Webhooks"],
        security=[{}],
    )


@post("/{token:str}", status_code=HTTP_200_OK, request_max_body_size=MOST_BYTES)
async def answer_step(
    request: AnswerRequest,
    token: FromPath[str],
    settings: NamedDependency[Settings],
    database: NamedDependency[Database],
    clock: NamedDependency[StoredClock],
) -> Response[str]:
    """Take the answer to one visit of one step, signed with the secret of the endpoint that was asked.

    The same delivery again gets the same answer and changes nothing.
    """
    named = AnswerLinks(settings.base_url, settings.signing_key).read(token)
    if named is None:
        _refused("unknown address")
        raise UnknownAnswerError
    visit, body = Visit(*named), await request.body()
    try:
        await _check(database, Cipher(settings.signing_key), visit, request, body, clock)
        answer = Answer(request.headers["webhook-id"], _object(body))
        async with database.transaction() as session:
            await take_answer(session, visit, answer, clock.now(), clock.wall_now())
    except EverstayError as error:
        _refused(type(error).__name__, visit)
        raise
    return Response('{"received":true}', media_type="application/json")


async def _check(
    database: Database,
    cipher: Cipher,
    visit: Visit,
    request: AnswerRequest,
    body: bytes,
    clock: StoredClock,
) -> None:
    """Return if the endpoint that was asked signed this body lately."""
    async with database.transaction() as session:
        key = await asked_endpoint(session, visit)
        if key is None:
            raise UnknownAnswerError
        endpoint = await open_endpoint(session, key, cipher)
    if endpoint is None or endpoint.disabled_reason is not None:
        raise NotAuthenticError
    headers = {name.lower(): value for name, value in request.headers.items()}
    sent = WebhookRequest(request.method, str(request.url), headers, body)
    check_signature("webhook", sent, endpoint.secrets, clock.wall_now(), {})


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
        json.dumps(said, allow_nan=False)  # no column holds what is no number
    except (ValueError, RecursionError):
        raise BadAnswerError(most=MOST_BYTES) from None
    if not isinstance(said, dict):
        raise BadAnswerError(most=MOST_BYTES)
    return said


def _refused(reason: str, visit: Visit | None = None) -> None:
    """Log it, without a word of what was sent."""
    run = str(visit.intervention_id) if visit is not None else None
    structlog.get_logger("api.webhooks").warning("answer refused", reason=reason, run=run)
