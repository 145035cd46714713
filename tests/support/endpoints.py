"""An endpoint, a poster that remembers, and what performs `call_webhook` with both."""

import base64
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from httpx import Response
from standardwebhooks import Webhook

from activities.calling import WebhookPerformer
from domain.outgoing_webhooks import AnswerLinks, WebhookCall
from models.ciphers import Cipher
from models.clock import wall_now
from models.database import Database
from models.endpoints import EndpointOrder, save_endpoint
from models.webhook_calls import CallTools
from tests.support.steps import Standing
from tests.support.web import SIGNING_KEY, Client

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret of the tests").decode()
KEY, URL, PUBLIC = "crm-sync", "https://crm.example/hooks", "https://success.example"
ASK = {
    "call_webhook": {
        "endpoint": KEY,
        "body": {"said": "$customer is at risk"},
        "timeout": "3d",
    }
}
TELL = {"call_webhook": {"endpoint": KEY, "body": {"said": "$customer"}}}


@dataclass
class FakePoster:
    """Remembers what was posted; `then` may raise, as an endpoint that is away does."""

    then: Callable[[], None] = lambda: None
    calls: list[WebhookCall] = field(default_factory=list)

    async def post(self, call: WebhookCall) -> int:
        self.calls.append(call)
        self.then()
        return 204

    @property
    def said(self) -> dict[str, Any]:
        """What the last call said."""
        told: dict[str, Any] = json.loads(self.calls[-1].body)
        return told


async def add_endpoint(database: Database, key: str = KEY, secret: str = SECRET) -> None:
    async with database.transaction() as session:
        order = EndpointOrder(key, URL, "", secret)
        await save_endpoint(session, order, Cipher(SIGNING_KEY), wall_now(), allow_private=False)


def caller(standing: Standing, poster: FakePoster) -> WebhookPerformer:
    tools = CallTools(Cipher(SIGNING_KEY), AnswerLinks(PUBLIC, SIGNING_KEY))
    return WebhookPerformer(standing.database, standing.clock, poster, tools)


async def answer(
    client: Client,
    url: str,
    told: object,
    *,
    secret: str = SECRET,
    name: str = "answer_1",
    shift: dt.timedelta = dt.timedelta(),
    headers: dict[str, str] | None = None,
) -> Response:
    """Answer as an endpoint does that signs with the reference implementation."""
    body = told if isinstance(told, str) else json.dumps(told)
    at = dt.datetime.now(dt.UTC) + shift
    signed = {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, at, body),
    }
    path = url.removeprefix(PUBLIC)
    content_type = {"content-type": "application/json"}
    return await client.post(path, content=body.encode(), headers={**content_type, **(headers or signed)})
