"""One message of ours as a mail: text, then HTML, then an invitation, under a Message-ID that is our own."""

from email.headerregistry import Address
from email.message import EmailMessage as Mail
from email.policy import SMTP
from email.utils import format_datetime

from domain.ports import EmailAddress, EmailMessage
from domain.time import WallInstant

CATEGORIES_HEADER = "X-Everstay-Categories"
DELIVERY_HEADER = "X-Everstay-Delivery"


def write_mail(message: EmailMessage, now: WallInstant) -> bytes:
    """Return the mail with lines that end in CRLF and ASCII alone, so that every server takes it.

    The Message-ID begins with the delivery id: an answer names it, and the same message never looks like two.
    """
    mail = Mail(policy=SMTP)
    mail["Message-ID"] = f"<{message_id(message)}>"
    mail["Date"] = format_datetime(now)
    mail["From"] = _address(message.sender)
    mail["To"] = _address(message.to)
    if message.reply_to is not None:
        mail["Reply-To"] = _address(message.reply_to)
    mail["Subject"] = message.subject
    mail[DELIVERY_HEADER] = message.delivery_id
    if message.categories:
        mail[CATEGORIES_HEADER] = ", ".join(dict.fromkeys(message.categories))
    for name, value in message.headers.items():
        mail[name] = value
    _fill(mail, message)
    return mail.as_bytes()


def message_id(message: EmailMessage) -> str:
    """Return the Message-ID without its brackets."""
    return f"{message.delivery_id}@{message.sender.email.rpartition('@')[2]}"


def _fill(mail: Mail, message: EmailMessage) -> None:
    """Add the alternatives from the plainest to the richest, as RFC 2046, 5.1.4 asks."""
    mail.set_content(message.text, cte="quoted-printable")
    if message.html:
        mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    if message.invitation:
        mail.add_alternative(
            message.invitation, subtype="calendar", params={"method": "REQUEST"}, cte="quoted-printable"
        )
        content = message.invitation.encode()
        mail.add_attachment(content, maintype="application", subtype="ics", filename="invite.ics")


def _address(address: EmailAddress) -> Address:
    return Address(display_name=address.name, addr_spec=address.email)
