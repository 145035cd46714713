"""The mailbox: every message that the simulated provider took, for people and as JSON."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Controller, MediaType, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect

from integrations.simulators.sendgrid.given import GivenProvider, GivenReader
from integrations.simulators.sendgrid.provider import SimulatedSendGrid
from integrations.simulators.sendgrid.reactions import Reaction, one_click_url
from integrations.simulators.sendgrid.store import ONE_CLICK, Row

PAGE_SIZE = 25
PACKED = ("headers", "categories", "custom_args", "attachments")
TEMPLATES = Path(__file__).with_name("pages")
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
MESSAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none';"
    " frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_TITLES = {
    "processed": "Accepted",
    "deferred": "Deferred",
    "delivered": "Delivered",
    "bounce": "Bounced",
    "dropped": "Dropped",
    "open": "Opened",
    "click": "Clicked",
    "reply": "Replied",
    "spamreport": "Reported as spam",
    "unsubscribe": "Unsubscribed",
    ONE_CLICK: "One-click unsubscribe",
}
Reply = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class MailboxController(Controller):
    """The pages. They work without JavaScript: every button is a form."""

    path = "/mailbox"

    @get("/", media_type=MediaType.HTML)
    async def show_all(
        self,
        provider: GivenProvider,
        search: FromQuery[str] = "",
        status: FromQuery[str] = "",
        page: FromQuery[int] = 1,
    ) -> Response[str]:
        """List messages, newest first."""
        filters = {"search": search, "status": status}
        total = provider.store.count(filters)
        pages = max(1, -(-total // PAGE_SIZE))
        page = min(max(page, 1), pages)
        rows = provider.store.find(filters, PAGE_SIZE, (page - 1) * PAGE_SIZE)
        values = {"messages": [_summary(row) for row in rows], "total": total, "page": page, "pages": pages}
        return _page("list.html", summary=provider.store.summary(), search=search, status=status, **values)

    @get("/{message_id:int}", media_type=MediaType.HTML)
    async def show(self, provider: GivenProvider, message_id: FromPath[int]) -> Response[str]:
        """Show one message with its headers, its events and what its reader may do."""
        message = _found(provider, message_id)
        events = [_event(row) for row in provider.store.events(message_id)]
        details = {**message, **_summary(message), "one_click": one_click_url(message)}
        headers = msgspec.json.decode(message["headers"])
        return _page("message.html", message=details, headers=headers, events=events)

    @get("/{message_id:int}/html", media_type=MediaType.HTML)
    async def show_html(self, provider: GivenProvider, message_id: FromPath[int]) -> Response[str]:
        """Serve the message's own HTML, which may run nothing and load nothing."""
        html = _found(provider, message_id)["html"]
        content = f'<base target="_blank">{html}' if html else "<p>This message has no HTML.</p>"
        return Response(content, headers={"Content-Security-Policy": MESSAGE_POLICY})

    @post("/{message_id:int}/{reaction:str}")
    async def react(
        self,
        provider: GivenProvider,
        reader: GivenReader,
        message_id: FromPath[int],
        reaction: FromPath[str],
        data: Reply,
    ) -> Redirect:
        """Do as the recipient and go back to the message."""
        if reaction not in set(Reaction):
            raise NotFoundException
        await reader.react(_found(provider, message_id), Reaction(reaction), data.get("text", ""))
        return Redirect(f"/mailbox/{message_id}", status_code=303)


@get("/_mailbox")
async def mailbox_json(
    provider: GivenProvider,
    request: Request[Any, Any, Any],
    limit: FromQuery[int] = 100,
    offset: FromQuery[int] = 0,
) -> dict[str, Any]:
    """Return counts over everything, how many messages fit, and those messages, newest first.

    Filters: search, to, delivery_id, status, category.
    """
    given = request.query_params
    filters = {name: given.get(name, "") for name in ("search", "delivery_id", "status", "category")}
    filters["to_email"] = given.get("to", "")
    messages = [_as_json(provider, row) for row in provider.store.find(filters, limit, offset)]
    return {"counts": provider.store.summary(), "total": provider.store.count(filters), "messages": messages}


def _as_json(provider: SimulatedSendGrid, row: Row) -> dict[str, Any]:
    unpacked = {name: msgspec.json.decode(row[name]) for name in PACKED}
    arrived = datetime.fromtimestamp(row["arrived_at"], UTC).isoformat()
    kinds = [event["kind"] for event in provider.store.events(row["id"])]
    return {**row, **unpacked, "arrived_at": arrived, "events": kinds}


def _found(provider: SimulatedSendGrid, message_id: int) -> Row:
    message = provider.store.message(message_id)
    if message is None:
        raise NotFoundException
    return message


def _summary(row: Row) -> dict[str, Any]:
    arrived = datetime.fromtimestamp(row["arrived_at"], UTC)
    return {
        **row,
        "person": row["to_name"] or row["to_email"],
        "categories": msgspec.json.decode(row["categories"]),
        "attachments": msgspec.json.decode(row["attachments"]),
        "sent": _business_time(row["business_time"]) or arrived,
        "has_business_time": _business_time(row["business_time"]) is not None,
        "arrived": arrived,
        "preview": " ".join(row["text"].split())[:160],
    }


def _business_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        return None


def _event(row: Row) -> dict[str, Any]:
    payload = msgspec.json.decode(row["payload"])
    words = ("text", "url", "reason", "response")
    return {
        "title": _TITLES.get(row["kind"], row["kind"]),
        "kind": row["kind"].partition(" ")[0],
        "at": datetime.fromtimestamp(row["at"], UTC),
        "details": [str(payload[name]) for name in words if payload.get(name)],
        "webhook": _webhook_words(row),
    }


def _webhook_words(row: Row) -> str:
    if row["due_at"] is None:
        return f"webhook answered {row['answered']}" if row["answered"] else ""
    return f"webhook waits, last answer {row['answered']}" if row["answered"] else "webhook waits"


_pages = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip


def _page(template: str, **values: object) -> Response[str]:
    html = _pages.get_template(template).render(values)
    return Response(html, headers={"Content-Security-Policy": PAGE_POLICY, "Referrer-Policy": "no-referrer"})
