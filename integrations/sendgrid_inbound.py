"""SendGrid's Inbound Parse: a form with the parts of a mail that somebody wrote to us."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from email.message import Message
from email.parser import HeaderParser
from email.utils import getaddresses, parseaddr

import msgspec

from domain.delivery_events import InboundEmail
from domain.errors import InvalidInputError
from integrations.invitations import read_reply

_BRACKETED = re.compile(r"<([^<>\s]+)>")


class _Envelope(msgspec.Struct):
    to: list[str] = []


def parse_inbound(form: Mapping[str, str], calendars: Sequence[bytes] = ()) -> InboundEmail:
    """Read the fields of the form; raises InvalidInputError when nobody is named as the sender.

    Take it for real only after SendGridWebhookVerifier has seen the raw body: a security policy on the
    parse setting has SendGrid sign it like the event webhook. `calendars` are the mail's calendar files.
    """
    headers = HeaderParser().parsestr(form.get("headers", ""))
    sender = parseaddr(form.get("from", ""))[1].lower()
    if "@" not in sender:
        raise InvalidInputError(field="from", reason="holds no e-mail address")
    return InboundEmail(
        message_id=_message_id(headers, form),
        sender_email=sender,
        recipients=_recipients(form),
        subject=form.get("subject", ""),
        text=form.get("text", ""),
        answers=_answers(headers),
        addressed=_addressed(headers, form),
        is_automatic=_is_automatic(headers),
        reply=next((reply for reply in map(read_reply, calendars) if reply is not None), None),
    )


def _message_id(headers: Message, form: Mapping[str, str]) -> str:
    """Return the Message-ID, or a digest of the whole where a mail program gave none."""
    found = _BRACKETED.search(headers.get("Message-ID", ""))
    words = "\0".join(form.get(name, "") for name in ("headers", "from", "to", "subject", "text"))
    return found[1] if found else hashlib.sha256(words.encode()).hexdigest()


def _recipients(form: Mapping[str, str]) -> tuple[str, ...]:
    """Prefer the envelope, which is where the mail really went, to what its header claims."""
    try:
        envelope = msgspec.json.decode(form.get("envelope", "{}"), type=_Envelope).to
    except msgspec.DecodeError:
        envelope = []
    return tuple(envelope or [address for _, address in getaddresses([form.get("to", "")])])


def _addressed(headers: Message, form: Mapping[str, str]) -> tuple[str, ...]:
    """Return the addresses in To and Cc, in lower case, each once."""
    written = [form.get("to", ""), form.get("cc", ""), headers.get("To", ""), headers.get("Cc", "")]
    found = (address.lower() for _, address in getaddresses(written) if "@" in address)
    return tuple(dict.fromkeys(found))


def _answers(headers: Message) -> tuple[str, ...]:
    references = _BRACKETED.findall(headers.get("References", ""))
    direct = _BRACKETED.findall(headers.get("In-Reply-To", ""))
    return tuple(dict.fromkeys([*direct, *reversed(references)]))


def _is_automatic(headers: Message) -> bool:
    """Tell a machine's answer from a person's: RFC 3834, and the older words of well-known programs."""
    submitted = headers.get("Auto-Submitted", "no").strip().lower()
    precedence = headers.get("Precedence", "").strip().lower()
    return (
        submitted != "no"
        or precedence in {"auto_reply", "bulk", "junk"}
        or any(name in headers for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress"))
    )
