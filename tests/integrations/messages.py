from dataclasses import replace
from datetime import UTC, datetime

from domain.ports import EmailAddress, EmailMessage
from domain.time import wall
from domain.vocabulary import Purpose
from integrations.smtp_sender import SmtpEmailSender, SmtpOptions
from tests.support.mail_server import MailServer

NOW = wall(datetime(2026, 11, 21, 9, tzinfo=UTC))


def email(delivery_id: str = "delivery-1", to: str = "anna@globex.example", **headers: str) -> EmailMessage:
    return EmailMessage(
        delivery_id=delivery_id,
        to=EmailAddress(to, "Anna Bergström"),
        sender=EmailAddress("maya@vendor.example", "Maya Lind"),
        reply_to=EmailAddress("replies@vendor.example"),
        subject="Ein Gruß, Anna ✓",
        text="Hello Anna,\n\nhow is it going?\n",
        html='<p>Hello Anna, <a href="https://vendor.example/book?a=1&amp;b=2">how is it going?</a></p>',
        purpose=Purpose.LIFECYCLE,
        categories=("stay-in-touch", "retention"),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def smtp_sender(server: MailServer, **options: object) -> SmtpEmailSender:
    """Return an adapter to a running server, with other options where a test needs them."""
    plain = SmtpOptions("127.0.0.1", server.port, "none")
    return SmtpEmailSender(replace(plain, **options), lambda: NOW)  # type: ignore[arg-type] # by name
