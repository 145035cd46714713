"""The contract of EmailSender: the fake, SendGrid's client over real HTTP, and SMTP with a real server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from domain.errors import (
    EverstayError,
    PermanentProviderError,
    TransientProviderError,
    UncertainDeliveryError,
)
from domain.ports import EmailSender
from integrations.fake_email import FakeEmailSender
from integrations.faults import Fault, FaultRule
from integrations.sendgrid_sender import SendGridEmailSender, SendGridOptions
from integrations.simulators.account import SIMULATOR_API_KEY
from integrations.simulators.server import SimulatorOptions
from tests.integrations.messages import email, smtp_sender
from tests.support.mail_server import MailServer, running_mail_server
from tests.support.simulators import running_simulators

pytestmark = pytest.mark.integration

EXPECTED: dict[Fault, type[EverstayError]] = {
    Fault.REFUSE: PermanentProviderError,
    Fault.UNAUTHORIZED: PermanentProviderError,
    Fault.FORBIDDEN: PermanentProviderError,
    Fault.TOO_LARGE: PermanentProviderError,
    Fault.RATE_LIMIT: TransientProviderError,
    Fault.SERVER_ERROR: TransientProviderError,
    Fault.UNAVAILABLE: TransientProviderError,
    Fault.BAD_GATEWAY: UncertainDeliveryError,
    Fault.HANG: UncertainDeliveryError,
    Fault.DROP: UncertainDeliveryError,
    Fault.ACCEPT_THEN_HANG: UncertainDeliveryError,
    Fault.ACCEPT_THEN_DROP: UncertainDeliveryError,
}
HARMLESS = [fault for fault in Fault if fault not in EXPECTED]


@dataclass
class Provider:
    """A sender together with the handles that a test turns."""

    sender: EmailSender
    without_look_up: EmailSender
    put: Callable[[FaultRule], Awaitable[None]]
    held: Callable[[], Awaitable[list[str]]]


@pytest.fixture(params=["fake", "sendgrid", "smtp"])
async def provider(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Provider]:
    if request.param == "fake":
        yield _fake()
        return
    if request.param == "smtp":
        async with running_mail_server(MailServer()) as server:
            yield _mail_server(server)
        return
    async with running_simulators(SimulatorOptions(home=tmp_path, port=0)) as url:
        senders = [
            SendGridEmailSender(
                SendGridOptions(SIMULATOR_API_KEY, url, timeout_seconds=1.0, has_look_up=each)
            )
            for each in (True, False)
        ]
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield _simulated(client, senders[0], senders[1])
        for sender in senders:
            sender.close()


@pytest.fixture(params=["sendgrid", "smtp"])
async def narrow(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Provider]:
    """A provider to which there is one connection."""
    if request.param == "smtp":
        async with running_mail_server(MailServer()) as server:
            yield _mail_server(server, connections=1)
        return
    async with running_simulators(SimulatorOptions(home=tmp_path, port=0)) as url:
        sender = SendGridEmailSender(SendGridOptions(SIMULATOR_API_KEY, url, timeout_seconds=1.0, threads=1))
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield _simulated(client, sender, sender)
        sender.close()


def _fake() -> Provider:
    sender = FakeEmailSender()

    async def put(rule: FaultRule) -> None:
        sender.faults.put(rule)

    async def held() -> list[str]:
        return [message.delivery_id for message in sender.accepted]

    return Provider(sender, FakeEmailSender(has_look_up=False), put, held)


def _mail_server(server: MailServer, **options: object) -> Provider:
    sender = smtp_sender(server, timeout_seconds=1.0, **options)

    async def put(rule: FaultRule) -> None:
        server.faults.put(rule)

    async def held() -> list[str]:
        return [mail["X-Everstay-Delivery"] for mail in server.accepted]

    return Provider(sender, sender, put, held)


def _simulated(client: httpx.AsyncClient, sender: EmailSender, without_look_up: EmailSender) -> Provider:
    async def put(rule: FaultRule) -> None:
        body = {"prefix": rule.prefix, "fault": rule.fault, "times": rule.times}
        (await client.put("/_control/faults", json=body)).raise_for_status()

    async def held() -> list[str]:
        listed = (await client.get("/_mailbox")).raise_for_status().json()["messages"]
        return [message["delivery_id"] for message in listed]

    return Provider(sender, without_look_up, put, held)


async def test_an_accepted_message_gives_a_receipt_and_is_held_once(provider: Provider) -> None:
    receipt = await provider.sender.send(email())
    assert receipt.provider == provider.sender.name
    assert receipt.provider_message_id
    assert await provider.held() == ["delivery-1"]


async def test_a_look_up_where_there_is_one_finds_the_same_receipt_and_nothing_else(
    provider: Provider,
) -> None:
    receipt = await provider.sender.send(email())
    if provider.sender.has_look_up:
        assert await provider.sender.look_up("delivery-1") == receipt
        assert await provider.sender.look_up("delivery-2") is None


async def test_a_provider_without_look_up_never_says_that_it_has_nothing(provider: Provider) -> None:
    assert not provider.without_look_up.has_look_up
    with pytest.raises(UncertainDeliveryError):
        await provider.without_look_up.look_up("delivery-1")


@pytest.mark.parametrize("fault", EXPECTED)
async def test_each_fault_becomes_the_named_error(provider: Provider, fault: Fault) -> None:
    await provider.put(FaultRule("anna@", fault))
    with pytest.raises(EverstayError) as raised:
        await provider.sender.send(email())
    assert type(raised.value) is EXPECTED[fault]
    assert await provider.held() == (["delivery-1"] if fault.is_accepted else [])


@pytest.mark.parametrize("fault", HARMLESS)
async def test_what_goes_wrong_after_acceptance_is_no_error_of_the_send(
    provider: Provider, fault: Fault
) -> None:
    await provider.put(FaultRule("anna@", fault))
    assert (await provider.sender.send(email())).provider_message_id
    assert await provider.held() == ["delivery-1"]


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_DROP, Fault.ACCEPT_THEN_HANG])
async def test_a_message_taken_without_an_answer_is_uncertain_and_then_found(
    provider: Provider, fault: Fault
) -> None:
    await provider.put(FaultRule("anna@", fault, times=1))
    with pytest.raises(UncertainDeliveryError):
        await provider.sender.send(email())
    assert await provider.held() == ["delivery-1"]
    if provider.sender.has_look_up:
        receipt = await provider.sender.look_up("delivery-1")
        assert receipt is not None
        assert receipt.provider_message_id


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.HANG])
async def test_a_message_lost_without_an_answer_is_uncertain_and_then_not_found(
    provider: Provider, fault: Fault
) -> None:
    await provider.put(FaultRule("anna@", fault, times=1))
    with pytest.raises(UncertainDeliveryError):
        await provider.sender.send(email())
    if provider.sender.has_look_up:
        assert await provider.sender.look_up("delivery-1") is None
    assert (await provider.sender.send(email())).provider_message_id


async def test_too_many_requests_are_transient_for_a_time(
    provider: Provider,
) -> None:
    await provider.put(FaultRule("anna@", Fault.RATE_LIMIT))
    with pytest.raises(TransientProviderError) as raised:
        await provider.sender.send(email())
    wait = raised.value.details.get("retry_after", 0.0)
    assert isinstance(wait, float)
    assert 0 <= wait <= 60


async def test_a_fault_meets_only_its_prefix_and_only_so_often(provider: Provider) -> None:
    await provider.put(FaultRule("anna@", Fault.UNAVAILABLE, times=1))
    await provider.sender.send(email("other", to="jonas@globex.example"))
    with pytest.raises(TransientProviderError):
        await provider.sender.send(email("first"))
    await provider.sender.send(email("second"))
    assert sorted(await provider.held()) == ["other", "second"]


class TooLateError(Exception):
    """The lease is over."""


async def test_what_the_last_check_speaks_against_does_not_leave(provider: Provider) -> None:
    def refuse() -> None:
        raise TooLateError

    with pytest.raises(TooLateError):
        await provider.sender.send(email(), refuse)
    assert await provider.held() == []
    await provider.sender.send(email())
    assert await provider.held() == ["delivery-1"]


async def test_the_last_check_comes_after_the_wait_for_a_connection(narrow: Provider) -> None:
    """A call that hangs holds the only one. What waits behind it is asked once more before it leaves."""
    await narrow.put(FaultRule("anna@", Fault.HANG, 1))
    hanging = asyncio.create_task(narrow.sender.send(email()))
    is_late = asyncio.Event()
    checked: list[bool] = []

    def check() -> None:
        checked.append(is_late.is_set())
        if is_late.is_set():
            raise TooLateError

    waiting = asyncio.create_task(narrow.sender.send(email("delivery-2", "ben@globex.example"), check))
    done, _ = await asyncio.wait([hanging, waiting], timeout=0.3)
    assert (done, checked) == (set(), [])
    is_late.set()
    with pytest.raises(UncertainDeliveryError):
        await hanging
    with pytest.raises(TooLateError):
        await waiting
    assert (checked, await narrow.held()) == ([True], [])
