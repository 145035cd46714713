"""SendGrid's own endpoints."""

import asyncio
import re
import time
from datetime import UTC, datetime
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, FromQuery

from integrations.faults import Fault
from integrations.simulators.connections import break_connection
from integrations.simulators.sendgrid.given import GivenKey, GivenProvider
from integrations.simulators.sendgrid.provider import SimulatedSendGrid
from integrations.simulators.sendgrid.requests import MAX_BODY_BYTES, FieldError, read_mail
from integrations.simulators.sendgrid.store import Row

RATE_LIMIT = 600
RATE_LIMIT_SECONDS = 1
_QUERY = re.compile(r"\(?\s*(?P<name>unique_args\['delivery_id'\]|[a-z_]+)\s*=\s*\"(?P<value>[^\"]*)\"\s*\)?")
_QUERYABLE = {"to_email", "from_email", "subject", "status", "msg_id"}
ANSWERS = {
    Fault.REFUSE: (400, "The from address does not match a verified Sender Identity.", "from"),
    Fault.UNAUTHORIZED: (401, "The provided authorization grant is invalid, expired, or revoked", None),
    Fault.FORBIDDEN: (403, "access forbidden", None),
    Fault.TOO_LARGE: (413, "The JSON payload you have included in your request is too large.", None),
    Fault.RATE_LIMIT: (429, "too many requests", None),
    Fault.SERVER_ERROR: (500, "internal server error", None),
    Fault.BAD_GATEWAY: (502, "bad gateway", None),
    Fault.UNAVAILABLE: (503, "service unavailable", None),
}

AnyRequest = Request[Any, Any, Any]


async def authorize(request: AnyRequest) -> Response[Any] | None:
    """Refuse a request without the account's key, in SendGrid's form."""
    if request.headers.get("authorization") == f"Bearer {request.app.state.api_key}":
        return None
    return _refusal(401, FieldError(ANSWERS[Fault.UNAUTHORIZED][1]))


class MailController(Controller):
    """Sending, and looking up what was sent."""

    @post("/mail/send", request_max_body_size=None)
    async def send_mail(self, provider: GivenProvider, request: AnyRequest) -> Response[Any]:
        """Take a mail, or let it meet its fault."""
        return await _Sending(provider, request).answer()

    @get("/messages")
    async def find_messages(
        self, provider: GivenProvider, request: AnyRequest, limit: FromQuery[int] = 10
    ) -> Response[Any]:
        """Search the e-mail activity, an add-on."""
        return _activity(provider, request.query_params.get("query", ""), limit)

    @get("/user/webhooks/event/settings/signed/{webhook:str}")
    async def public_key(self, key: GivenKey, webhook: FromPath[str]) -> dict[str, str]:
        """Show the key with which webhooks are signed."""
        return {"id": webhook, "public_key": key.public_key}


class _Sending:
    """One request to send, from its bytes to its answer or its accident."""

    def __init__(self, provider: SimulatedSendGrid, request: AnyRequest) -> None:
        self._provider = provider
        self._request = request

    async def answer(self) -> Response[Any]:
        body = await self._request.body()
        if len(body) > MAX_BODY_BYTES:
            return faulty(Fault.TOO_LARGE)
        mail, errors = read_mail(body)
        if mail is None:
            return _refusal(400, *errors)
        if mail.mail_settings.sandbox_mode.enable:
            return Response(b"", status_code=200)
        fault = self._provider.faults.take(mail.personalizations[0].to[0].email)
        if fault in ANSWERS:
            return faulty(fault)
        half = self._provider.switches.answer_seconds / 2
        await asyncio.sleep(half)
        message_id = "" if fault and not fault.is_accepted else self._provider.accept(mail, fault)
        await asyncio.sleep(half)
        await self._meet(fault)
        return Response(b"", status_code=202, headers={"X-Message-Id": message_id})

    async def _meet(self, fault: Fault | None) -> None:
        if fault in {Fault.HANG, Fault.ACCEPT_THEN_HANG}:
            while (await self._request.receive())["type"] != "http.disconnect":
                pass
        if fault in {Fault.DROP, Fault.ACCEPT_THEN_DROP}:
            await break_connection(self._request.scope)


def _refusal(status: int, *errors: FieldError, headers: dict[str, str] | None = None) -> Response[Any]:
    return Response({"errors": list(errors)}, status_code=status, headers=headers)


def faulty(fault: Fault) -> Response[Any]:
    """Answer as SendGrid does when a call meets the fault."""
    status, message, field = ANSWERS[fault]
    reset = str(int(time.time()) + RATE_LIMIT_SECONDS)
    limits = {"X-RateLimit-Limit": str(RATE_LIMIT), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    headers = limits if fault is Fault.RATE_LIMIT else None
    return _refusal(status, FieldError(message, field), headers=headers)


def _activity(provider: SimulatedSendGrid, query: str, limit: int) -> Response[Any]:
    """Answer GET /v3/messages, the e-mail activity add-on."""
    if not provider.switches.look_up_enabled:
        return _refusal(403, FieldError("authorization required"))
    filters = _filters(query)
    if filters is None or not 1 <= limit <= 1000:  # noqa: PLR2004 - SendGrid's bounds
        return _refusal(400, FieldError("invalid query", "query"))
    latest = time.time() - provider.switches.look_up_lag_seconds
    found = [row for row in provider.store.find(filters, limit) if row["arrived_at"] <= latest]
    return Response({"messages": [_activity_entry(row) for row in found]})


def _filters(query: str) -> dict[str, str] | None:
    """Read `name="value"` terms joined by AND; None when there is anything else in it."""
    filters: dict[str, str] = {}
    for term in re.split(r"\s+AND\s+", query) if query else []:
        match = _QUERY.fullmatch(term)
        name = match["name"] if match else ""
        if match is None or (name not in _QUERYABLE and not name.startswith("unique_args")):
            return None
        filters["delivery_id" if name.startswith("unique_args") else name] = match["value"]
    return filters


def _activity_entry(row: Row) -> dict[str, Any]:
    return {
        "from_email": row["from_email"],
        "msg_id": row["msg_id"],
        "subject": row["subject"],
        "to_email": row["to_email"],
        "status": "delivered" if row["status"] == "delivered" else "not_delivered",
        "opens_count": row["opens"],
        "clicks_count": row["clicks"],
        "last_event_time": datetime.fromtimestamp(row["arrived_at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
