"""What only the SMTP adapter has: the mail itself, encryption, passwords, and lost connections."""

from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import (
    InvalidInputError,
    PermanentProviderError,
    TransientProviderError,
    UncertainDeliveryError,
)
from domain.ports import EmailAddress
from integrations.faults import Fault, FaultRule
from integrations.smtp_sender import smtp_options
from tests.integrations.messages import email, smtp_sender
from tests.support.mail_server import MailServer, certified, running_mail_server
from tests.support.postgres import free_port

pytestmark = pytest.mark.integration
INVITATION = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"


async def test_the_mail_has_text_html_and_invitation_under_our_own_message_id() -> None:
    message = replace(email(List_Unsubscribe_Post="List-Unsubscribe=One-Click"), invitation=INVITATION)
    async with running_mail_server(MailServer()) as server:
        receipt = await smtp_sender(server).send(message)
    (mail,) = server.accepted
    assert receipt.provider_message_id == "delivery-1"
    assert mail["Message-ID"] == "<delivery-1@vendor.example>"
    assert mail["Subject"] == "Ein Gruß, Anna ✓"
    assert mail["From"] == "Maya Lind <maya@vendor.example>"
    assert mail["Reply-To"] == "replies@vendor.example"
    assert mail["Date"] == "Sat, 21 Nov 2026 09:00:00 +0000"
    assert mail["X-Everstay-Categories"] == "stay-in-touch, retention"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    kinds = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "text/calendar", "application/ics"]
    (calendar,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    assert calendar.get_param("method") == "REQUEST"
    assert "how is it going?" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr] # it is there


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_encrypted_with_a_password_it_is_taken(security: str, tmp_path: Path) -> None:
    context, authority = certified(tmp_path)
    contexts = {security: context}
    async with running_mail_server(MailServer(), asks_password=True, **contexts) as server:
        options = {"security": security, "ca": authority, "user": "everstay", "password": "secret"}
        await smtp_sender(server, **options).send(email())
    assert server.encrypted == [True]


async def test_a_server_that_offers_no_starttls_gets_nothing() -> None:
    async with running_mail_server(MailServer()) as server:
        with pytest.raises(TransientProviderError):
            await smtp_sender(server, security="starttls").send(email())
    assert server.accepted == []


async def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    context, _ = certified(tmp_path)
    async with running_mail_server(MailServer(), starttls=context) as server:
        with pytest.raises(TransientProviderError):
            await smtp_sender(server, security="starttls").send(email())
    assert server.accepted == []


async def test_a_wrong_password_is_refused_for_good_and_never_repeated_in_words() -> None:
    async with running_mail_server(MailServer(), asks_password=True) as server:
        with pytest.raises(PermanentProviderError) as raised:
            await smtp_sender(server, user="everstay", password="hunter-2").send(email())
    assert raised.value.details["status"] == 535
    assert "hunter-2" not in str(raised.value)


async def test_a_connection_refused_is_transient_since_nothing_left() -> None:
    with pytest.raises(TransientProviderError):
        await smtp_sender(MailServer(port=free_port())).send(email())


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DROP])
async def test_an_answer_lost_after_the_message_is_uncertain(fault: Fault) -> None:
    async with running_mail_server(MailServer()) as server:
        server.faults.put(FaultRule("", fault))
        with pytest.raises(UncertainDeliveryError):
            await smtp_sender(server, timeout_seconds=0.5).send(email())


async def test_an_address_that_no_header_can_carry_is_refused_for_good() -> None:
    message = replace(email(), to=EmailAddress("anna@globex.example\r\nBcc: all@x.example"))
    async with running_mail_server(MailServer()) as server:
        with pytest.raises(PermanentProviderError):
            await smtp_sender(server).send(message)
    assert server.accepted == []


def test_a_password_never_travels_in_the_open() -> None:
    with pytest.raises(InvalidInputError, match="unencrypted"):
        smtp_options("smtp://mail.example", "user", "secret", 8.0, None)
    assert smtp_options("smtp://localhost:2525", "user", "secret", 8.0, None).port == 2525
    assert smtp_options("smtps://mail.example", "user", "secret", 8.0, None).port == 465
    assert "secret" not in repr(smtp_options("smtps://mail.example", "user", "secret", 8.0, None))
