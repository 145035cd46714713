import asyncio
import base64
import datetime as dt
from collections.abc import Awaitable, Callable

import pytest
from standardwebhooks import Webhook

from domain.errors import PermanentProviderError, TransientProviderError
from domain.outgoing_webhooks import WebhookCall
from domain.time import WallInstant
from integrations.endpoint_trial import try_endpoint
from integrations.public_addresses import is_public
from integrations.webhook_poster import HttpWebhookPoster, signed_headers
from tests.support.endpoints import OTHER, SECRET
from tests.support.simulators import Message, Receiver, running_receiver

NOW = WallInstant(dt.datetime.now(dt.UTC))
PRIVATE = (
    "127.0.0.1", "127.8.9.1", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:0:7f00:1::1", "2001:db8::1", "nonsense", "",
)  # fmt: skip


def call(url: str, *secrets: str) -> WebhookCall:
    return WebhookCall(
        "crm-sync",
        url,
        secrets or (SECRET,),
        "message_1",
        b'{"type":"t"}',
        WallInstant(dt.datetime.now(dt.UTC)),
    )


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolve(_host: str, _port: int) -> list[str]:
        return list(addresses)

    return resolve


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_on_the_public_internet_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_are_known_too(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]:8443/x",
        "https://localhost/x",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/x",
        "https://0x7f.1/x",
    ],
)
async def test_a_call_of_our_own_network_is_refused_however_it_is_written(url: str) -> None:
    with pytest.raises(PermanentProviderError, match="not on the public internet"):
        await HttpWebhookPoster().post(call(url))


@pytest.mark.parametrize("addresses", [("10.0.0.7",), ("1.1.1.1", "127.0.0.1"), ("fd00::1",)])
async def test_a_name_that_leads_to_our_own_network_is_refused(addresses: tuple[str, ...]) -> None:
    poster = HttpWebhookPoster(resolver=resolving(*addresses))
    with pytest.raises(PermanentProviderError, match="not on the public internet"):
        await poster.post(call("https://crm.example/hooks"))


async def test_only_https_unless_a_setting_allows_more() -> None:
    with pytest.raises(PermanentProviderError, match="not https"):
        await HttpWebhookPoster(resolver=resolving("1.1.1.1")).post(call("http://crm.example/"))


async def test_a_name_that_cannot_be_resolved_is_tried_again() -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        raise OSError

    with pytest.raises(TransientProviderError, match="resolved"):
        await HttpWebhookPoster(resolver=resolve).post(call("https://crm.example/"))


def test_the_reference_implementation_believes_each_of_our_signatures() -> None:
    made = call("https://crm.example/", SECRET, OTHER)
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(made.body, signed_headers(made)) == {"type": "t"}


@pytest.mark.integration
async def test_the_connection_goes_to_the_address_that_was_checked_and_names_the_host() -> None:
    receiver = Receiver(status=200)
    async with running_receiver(receiver) as url:
        port = url.rpartition(":")[2]
        poster = HttpWebhookPoster(allow_private=True, resolver=resolving("127.0.0.1"))
        await poster.post(call(f"http://crm.example:{port}/hooks?a=1"))
    ((headers, body),) = receiver.requests
    assert (headers["Host"], body) == (f"crm.example:{port}", b'{"type":"t"}')
    assert headers["Webhook-Id"] == "message_1"


@pytest.mark.integration
async def test_an_address_that_nobody_listens_at_is_passed_over_for_the_next() -> None:
    receiver = Receiver(status=204)
    async with running_receiver(receiver) as url:
        port = url.rpartition(":")[2]
        poster = HttpWebhookPoster(allow_private=True, resolver=resolving("127.0.0.9", "127.0.0.1"))
        await poster.post(call(f"http://crm.example:{port}/"))
    assert len(receiver.requests) == 1


@pytest.mark.integration
@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_what_may_pass_is_transient(status: int) -> None:
    async with running_receiver(Receiver(status=status)) as url:
        with pytest.raises(TransientProviderError, match=str(status)):
            await HttpWebhookPoster(allow_private=True).post(call(url))


@pytest.mark.integration
@pytest.mark.parametrize(("status", "is_gone"), [(400, False), (401, False), (404, False), (410, True)])
async def test_a_refusal_is_for_good(status: int, is_gone: bool) -> None:  # noqa: FBT001 - a parameter of the test
    async with running_receiver(Receiver(status=status)) as url:
        with pytest.raises(PermanentProviderError, match=str(status)) as raised:
            await HttpWebhookPoster(allow_private=True).post(call(url))
    assert raised.value.details["is_gone"] is is_gone


@pytest.mark.integration
async def test_a_redirect_is_not_followed() -> None:
    inner = Receiver(status=200)
    async with running_receiver(inner) as secret_place:

        async def elsewhere(
            _scope: Message,
            _receive: Callable[[], Awaitable[Message]],
            send: Callable[[Message], Awaitable[None]],
        ) -> None:
            headers = [(b"location", secret_place.encode())]
            await send({"type": "http.response.start", "status": 307, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

        async with running_receiver(elsewhere) as url:  # type: ignore[arg-type]  # an application like the other
            with pytest.raises(PermanentProviderError, match="redirects are not followed"):
                await HttpWebhookPoster(allow_private=True).post(call(url))
    assert inner.requests == []


@pytest.mark.integration
async def test_an_endpoint_that_never_answers_is_given_up_in_time() -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        poster = HttpWebhookPoster(allow_private=True, seconds=0.3)
        with pytest.raises(TransientProviderError, match="in time"):
            await poster.post(call(f"http://127.0.0.1:{port}/"))
    finally:
        server.close()


@pytest.mark.integration
async def test_a_trial_says_whether_it_was_taken() -> None:
    receiver, poster = Receiver(status=202), HttpWebhookPoster(allow_private=True)
    async with running_receiver(receiver) as url:
        assert await try_endpoint(poster, "crm", url, [SECRET], NOW) == (True, "crm took it.")
        receiver.status = 403
        taken, said = await try_endpoint(poster, "crm", url, [SECRET], NOW)
    assert (taken, "403" in said) == (False, True)
    assert b'"everstay.test"' in receiver.requests[0][1]


def test_a_secret_of_the_tests_is_what_the_scheme_asks_for() -> None:
    assert len(base64.b64decode(SECRET.removeprefix("whsec_"))) >= 24
