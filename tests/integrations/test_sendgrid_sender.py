"""What only the SendGrid adapter has: its request, its own words, and connections that never stood."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from domain.errors import PermanentProviderError, TransientProviderError, UncertainDeliveryError
from integrations.sendgrid_sender import SendGridEmailSender, SendGridOptions, mail_body
from integrations.simulators.account import SIMULATOR_API_KEY
from tests.integrations.messages import email
from tests.support.postgres import free_port
from tests.support.simulators import until_true

pytestmark = pytest.mark.integration


@pytest.fixture
async def trickling() -> AsyncIterator[str]:
    """A server that answers for ever, one byte after the other, so that no single read times out."""

    ended: list[asyncio.Event] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.Event())
        writer.write(b"HTTP/1.1 202 Accepted\r\nX-Slow: ")
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(2.0):
                while True:
                    writer.write(b".")
                    await writer.drain()
                    await asyncio.sleep(0.05)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        ended[-1].set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for each in ended:
        await each.wait()


def options(host: str, key: str = SIMULATOR_API_KEY) -> SendGridOptions:
    return SendGridOptions(key, host, timeout_seconds=0.5, has_look_up=True)


def test_the_request_has_text_first_and_our_id_on_the_personalization() -> None:
    body = mail_body(email(X_Everstay_Business_Time="2026-11-21T09:00:00+00:00"))
    content = body["content"]
    assert isinstance(content, list)
    assert [part["type"] for part in content] == ["text/plain", "text/html"]
    assert body["personalizations"] == [
        {
            "to": [{"email": "anna@globex.example", "name": "Anna Bergström"}],
            "custom_args": {"delivery_id": "delivery-1"},
        }
    ]
    assert body["headers"] == {"X-Everstay-Business-Time": "2026-11-21T09:00:00+00:00"}
    assert body["categories"] == ["stay-in-touch", "retention"]
    assert "custom_args" not in body


async def test_opt_out_headers_and_words_arrive_as_they_were_given(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    await sender.send(
        email(
            List_Unsubscribe="<https://vendor.example/u/1>",
            List_Unsubscribe_Post="List-Unsubscribe=One-Click",
        )
    )
    [held] = (await http.get("/_mailbox")).json()["messages"]
    assert held["headers"] == {
        "List-Unsubscribe": "<https://vendor.example/u/1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert (held["subject"], held["to_name"]) == ("Ein Gruß, Anna ✓", "Anna Bergström")
    assert held["reply_to"] == "replies@vendor.example"


async def test_a_refused_connection_is_certainly_not_sent() -> None:
    sender = SendGridEmailSender(options(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(TransientProviderError, match="no connection"):
        await sender.send(email())
    sender.close()


async def test_an_unknown_host_is_certainly_not_sent() -> None:
    sender = SendGridEmailSender(options("http://nowhere.invalid"))
    with pytest.raises(TransientProviderError):
        await sender.send(email())
    sender.close()


async def test_an_answer_that_trickles_for_ever_ends_as_uncertain(trickling: str) -> None:
    sender = SendGridEmailSender(options(trickling))
    with pytest.raises(UncertainDeliveryError, match="no answer in time"):
        await sender.send(email())
    sender.close()


async def test_a_wrong_key_is_refused_for_good_in_the_providers_words(simulator: str) -> None:
    sender = SendGridEmailSender(options(simulator, "SG.wrong"))
    with pytest.raises(PermanentProviderError, match="authorization grant is invalid") as raised:
        await sender.send(email())
    assert raised.value.details["status"] == 401
    sender.close()


async def test_a_bad_address_is_refused_with_the_field_that_is_wrong(sender: SendGridEmailSender) -> None:
    with pytest.raises(PermanentProviderError, match=r"personalizations\.0\.to\.0\.email: "):
        await sender.send(email(to="nobody"))


def test_no_sender_is_built_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.of-somebody-else")  # the client would take it silently
    with pytest.raises(PermanentProviderError, match="no API key"):
        SendGridEmailSender(SendGridOptions(""))


async def test_an_account_without_the_add_on_cannot_tell(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    await http.patch("/_control/switches", json={"look_up_enabled": False})
    with pytest.raises(UncertainDeliveryError, match="authorization required"):
        await sender.look_up("delivery-1")


async def test_a_look_up_lags_behind_as_the_provider_does(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    await http.patch("/_control/switches", json={"look_up_lag_seconds": 3600})
    receipt = await sender.send(email())
    assert await sender.look_up("delivery-1") is None
    await http.patch("/_control/switches", json={"look_up_lag_seconds": 0})
    assert await sender.look_up("delivery-1") == receipt


async def test_a_slow_provider_takes_what_nobody_waits_for_any_more(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    longer_than_a_busy_machine_pauses = 8.0
    await http.patch("/_control/switches", json={"answer_seconds": longer_than_a_busy_machine_pauses})
    with pytest.raises(UncertainDeliveryError):
        await sender.send(email())

    async def is_taken() -> bool:
        return await sender.look_up("delivery-1") is not None

    await until_true(is_taken)


async def test_a_look_up_that_fails_may_be_repeated() -> None:
    sender = SendGridEmailSender(options(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(TransientProviderError):
        await sender.look_up("delivery-1")
    sender.close()


async def test_many_sends_at_once_are_each_held_once(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    receipts = await asyncio.gather(*(sender.send(email(f"delivery-{number}")) for number in range(100)))
    assert len({receipt.provider_message_id for receipt in receipts}) == 100
    counts = (await http.get("/_mailbox")).json()["counts"]
    assert (counts["messages"], counts["deliveries"], counts["duplicates"]) == (100, 100, 0)


def test_the_key_is_not_shown_with_the_options() -> None:
    assert SIMULATOR_API_KEY not in repr(options("http://127.0.0.1:1"))


async def test_neither_key_nor_message_reaches_the_log(
    sender: SendGridEmailSender, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await sender.send(email())
    assert SIMULATOR_API_KEY not in caplog.text
    assert "anna@globex.example" not in caplog.text
