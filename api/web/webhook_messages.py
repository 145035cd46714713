"""What was posted to an endpoint: a list by state, one message with its attempts, and sending it again."""

import datetime as dt
import json
import uuid
from urllib.parse import quote, urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, chosen, text
from domain.errors import InvalidInputError
from domain.permissions import Permission
from domain.time import WallInstant
from domain.vocabulary import MessageState
from domain.webhook_events import EVENT_TYPES, NAMES
from models.changes import announce_change
from models.endpoints import get_endpoint, subscribe
from models.resources.webhook_messages import count_by_state, list_messages, load_message
from models.webhook_messages import replay_message, replay_messages

PAGE_SIZE = 50


class WebhookMessageController(Controller):
    """Messages of one endpoint."""

    path = "/endpoints/{key:str}"
    dependencies = DESK
    include_in_schema = False

    @get("/", opt=needs(Permission.READ_PLAYBOOKS))
    async def show_all(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Template:
        """List the messages in the chosen states and of the chosen event, the newest first."""
        states, event = chosen(desk.query, "state", MessageState), text(desk.query, "type")
        event = event if event in NAMES else ""
        cursor = text(desk.query, "after", 400) or None
        async with desk.reading() as session:
            endpoint = await get_endpoint(session, key)
            counts = await count_by_state(session, key)
            page = await list_messages(session, key, states, event or None, cursor, PAGE_SIZE)
        address = ListAddress(_place(key), {"state": [each.value for each in states], "type": event})
        return desk.page(
            "webhook_messages.html",
            endpoint=endpoint,
            messages=page.rows,
            next=page.next,
            counts=counts,
            states=MessageState,
            events=EVENT_TYPES,
            event=event,
            address=address,
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 500),
        )

    @get("/messages/{message_id:uuid}", opt=needs(Permission.READ_CUSTOMERS))
    async def show(
        self, desk: NamedDependency[Desk], key: FromPath[str], message_id: FromPath[uuid.UUID]
    ) -> Template:
        """Show one message: what it says, and every attempt."""
        async with desk.reading() as session:
            endpoint = await get_endpoint(session, key)
            message = await load_message(session, message_id)
        return desk.page(
            "webhook_message.html",
            endpoint=endpoint,
            message=message,
            body=json.dumps(json.loads(message["body"]), indent=2),
            flash=text(desk.query, "said", 200),
        )

    @post("/messages/{message_id:uuid}/replay", opt=needs(Permission.EDIT_ENDPOINTS))
    async def replay(
        self, desk: NamedDependency[Desk], key: FromPath[str], message_id: FromPath[uuid.UUID]
    ) -> Response[None]:
        """Send one again."""
        async with desk.database.transaction() as session:
            await replay_message(session, message_id, desk.wall)
        return desk.go(
            f"{_place(key)}/messages/{message_id}?{urlencode({'said': 'It is being sent again.'})}"
        )

    @post("/replay", opt=needs(Permission.EDIT_ENDPOINTS))
    async def replay_all(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Response[None]:
        """Send again what has failed so far, or everything since an instant."""
        form = await desk.request.form()
        try:
            since = _since(str(form.get("since") or "").strip())
        except InvalidInputError as error:
            return desk.go(f"{_place(key)}?{urlencode({'problem': str(error)})}")
        async with desk.database.transaction() as session:
            count = await replay_messages(session, key, desk.wall, since)
        said = f"{count} {'message is' if count == 1 else 'messages are'} being sent again."
        return desk.go(f"{_place(key)}?{urlencode({'said': said})}")

    @post("/events", opt=needs(Permission.EDIT_ENDPOINTS))
    async def choose(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Response[None]:
        """Subscribe to what is ticked, and to nothing else."""
        form = await desk.request.form()
        try:
            async with desk.database.transaction() as session:
                await subscribe(session, key, form.getall("event", []), desk.wall, desk.user.id)
                await announce_change(session)
        except InvalidInputError as error:
            return desk.go(f"{_place(key)}?{urlencode({'problem': str(error)})}")
        return desk.go(f"{_place(key)}?{urlencode({'said': 'The subscription is saved.'})}")


def _place(key: str) -> str:
    return f"/endpoints/{quote(key, safe='')}"


def _since(written: str) -> WallInstant | None:
    """Return an instant of the machine's clock as a form writes it, in UTC; None for nothing."""
    if not written:
        return None
    try:
        return WallInstant(dt.datetime.fromisoformat(written).replace(tzinfo=dt.UTC))
    except ValueError:
        raise InvalidInputError(field="since", reason="a day and a time, such as 2026-03-02T10:00") from None
