"""The events of SendGrid's webhook, as SendGrid would word them."""

import secrets
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from integrations.faults import Fault
from integrations.simulators.sendgrid.store import Row, pack

AGENT = "Mozilla/5.0 (simulated mail client)"
HARD_BOUNCE: dict[str, Any] = {
    "type": "bounce",
    "status": "5.1.1",
    "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
    "bounce_classification": "Invalid Address",
}
BLOCKED: dict[str, Any] = {
    "type": "blocked",
    "status": "5.7.1",
    "reason": "550 5.7.1 Message rejected by the recipient's policy.",
    "bounce_classification": "Reputation",
}
DEFERRED: dict[str, Any] = {"response": "451 4.7.1 Greylisted, try again later.", "attempt": "1"}
DELIVERED: dict[str, Any] = {"response": "250 2.0.0 OK"}
DROP_REASONS = {
    "bounces": "Bounced Address",
    "invalid_emails": "Invalid",
    "spam_reports": "Spam Reporting Address",
    "global": "Unsubscribed Address",
}


def first_events(
    fault: Fault | None, suppression: Row | None
) -> tuple[list[tuple[str, dict[str, Any]]], str]:
    """Return what happens to a message right after it was taken, and the status that it ends with."""
    if suppression is not None and suppression["kind"] in DROP_REASONS:
        return [("dropped", {"reason": DROP_REASONS[suppression["kind"]]})], "dropped"
    processed: list[tuple[str, dict[str, Any]]] = [("processed", {})]
    if fault is Fault.BOUNCE:
        return [*processed, ("bounce", HARD_BOUNCE)], "bounced"
    if fault is Fault.BLOCK:
        return [*processed, ("bounce", BLOCKED)], "blocked"
    waits = [("deferred", DEFERRED)] if fault is Fault.DEFER else []
    return [*processed, *waits, ("delivered", DELIVERED)], "delivered"


def event_row(kind: str, message: Mapping[str, Any], extra: Mapping[str, Any], order: int = 0) -> Row:
    """Build one event of a stored (or about to be stored) message; `order` keeps a burst in sequence."""
    at = time.time() + order / 1000
    event_id = secrets.token_urlsafe(24)
    payload = {
        **msgspec.json.decode(message["custom_args"]),
        "email": message["to_email"],
        "timestamp": int(at),
        "smtp-id": f"<{message['msg_id'].partition('.')[0]}@simulator.invalid>",
        "event": kind,
        "category": msgspec.json.decode(message["categories"]),
        "sg_event_id": event_id,
        "sg_message_id": message["msg_id"],
        **extra,
    }
    return {"event_id": event_id, "kind": kind, "at": at, "payload": pack(payload)}
