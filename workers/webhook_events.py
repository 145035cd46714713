"""`everstay endpoint events|deliveries|replay` themselves: what they do."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from domain.errors import InvalidInputError
from domain.pulling import parse_instant
from domain.time import WallInstant
from domain.vocabulary import MessageState
from domain.webhook_events import EVENT_TYPES
from models.clock import wall_now
from models.database import Session
from models.endpoints import subscribe
from models.resources.webhook_messages import list_messages, load_message
from models.webhook_messages import replay_message, replay_messages
from workers.console import in_transaction, located_settings


def catalogue() -> list[dict[str, Any]]:
    """Return every event as JSON has it."""
    return [
        {"name": one.name, "description": one.description, "fields": dict(one.fields)} for one in EVENT_TYPES
    ]


def as_list(found: Sequence[dict[str, Any]]) -> str:
    """Return the catalogue for people."""
    width = max(len(one["name"]) for one in found)
    return "\n".join(f"{one['name']:<{width}}  {one['description']}" for one in found)


def choose(key: str, events: Sequence[str]) -> list[str]:
    """Let an endpoint subscribe to these and no others; return them."""
    saved = in_transaction(located_settings(), lambda session: subscribe(session, key, events, wall_now()))
    return list(saved.events)


def deliveries(key: str, states: Sequence[MessageState], limit: int) -> list[dict[str, Any]]:
    """Return an endpoint's newest messages as JSON has them."""
    found = in_transaction(
        located_settings(), lambda session: list_messages(session, key, states, None, None, limit)
    )
    return [_plain(row) for row in found.rows]


def delivery(message_id: uuid.UUID) -> dict[str, Any]:
    """Return one message with its body and attempts."""
    return _plain(in_transaction(located_settings(), lambda session: load_message(session, message_id)))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if not name.startswith("_")}
    plain: dict[str, Any] = json.loads(json.dumps(shown, default=str))
    return plain


def as_lines(found: Sequence[dict[str, Any]]) -> str:
    """Return messages for people."""
    if not found:
        return "There are none. What may be subscribed to: everstay endpoint events"
    return "\n".join(_line(one) for one in found)


def _line(one: dict[str, Any]) -> str:
    attempts = "1 attempt" if one["attempts"] == 1 else f"{one['attempts']} attempts"
    error = f": {one['last_error']}" if one["last_error"] else ""
    return f"{one['id']}  {one['created_at'][:19]}  {one['type']}  {one['state']} after {attempts}{error}"


def replay(key: str, message: str | None, since: str | None) -> int:
    """Send again one message, everything since an instant, or what has failed; return how many."""
    if message is not None and since is not None:
        raise InvalidInputError(field="--since", reason="give either a message or an instant")
    at = WallInstant(parse_instant(since, "--since")) if since is not None else None
    one = _id(message) if message is not None else None

    async def work(session: Session) -> int:
        if one is None:
            return await replay_messages(session, key, wall_now(), at)
        await replay_message(session, one, wall_now())
        return 1

    return in_transaction(located_settings(), work)


def _id(given: str) -> uuid.UUID:
    try:
        return uuid.UUID(given.removeprefix("msg_"))
    except ValueError:
        reason = "an id as `everstay endpoint deliveries` prints it"
        raise InvalidInputError(field="--message", reason=reason) from None
