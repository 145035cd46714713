"""A real SMTP server in the test's own loop, which meets the faults of a plan."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage as Mail
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integrations.faults import Fault, FaultPlan

AT_RECIPIENT = {
    Fault.REFUSE: "550 5.1.1 no such user",
    Fault.UNAUTHORIZED: "530 5.7.0 authentication required",
    Fault.FORBIDDEN: "550 5.7.1 not allowed to send",
    Fault.RATE_LIMIT: "450 4.7.1 too many messages, slow down",
    Fault.UNAVAILABLE: "421 4.3.2 not available now",
}
AT_THE_END = {
    Fault.TOO_LARGE: "552 5.3.4 message too big",
    Fault.SERVER_ERROR: "451 4.3.0 local error",
    Fault.BAD_GATEWAY: "gibberish",
}


@dataclass
class MailServer:
    """Keeps what it took, in order; `password` is what it asks of whoever logs in."""

    faults: FaultPlan = field(default_factory=FaultPlan)
    password: bytes = b"secret"
    accepted: list[Mail] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    port: int = 0
    _now: Fault | None = None

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self._now = self.faults.take(address)
        if self._now in AT_RECIPIENT:
            return AT_RECIPIENT[self._now]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        fault = self._now
        if fault is None or fault.is_accepted:
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            self.accepted.append(message_from_bytes(content, policy=policy.default))
            self.encrypted.append(_transport(server).get_extra_info("sslcontext") is not None)
        if fault in {Fault.DROP, Fault.ACCEPT_THEN_DROP}:
            _transport(server).abort()
        if fault in {Fault.HANG, Fault.ACCEPT_THEN_HANG}:
            await asyncio.Event().wait()
        return AT_THE_END.get(fault, "250 OK queued") if fault is not None else "250 OK queued"

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        fits = isinstance(data, LoginPassword) and data.password == self.password
        return AuthResult(success=fits, handled=False)


def _transport(server: SMTP) -> asyncio.Transport:
    assert isinstance(server.transport, asyncio.Transport)
    return server.transport


@asynccontextmanager
async def running_mail_server(
    server: MailServer,
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    asks_password: bool = False,
) -> AsyncIterator[MailServer]:
    """Serve on a free port of this machine; its number is in `port`."""

    conversations: list[SMTP] = []

    def conversation() -> SMTP:
        spoken = SMTP(
            server,
            hostname="mail.example",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=server.authenticate,
            auth_required=asks_password and starttls is not None,
            auth_require_tls=starttls is not None,
            loop=asyncio.get_running_loop(),
        )
        conversations.append(spoken)
        return spoken

    listening = await asyncio.get_running_loop().create_server(conversation, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for each in conversations:
            if each.transport is not None:
                _transport(each).abort()
        await listening.wait_closed()


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's context for 127.0.0.1, and the file of the authority that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "mail.pem", folder / "mail.key"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return context, public
