"""E-mail through any SMTP server: one connection and one message at a time, step by step."""

import asyncio
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from aiosmtplib import SMTP, SMTPException

from domain.errors import InvalidInputError, PermanentProviderError, UncertainDeliveryError
from domain.ports import DeliveryReceipt, EmailMessage, LastCheck, always
from domain.time import WallInstant
from integrations.smtp_errors import PROVIDER, provider_error
from integrations.smtp_message import write_mail

Security = Literal["none", "starttls", "tls"]
SCHEMES: dict[str, tuple[Security, int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}
"""How each scheme protects the connection, and its usual port."""
_LOCAL = re.compile(r"localhost|127(\.\d+){3}|::1")


@dataclass(frozen=True)
class SmtpOptions:
    """How to reach a server. `timeout_seconds` bounds a conversation; `ca` is an own authority's PEM file.

    STARTTLS is demanded, never only tried: a server that does not offer it gets nothing.
    """

    host: str
    port: int
    security: Security
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_seconds: float = 8.0
    ca: Path | None = None
    connections: int = 8


def smtp_options(
    url: str, user: str | None, password: str | None, timeout_seconds: float, ca: Path | None
) -> SmtpOptions:
    """Read `smtp+starttls://host:587` and its like; refuses a password over an open connection elsewhere."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise InvalidInputError(field="smtp_url", reason=f"begins with none of {', '.join(SCHEMES)}://")
    security, port = SCHEMES[parts.scheme]
    if password and security == "none" and not _LOCAL.fullmatch(parts.hostname):
        raise InvalidInputError(
            field="smtp_url", reason="would send the password unencrypted; use smtp+starttls:// or smtps://"
        )
    return SmtpOptions(parts.hostname, parts.port or port, security, user, password, timeout_seconds, ca)


class SmtpEmailSender:
    """The EmailSender port over SMTP (RFC 5321). A mail server can't be asked what it took: no look-up."""

    name = "smtp"
    has_look_up = False
    settle_seconds = 0.0

    def __init__(self, options: SmtpOptions, now: Callable[[], WallInstant]) -> None:
        """Take the server and the machine's time, which a mail's Date header states."""
        self._options = options
        self.call_seconds = options.timeout_seconds
        self._now = now
        self._free = asyncio.Semaphore(options.connections)
        self._tls = ssl.create_default_context(cafile=options.ca) if options.security != "none" else None

    async def send(self, message: EmailMessage, last_check: LastCheck = always) -> DeliveryReceipt:
        """Hand over the message once; lost before its words leave is transient, after it uncertain."""
        mail = self._written(message)
        async with self._free:
            last_check()
            conversation = _Conversation(self._client())
            try:
                async with asyncio.timeout(self._options.timeout_seconds):
                    await conversation.hand_over(message, mail)
            except (SMTPException, OSError, ValueError) as error:
                raise provider_error(error, data_was_begun=conversation.data_was_begun) from error
            finally:
                conversation.client.close()
        return DeliveryReceipt(self.name, message.delivery_id)

    async def look_up(self, delivery_id: str) -> DeliveryReceipt | None:
        """Say that nobody can tell."""
        raise UncertainDeliveryError(provider=PROVIDER, reason=f"it cannot be asked about {delivery_id}")

    def _written(self, message: EmailMessage) -> bytes:
        """Return the mail; an address that no header can carry will never do."""
        try:
            return write_mail(message, self._now())
        except (ValueError, IndexError) as error:
            raise PermanentProviderError(provider=PROVIDER, reason="an address is not one") from error

    def _client(self) -> SMTP:
        options = self._options
        return SMTP(
            hostname=options.host,
            port=options.port,
            username=options.user,
            password=options.password,
            use_tls=options.security == "tls",
            start_tls=options.security == "starttls",
            tls_context=self._tls,
            timeout=options.timeout_seconds,
        )


@dataclass
class _Conversation:
    """One connection, and how far it came: only from DATA on can the server have the message."""

    client: SMTP
    data_was_begun: bool = False

    async def hand_over(self, message: EmailMessage, mail: bytes) -> None:
        await self.client.connect()
        await self.client.mail(message.sender.email)
        await self.client.rcpt(message.to.email)
        self.data_was_begun = True
        await self.client.data(mail)
