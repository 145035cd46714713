"""What providers tell us. The raw body is checked against its signature before anything reads it."""

from typing import Any

import structlog
from litestar import Request, Router, post
from litestar.datastructures import FormMultiDict, State, UploadFile
from litestar.di import NamedDependency, Provide
from litestar.status_codes import HTTP_204_NO_CONTENT

from api.event_applier import EventApplier
from api.guards import Access, needs
from domain.permissions import NotAuthenticError
from integrations.sendgrid_events import SendGridWebhookVerifier, parse_events
from integrations.sendgrid_inbound import parse_inbound
from integrations.simulators.account import simulator_public_key
from models.clock import StoredClock
from models.database import Database
from models.inbound_email import receive_email
from models.provider_events import store_events
from settings import Settings

MAX_EVENTS_BYTES = 5_000_000
"""Several times what SendGrid puts into one batch."""
MAX_MAIL_BYTES = 30_000_000
"""SendGrid's own limit for a mail with its attachments."""

CALENDAR_TYPES = frozenset({"text/calendar", "application/ics"})

WebhookRequest = Request[object, None, State]


def webhook_router(settings: Settings) -> Router:
    """Return the routes under /webhooks, with the key that this installation's mail provider signs with."""
    verifier = _verifier(settings)
    return Router(
        "/webhooks",
        route_handlers=[sendgrid_events, sendgrid_inbound],
        dependencies={"verifier": Provide(lambda: verifier, sync_to_thread=False)},
        opt=needs(Access.SIGNATURE),
        tags=["Webhooks"],
        security=[{}],
    )


def _verifier(settings: Settings) -> SendGridWebhookVerifier | None:
    """Where mail goes to the simulator on this machine, it signs with a key of its own."""
    if settings.sendgrid_webhook_public_key is not None:
        return SendGridWebhookVerifier(settings.sendgrid_webhook_public_key)
    if settings.profile == "embedded" and settings.mails_to_simulator:
        return SendGridWebhookVerifier(simulator_public_key(settings.home))
    return None


@post(
    ["/sendgrid", "/sendgrid/events"],
    status_code=HTTP_204_NO_CONTENT,
    request_max_body_size=MAX_EVENTS_BYTES,
)
async def sendgrid_events(
    request: WebhookRequest,
    verifier: NamedDependency[SendGridWebhookVerifier | None],
    database: NamedDependency[Database],
    clock: NamedDependency[StoredClock],
    applier: NamedDependency[EventApplier],
) -> None:
    """Keep SendGrid's events and answer; what they mean is applied right after."""
    body = await checked_body(request, verifier, clock)
    async with database.transaction() as session:
        await store_events(session, "sendgrid", parse_events(body), clock.wall_now())
    applier.wake()


@post("/sendgrid/inbound", status_code=HTTP_204_NO_CONTENT, request_max_body_size=MAX_MAIL_BYTES)
async def sendgrid_inbound(
    request: WebhookRequest,
    verifier: NamedDependency[SendGridWebhookVerifier | None],
    database: NamedDependency[Database],
    clock: NamedDependency[StoredClock],
) -> None:
    """Take a mail that somebody wrote to us (SendGrid's Inbound Parse with a security policy)."""
    await checked_body(request, verifier, clock)
    form = await request.form()
    email = parse_inbound(text_fields(form), await calendar_files(form))
    async with database.transaction() as session:
        await receive_email(session, email, clock.now(), clock.wall_now())


async def checked_body(
    request: WebhookRequest, verifier: SendGridWebhookVerifier | None, clock: StoredClock
) -> bytes:
    """Return the raw body; raises NotAuthenticError, and logs that, without a word of what was sent."""
    body = await request.body()
    if verifier is None or not verifier.is_authentic(body, request.headers, clock.wall_now()):
        reason = "no key is set" if verifier is None else "bad signature"
        structlog.get_logger("api.webhooks").warning("webhook refused", provider="sendgrid", reason=reason)
        raise NotAuthenticError
    return body


def text_fields(form: FormMultiDict) -> dict[str, str]:
    """Return the text parts of a form."""
    fields: dict[str, Any] = form.dict()
    return {name: values[0] for name, values in fields.items() if isinstance(values[0], str)}


async def calendar_files(form: FormMultiDict) -> list[bytes]:
    """Return the calendar files of a form: answers to invitations come as such."""
    files = (each for _, each in form.multi_items() if isinstance(each, UploadFile))
    return [await each.read() for each in files if _is_calendar(each)]


def _is_calendar(file: UploadFile) -> bool:
    kind = file.content_type.partition(";")[0].strip().lower()
    return kind in CALENDAR_TYPES or file.filename.lower().endswith(".ics")
