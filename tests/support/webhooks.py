"""Connected providers, and what they would post: signed requests in their own schemes."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from httpx import Response
from sqlalchemy import select

from domain.time import BusinessInstant, WallInstant
from models.ciphers import Cipher
from models.clock import wall_now
from models.connections import Connection, save_connection
from models.database import Database
from models.sources import Source, connect_source
from models.tables.connections import WebhookDeliveryRow
from models.tables.data import QuarantinedRow
from tests.support.web import SIGNING_KEY, Client
from workers.delivery_stage import DeliveryStage

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
ORGANIZATION = "00Dxx0000001gPL"
TELLS = ("subscriptions", "invoices", "tickets", "touchpoints", "meetings", "usage")


@dataclass(frozen=True)
class Sender:
    """One provider as it posts to us. `shift` moves its clock, in seconds."""

    provider: str
    body: bytes
    secret: str = SECRET
    shift: float = 0
    path: str = ""
    name: str = "msg_1"
    extra: Mapping[str, str] = field(default_factory=dict)
    origin: str = "https://success.example"
    """What our public address begins with: HubSpot signs it."""

    @property
    def url(self) -> str:
        return f"/webhooks/{self.provider}{self.path}"

    def headers(self) -> dict[str, str]:
        """The headers of the provider's scheme."""
        made = getattr(self, f"_{self.provider}")()
        return {"content-type": "application/json", **made, **self.extra}

    def _stamp(self) -> float:
        return dt.datetime.now(dt.UTC).timestamp() + self.shift

    def _hmac(self, signed: bytes) -> bytes:
        return hmac.new(self.secret.encode(), signed, hashlib.sha256).digest()

    def _stripe(self) -> dict[str, str]:
        stamp = int(self._stamp())
        return {"stripe-signature": f"t={stamp},v1={self._hmac(f'{stamp}.'.encode() + self.body).hex()}"}

    def _zendesk(self) -> dict[str, str]:
        stamp = dt.datetime.fromtimestamp(self._stamp(), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = base64.b64encode(self._hmac(stamp.encode() + self.body)).decode()
        return {"x-zendesk-webhook-signature": made, "x-zendesk-webhook-signature-timestamp": stamp}

    def _hubspot(self) -> dict[str, str]:
        stamp = str(int(self._stamp() * 1000))
        signed = f"POST{self.origin}{self.url}".encode() + self.body + stamp.encode()
        made = base64.b64encode(self._hmac(signed)).decode()
        return {"x-hubspot-signature-v3": made, "x-hubspot-request-timestamp": stamp}

    def _intercom(self) -> dict[str, str]:
        made = hmac.new(self.secret.encode(), self.body, hashlib.sha1).hexdigest()
        return {"x-hub-signature": f"sha1={made}"}

    def _salesforce(self) -> dict[str, str]:
        return {"content-type": "text/xml; charset=utf-8"}

    def _webhook(self) -> dict[str, str]:
        stamp, name = str(int(self._stamp())), self.name
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{name}.{stamp}.".encode() + self.body
        made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{made}"}

    async def post(self, client: Client, headers: Mapping[str, str] | None = None) -> Response:
        """Deliver it."""
        return await client.post(self.url, content=self.body, headers=dict(headers or self.headers()))


async def connect_provider(
    database: Database,
    provider: str,
    *,
    provides: tuple[str, ...] = TELLS,
    secrets: str = SECRET,
    key: str = SIGNING_KEY,
    **options: Any,
) -> None:
    """A connection whose source has the provider's own name as its id."""
    async with database.transaction() as session:
        since = BusinessInstant(dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
        await connect_source(session, Source(provider, provider.title(), provider, provides, since))
        connection = Connection(provider, provider, options, {"webhook_secret": secrets})
        await save_connection(session, connection, Cipher(key), wall_now())


class StillClock:
    """The time at which it was made, or so much later: what is put off does not come due meanwhile."""

    def __init__(self, ahead: dt.timedelta = dt.timedelta()) -> None:
        self._wall = WallInstant(wall_now() + ahead)

    def wall_now(self) -> WallInstant:
        return self._wall

    def now(self) -> BusinessInstant:
        return BusinessInstant(self.wall_now())

    def wall_at(self, due: BusinessInstant) -> WallInstant:
        return WallInstant(due)

    def business_at(self, wall: WallInstant) -> BusinessInstant:
        return BusinessInstant(wall)


async def settle(database: Database, ahead: dt.timedelta = dt.timedelta()) -> int:
    """Let the processor settle everything that is due."""
    return await DeliveryStage(database, StillClock(ahead), Cipher(SIGNING_KEY)).settle_all()


async def deliveries(database: Database) -> list[WebhookDeliveryRow]:
    async with database.transaction() as session:
        found = (
            await session.scalars(select(WebhookDeliveryRow).order_by(WebhookDeliveryRow.received_at))
        ).all()
        session.expunge_all()
        return list(found)


async def quarantined(database: Database) -> list[QuarantinedRow]:
    async with database.transaction() as session:
        ours = QuarantinedRow.file.startswith("webhook:")
        found = (
            await session.scalars(select(QuarantinedRow).where(ours).order_by(QuarantinedRow.line))
        ).all()
        session.expunge_all()
        return list(found)


def json_body(told: object) -> bytes:
    return json.dumps(told).encode()


def stripe_event(**held: Any) -> dict[str, Any]:
    """A paid invoice of a payer that nobody knows, unless told otherwise."""
    now = int(dt.datetime.now(dt.UTC).timestamp())
    invoice = {
        "object": "invoice",
        "id": "in_1",
        "customer": "cus_1",
        "status": "open",
        "currency": "usd",
        "total": 12_000,
        "created": now - 60,
        **held,
    }
    return {
        "id": "evt_1",
        "object": "event",
        "type": "invoice.finalized",
        "created": now,
        "livemode": False,
        "data": {"object": invoice},
    }


def salesforce_message(kind: str = "Task", organization: str = ORGANIZATION, **fields: str) -> bytes:
    """An outbound message with one notification."""
    told = {"Id": "00T1", "AccountId": "0011", "Status": "Completed", "TaskSubtype": "Call", **fields}
    inner = "".join(f"<sf:{name}>{value}</sf:{name}>" for name, value in told.items())
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{organization}AAA</OrganizationId>
<ActionId>04k1</ActionId><SessionId xsi:nil="true"/><Notification><Id>04l1</Id>
<sObject xsi:type="sf:{kind}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{inner}</sObject>
</Notification></notifications></soapenv:Body></soapenv:Envelope>""".encode()


def hubspot_events(*ids: int, attempt: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "eventId": 100 + each,
            "subscriptionId": 7,
            "portalId": 62515,
            "occurredAt": 1_700_000_000_000,
            "subscriptionType": "company.propertyChange",
            "attemptNumber": attempt,
            "objectId": each,
            "propertyName": "name",
            "propertyValue": "Acme",
        }
        for each in ids
    ]


def intercom_notification(**item: Any) -> dict[str, Any]:
    """A conversation that Hanna of the sample portfolio began, and our answer."""
    now = int(dt.datetime.now(dt.UTC).timestamp())
    author = {"type": "user", "id": "u1", "name": "Hanna", "email": "hanna@customer1.example"}
    reply = {"type": "admin", "id": "9", "name": "Jonas", "email": "jonas@example.com"}
    part = {"id": "p2", "part_type": "comment", "body": "<p>Look</p>", "created_at": now - 5, "author": reply}
    conversation = {
        "type": "conversation",
        "id": "c1",
        "created_at": now - 60,
        "state": "open",
        "source": {
            "id": "p1",
            "type": "conversation",
            "subject": "<p>Help</p>",
            "body": "x",
            "author": author,
        },
        "conversation_parts": {"conversation_parts": [part]},
        **item,
    }
    return {
        "type": "notification_event",
        "id": "notif_1",
        "topic": "conversation.admin.replied",
        "created_at": now,
        "delivery_attempts": 1,
        "data": {"type": "notification_event_data", "item": conversation},
    }
