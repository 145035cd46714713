"""An endpoint that subscribes to events, and the stage that posts them to a receiver of the test."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from standardwebhooks import Webhook

from domain.vocabulary import MessageState
from integrations.webhook_poster import HttpWebhookPoster
from models.ciphers import Cipher
from models.clock import wall_now
from models.database import Database
from models.endpoints import EndpointOrder, save_endpoint
from models.installation import load_installation
from models.tables.endpoints import WebhookAttemptRow, WebhookMessageRow
from models.tables.system import InstallationRow
from tests.support.endpoints import KEY, SECRET
from tests.support.simulators import Receiver
from tests.support.steps import MONDAY, HandClock
from tests.support.web import SIGNING_KEY
from workers.event_stage import EventStage

PATIENCE = dt.timedelta(days=5)


async def subscribe_to(database: Database, url: str, events: Sequence[str] = ("*",), key: str = KEY) -> None:
    """Add an endpoint, in an installation that has been released."""
    async with database.transaction() as session:
        order = EndpointOrder(key, url, "", SECRET, events=events)
        await save_endpoint(session, order, Cipher(SIGNING_KEY), wall_now(), allow_private=True)
        await load_installation(session)
        await session.execute(update(InstallationRow).values(released_at=MONDAY))


def stage_of(database: Database, clock: HandClock) -> EventStage:
    """What a relay posts events with."""
    poster = HttpWebhookPoster(allow_private=True)
    return EventStage(database, clock, poster, Cipher(SIGNING_KEY), PATIENCE)


async def messages(database: Database) -> list[WebhookMessageRow]:
    """Every message, in the order in which they were written."""
    async with database.transaction() as session:
        query = select(WebhookMessageRow).order_by(WebhookMessageRow.created_at, WebhookMessageRow.type)
        found = list((await session.scalars(query)).all())
        session.expunge_all()
        return found


async def attempts(database: Database) -> list[WebhookAttemptRow]:
    """The log, in order."""
    async with database.transaction() as session:
        row = WebhookAttemptRow
        found = list((await session.scalars(select(row).order_by(row.message_id, row.number))).all())
        session.expunge_all()
        return found


async def states(database: Database) -> list[MessageState]:
    return [one.state for one in await messages(database)]


def checked(receiver: Receiver) -> list[tuple[str, dict[str, Any]]]:
    """The webhook-id and the body of each request, its signature made anew by the reference library."""
    found = []
    for headers, body in receiver.requests:
        small = {name.lower(): value for name, value in headers.items()}
        at = dt.datetime.fromtimestamp(int(small["webhook-timestamp"]), dt.UTC)
        assert small["webhook-signature"] == Webhook(SECRET).sign(small["webhook-id"], at, body.decode())
        found.append((small["webhook-id"], json.loads(body)))
    return found
