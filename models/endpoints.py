"""The endpoints that we post to: kept with their secrets encrypted, listed without."""

import base64
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.outgoing_webhooks import check_endpoint
from domain.time import WallInstant
from domain.webhook_events import check_events
from models.ciphers import Cipher
from models.tables.endpoints import WebhookEndpointRow

NEW_SECRET_BYTES = 32


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as lists show it."""

    key: str
    url: str
    note: str
    created_at: WallInstant
    changed_at: WallInstant
    changed_by_id: uuid.UUID | None
    disabled_at: WallInstant | None
    disabled_reason: str | None
    events: Sequence[str]
    """What it subscribes to."""
    failing_since: WallInstant | None


@dataclass(frozen=True)
class OpenEndpoint:
    """An endpoint with its secrets, for whoever signs."""

    key: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    disabled_reason: str | None = None


@dataclass(frozen=True)
class EndpointOrder:
    """What somebody wants of an endpoint; without a secret it keeps its own, or is given one."""

    key: str
    url: str
    note: str = ""
    secret: str | None = field(default=None, repr=False)
    by_id: uuid.UUID | None = None
    events: Sequence[str] | None = None
    """What it subscribes to; None keeps what it has."""


COLUMNS = (
    WebhookEndpointRow.key,
    WebhookEndpointRow.url,
    WebhookEndpointRow.note,
    WebhookEndpointRow.created_at,
    WebhookEndpointRow.changed_at,
    WebhookEndpointRow.changed_by_id,
    WebhookEndpointRow.disabled_at,
    WebhookEndpointRow.disabled_reason,
    WebhookEndpointRow.events,
    WebhookEndpointRow.failing_since,
)


async def save_endpoint(
    session: AsyncSession, order: EndpointOrder, cipher: Cipher, wall: WallInstant, *, allow_private: bool
) -> str | None:
    """Create or replace an endpoint, enabled; return a secret that was made for it, to be shown once.

    What waits for it goes on from here.
    """
    row = WebhookEndpointRow
    kept = await session.scalar(select(row.secret).where(row.key == order.key).with_for_update())
    made = _new_secret() if order.secret is None and kept is None else None
    secret = order.secret or made
    check_endpoint(order.key, order.url, secret or _new_secret(), allow_private=allow_private)
    sealed = kept if secret is None else cipher.encrypt({"secret": secret})
    values: dict[str, Any] = {
        "url": order.url,
        "secret": sealed,
        "note": order.note,
        "changed_at": wall,
        "changed_by_id": order.by_id,
        "disabled_at": None,
        "disabled_reason": None,
        "failing_since": None,
    }
    if order.events is not None:
        values["events"] = list(check_events(order.events))
    statement = upsert(row).values(key=order.key, created_at=wall, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
    return made


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(NEW_SECRET_BYTES)).decode()


async def list_endpoints(session: AsyncSession) -> list[Endpoint]:
    """Return every endpoint by key, without secrets."""
    query = select(*COLUMNS).order_by(WebhookEndpointRow.key)
    return [_endpoint(row) for row in await session.execute(query)]


async def get_endpoint(session: AsyncSession, key: str) -> Endpoint:
    """Return one without its secrets; raises NotFoundError."""
    query = select(*COLUMNS).where(WebhookEndpointRow.key == key)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError(what="webhook endpoint", key=key)
    return _endpoint(row)


def _endpoint(row: Sequence[Any]) -> Endpoint:
    return Endpoint(*row)


async def subscribe(
    session: AsyncSession, key: str, events: Sequence[str], wall: WallInstant, by_id: uuid.UUID | None = None
) -> Endpoint:
    """Let an endpoint subscribe to these events and no others; raises NotFoundError, InvalidInputError."""
    values = {"events": list(check_events(events)), "changed_at": wall, "changed_by_id": by_id}
    row = WebhookEndpointRow
    await session.execute(update(row).where(row.key == key).values(values))
    return await get_endpoint(session, key)


async def open_endpoint(session: AsyncSession, key: str, cipher: Cipher) -> OpenEndpoint | None:
    """Return one with its secrets, None where there is none; raises UnreadableSecretsError."""
    row = await session.scalar(select(WebhookEndpointRow).where(WebhookEndpointRow.key == key))
    if row is None:
        return None
    given = tuple(cipher.decrypt(row.secret)["secret"].split())
    return OpenEndpoint(row.key, row.url, given, row.disabled_reason)


async def disable_endpoint(
    session: AsyncSession, key: str, reason: str, wall: WallInstant, by_id: uuid.UUID | None = None
) -> None:
    """Post nothing more there until it is saved anew, by somebody's word; raises NotFoundError."""
    await _disable(session, key, reason, wall, changed_by_id=by_id, failing_since=None)


async def give_up_endpoint(session: AsyncSession, key: str, reason: str, wall: WallInstant) -> None:
    """Disable an endpoint for its own failures, and keep since when it failed: administrators are told."""
    since = func.coalesce(WebhookEndpointRow.failing_since, wall)
    await _disable(session, key, reason, wall, changed_by_id=None, failing_since=since)


async def _disable(session: AsyncSession, key: str, reason: str, wall: WallInstant, **more: object) -> None:
    values = {"disabled_at": wall, "disabled_reason": reason, "changed_at": wall, **more}
    row = WebhookEndpointRow
    changed = await session.scalar(update(row).where(row.key == key).values(values).returning(row.key))
    if changed is None:
        raise NotFoundError(what="webhook endpoint", key=key)


async def remove_endpoint(session: AsyncSession, key: str) -> None:
    """Forget an endpoint; steps that name it fail from now on, and their runs go on. Raises NotFoundError."""
    row = WebhookEndpointRow
    gone = await session.scalar(delete(row).where(row.key == key).returning(row.key))
    if gone is None:
        raise NotFoundError(what="webhook endpoint", key=key)


async def required_endpoint(session: AsyncSession, key: str, cipher: Cipher) -> OpenEndpoint:
    """Return one with its secrets; raises NotFoundError."""
    endpoint = await open_endpoint(session, key, cipher)
    if endpoint is None:
        raise NotFoundError(what="webhook endpoint", key=key)
    return endpoint
