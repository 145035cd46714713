"""The simulated provider: takes mail, makes it meet its fate, and remembers both."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from integrations.faults import Fault, FaultPlan
from integrations.simulators.sendgrid.events import HARD_BOUNCE, event_row, first_events
from integrations.simulators.sendgrid.requests import Address, Mail, Personalization
from integrations.simulators.sendgrid.store import NOT_IN_WEBHOOK, MailStore, Row, pack

BUSINESS_TIME_HEADER = "X-Everstay-Business-Time"
_READER = {"useragent": "Mozilla/5.0 (simulated mail client)", "ip": "192.0.2.10"}
_BECOMES = {"bounce": "bounced", "spamreport": "reported as spam", "unsubscribe": "unsubscribed"}
_SUPPRESSES = {"bounce": "bounces", "spamreport": "spam_reports", "unsubscribe": "global"}


class Switches(msgspec.Struct):
    """How the simulator behaves; the control API changes it."""

    look_up_enabled: bool = True
    look_up_lag_seconds: float = 0.0
    answer_seconds: float = 0.0
    """How long a call that succeeds takes; the message is taken in the middle of it."""
    webhook_url: str | None = None
    webhook_duplicates: bool = False
    webhook_out_of_order: bool = False
    inbound_url: str | None = None


class SimulatedSendGrid:
    """One account at the provider."""

    def __init__(self, store: MailStore, switches: Switches) -> None:
        self.store = store
        self.switches = switches
        self.faults = FaultPlan()
        self.webhook_ready = asyncio.Event()

    def accept(self, mail: Mail, fault: Fault | None) -> str:
        """Take the mail and return its X-Message-Id; each recipient gets a message of their own."""
        message_id = secrets.token_urlsafe(16)
        number = 0
        for each in mail.personalizations:
            for recipient in (*each.to, *each.cc, *each.bcc):
                self._deliver(
                    _message(mail, each, recipient, f"{message_id}.recvd-simulator-{number}.0"), fault
                )
                number += 1
        return message_id

    def react(self, message: Row, kind: str, extra: Mapping[str, Any] | None = None) -> None:
        """Let something happen to a message later: one of SendGrid's events, or what it has none for."""
        details = {**(_READER if kind in {"open", "click"} else {}), **(extra or {})}
        if kind == "bounce":
            details = {**HARD_BOUNCE, **details}
        if kind in _SUPPRESSES:
            self.store.suppress(_SUPPRESSES[kind], message["to_email"], str(details.get("reason", "")))
        due = None if kind in NOT_IN_WEBHOOK else self._due()
        self.store.add_event(message["id"], event_row(kind, message, details), due, _BECOMES.get(kind))
        self.webhook_ready.set()

    def _deliver(self, message: Row, fault: Fault | None) -> None:
        happenings, message["status"] = first_events(fault, self.store.suppression_of(message["to_email"]))
        events = [event_row(kind, message, extra, order) for order, (kind, extra) in enumerate(happenings)]
        self.store.add(message, events, self._due())
        if fault is Fault.BOUNCE:
            self.store.suppress("bounces", message["to_email"], HARD_BOUNCE["reason"], HARD_BOUNCE["status"])
        self.webhook_ready.set()

    def _due(self) -> float | None:
        return time.time() if self.switches.webhook_url else None


def _message(mail: Mail, envelope: Personalization, recipient: Address, msg_id: str) -> Row:
    headers = {**mail.headers, **envelope.headers}
    arguments = {**mail.custom_args, **envelope.custom_args}
    sender = envelope.sender or mail.sender
    return {
        "msg_id": msg_id,
        "delivery_id": arguments.get("delivery_id"),
        "to_email": recipient.email,
        "to_name": recipient.name,
        "from_email": sender.email,
        "from_name": sender.name,
        "reply_to": mail.reply_to.email if mail.reply_to else sender.email,
        "subject": envelope.subject or mail.subject or "",
        "text": _part(mail, "text/plain"),
        "html": _part(mail, "text/html"),
        "calendar": _part(mail, "text/calendar"),
        "attachments": pack([{"filename": each.filename, "type": each.type} for each in mail.attachments]),
        "headers": pack(headers),
        "categories": pack(mail.categories),
        "custom_args": pack(arguments),
        "business_time": headers.get(BUSINESS_TIME_HEADER, ""),
        "arrived_at": time.time(),
        "status": "processed",
    }


def _part(mail: Mail, media_type: str) -> str:
    types = ((part, part.type.partition(";")[0].strip()) for part in mail.content)
    return next((part.value for part, found in types if found == media_type), "")
