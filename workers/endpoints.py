"""`everstay endpoint` itself: what its commands do."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from domain.errors import EverstayError, InvalidInputError
from integrations.endpoint_trial import try_endpoint
from integrations.webhook_poster import HttpWebhookPoster
from models.changes import announce_change
from models.ciphers import Cipher
from models.clock import wall_now
from models.database import Session
from models.endpoints import (
    Endpoint,
    EndpointOrder,
    disable_endpoint,
    get_endpoint,
    list_endpoints,
    remove_endpoint,
    required_endpoint,
    save_endpoint,
)
from workers.console import in_transaction, located_settings


class TrialFailedError(EverstayError):
    """{said}"""  # noqa: D400 - the sentence is the endpoint's


def save(key: str, url: str, note: str, secret_env: str | None, events: Sequence[str] | None) -> str | None:
    """Create or replace an endpoint; return a secret that was made for it."""
    settings = located_settings()
    secret = _read(secret_env) if secret_env is not None else None
    cipher, private = Cipher(settings.signing_key), settings.webhook_private_addresses

    async def work(session: Session) -> str | None:
        order = EndpointOrder(key, url, note, secret, events=events)
        await announce_change(session)
        return await save_endpoint(session, order, cipher, wall_now(), allow_private=private)

    return in_transaction(settings, work)


def _read(variable: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise InvalidInputError(field=variable, reason="the environment variable is not set or empty")
    return value


def load() -> list[dict[str, Any]]:
    """Return every endpoint as JSON has it."""
    return [_shown(one) for one in in_transaction(located_settings(), list_endpoints)]


def _shown(one: Endpoint) -> dict[str, Any]:
    return {
        "key": one.key,
        "url": one.url,
        "note": one.note,
        "changed_at": one.changed_at.isoformat(timespec="seconds"),
        "disabled_reason": one.disabled_reason,
        "events": list(one.events),
        "failing_since": one.failing_since.isoformat(timespec="seconds") if one.failing_since else None,
    }


def events_of(key: str) -> list[str]:
    """Return what an endpoint subscribes to."""
    return list(in_transaction(located_settings(), lambda session: get_endpoint(session, key)).events)


def as_lines(found: list[dict[str, Any]]) -> str:
    """Return the list for people."""
    if not found:
        return "There are no endpoints; see `everstay endpoint add --help`."
    return "\n".join(_line(one) for one in found)


def _line(one: dict[str, Any]) -> str:
    state = f"disabled: {one['disabled_reason']}" if one["disabled_reason"] else "on"
    note = f" ({one['note']})" if one["note"] else ""
    events = f", events: {' '.join(one['events'])}" if one["events"] else ""
    return f"{one['key']}{note}: {one['url']}, {state}{events}"


def disable(key: str, reason: str) -> None:
    """Post nothing more there."""
    in_transaction(located_settings(), lambda session: disable_endpoint(session, key, reason, wall_now()))


def remove(key: str) -> None:
    """Forget an endpoint."""
    in_transaction(located_settings(), lambda session: remove_endpoint(session, key))


def test(key: str) -> str:
    """Post a message that means nothing; raises TrialFailedError with what came of it."""
    settings = located_settings()
    cipher = Cipher(settings.signing_key)
    endpoint = in_transaction(settings, lambda session: required_endpoint(session, key, cipher))
    poster = HttpWebhookPoster(allow_private=settings.webhook_private_addresses)
    trial = try_endpoint(poster, key, endpoint.url, endpoint.secrets, wall_now())
    taken, said = asyncio.run(trial)
    if not taken:
        raise TrialFailedError(said=said)
    return said
