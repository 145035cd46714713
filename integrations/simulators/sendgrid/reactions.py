"""What the person who got a message does with it; the mailbox's buttons and the control API ask for it."""

import re
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from html import unescape
from typing import Any

import httpx
import msgspec
from icalendar import Calendar, vDatetime

from integrations.simulators.sendgrid.provider import SimulatedSendGrid
from integrations.simulators.sendgrid.store import ONE_CLICK, REPLY, Row
from integrations.simulators.signing import SigningKey

TIMEOUT = httpx.Timeout(10.0)
_LINK = re.compile(r"""<a\s[^>]*href=["'](https?://[^"']+)["']""", re.IGNORECASE)
_BRACKETED = re.compile(r"<(https?://[^>]+)>")


class Reaction(StrEnum):
    """What may happen to a delivered message."""

    OPEN = "open"
    CLICK = "click"
    REPLY = "reply"
    BOUNCE = "bounce"
    UNSUBSCRIBE = "unsubscribe"
    SPAMREPORT = "spamreport"
    ACCEPT = "accept"
    DECLINE = "decline"
    """The last two are a calendar's answers to an invitation."""


PARTSTATS = {Reaction.ACCEPT: "ACCEPTED", Reaction.DECLINE: "DECLINED"}


class Reader:
    """Acts for the recipients of one account."""

    def __init__(self, provider: SimulatedSendGrid, key: SigningKey) -> None:
        self._provider = provider
        self._key = key

    async def react(self, message: Row, reaction: Reaction, text: str = "") -> None:
        """Let the recipient do it; `text` is the words of a reply or the address of a click."""
        if reaction is Reaction.REPLY:
            await self._reply(message, text.strip() or "Thank you, that helps. Can we talk on Thursday?")
        elif reaction in PARTSTATS:
            await self._answer_invitation(message, PARTSTATS[reaction])
        elif reaction is Reaction.UNSUBSCRIBE:
            await self._unsubscribe(message)
        elif reaction is Reaction.CLICK:
            self._provider.react(message, "open")
            self._provider.react(message, "click", {"url": text or first_link(message["html"])})
        else:
            self._provider.react(message, reaction.value)

    async def _unsubscribe(self, message: Row) -> None:
        """Do as mail programs do: POST to the one-click address (RFC 8058), else tell the provider."""
        url = one_click_url(message)
        if url is None:
            self._provider.react(message, "unsubscribe")
            return
        answer = await _answer_to(httpx.Request("POST", url, data={"List-Unsubscribe": "One-Click"}))
        self._provider.react(message, ONE_CLICK, {"url": url, "response": answer})

    async def _reply(self, message: Row, text: str) -> None:
        """Answer to the reply-to address."""
        answer = await self._send_in(_inbound(message, text))
        self._provider.react(message, REPLY, {"text": text, "response": answer})

    async def _answer_invitation(self, message: Row, partstat: str) -> None:
        """Answer as calendars do: by a mail to the organiser that holds the same event with METHOD:REPLY."""
        if not message["calendar"]:
            return
        words = f"{partstat.title()}: {message['subject']}"
        form = {**_inbound(message, words), "subject": words}
        answer = await self._send_in(form, reply_to(message["calendar"], partstat))
        self._provider.react(message, REPLY, {"text": words, "response": answer})

    async def _send_in(self, form: dict[str, str], calendar: bytes | None = None) -> str:
        """Deliver a mail to the inbound URL, where there is one, as SendGrid's Inbound Parse does."""
        url = self._provider.switches.inbound_url
        if not url:
            return "kept here: there is no inbound address"
        parts: dict[str, Any] = {name: (None, value) for name, value in form.items()}
        if calendar is not None:
            parts["attachment1"] = ("invite.ics", calendar, "text/calendar; method=REPLY")
        request = httpx.Request("POST", url, files=parts)
        request.headers.update(self._key.headers(await request.aread()))
        return await _answer_to(request)


def reply_to(invitation: str, partstat: str) -> bytes:
    """Return a calendar's answer to an invitation for its attendee."""
    calendar = Calendar.from_ical(invitation)
    calendar["METHOD"] = "REPLY"
    (event,) = calendar.walk("VEVENT")
    event["ATTENDEE"].params["PARTSTAT"] = partstat
    event["DTSTAMP"] = vDatetime(datetime.now(UTC))
    written: bytes = calendar.to_ical()
    return written


def first_link(html: str) -> str:
    """Return the first web address that a message links to."""
    found = _LINK.search(html)
    return unescape(found[1]) if found else ""


def one_click_url(message: Row) -> str | None:
    """Return the address of List-Unsubscribe where the message promises one-click."""
    headers = {name.lower(): value for name, value in msgspec.json.decode(message["headers"]).items()}
    found = _BRACKETED.search(headers.get("list-unsubscribe", ""))
    return found[1] if found and "one-click" in headers.get("list-unsubscribe-post", "").lower() else None


def _inbound(message: Row, text: str) -> dict[str, str]:
    reference = f"<{message['msg_id'].partition('.')[0]}@simulator.invalid>"
    subject = f"Re: {message['subject']}"
    sender = f"{message['to_name']} <{message['to_email']}>" if message["to_name"] else message["to_email"]
    envelope = {"to": [message["reply_to"]], "from": message["to_email"]}
    reply_id = f"<{secrets.token_urlsafe(16)}@simulator.invalid>"
    headers = (
        f"Message-ID: {reply_id}\nIn-Reply-To: {reference}\nReferences: {reference}\nSubject: {subject}\n"
    )
    return {
        "headers": headers,
        "from": sender,
        "to": message["reply_to"],
        "subject": subject,
        "text": text,
        "envelope": msgspec.json.encode(envelope).decode(),
        "SPF": "pass",
    }


async def _answer_to(request: httpx.Request) -> str:
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
            return str((await client.send(request)).status_code)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__
