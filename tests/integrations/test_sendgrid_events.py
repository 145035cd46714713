import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.delivery_events import DeliveryEvent, DeliveryEventKind
from domain.errors import InvalidInputError
from domain.time import WallInstant, wall
from integrations.sendgrid_events import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    SendGridWebhookVerifier,
    parse_events,
)
from integrations.sendgrid_sender import SendGridEmailSender
from integrations.simulators.account import simulator_public_key
from integrations.simulators.signing import SigningKey
from tests.integrations.messages import email
from tests.support.simulators import Receiver, running_receiver, until

NOW = wall(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
BODY = json.dumps(
    [{"event": "open", "timestamp": 1, "sg_event_id": "one", "sg_machine_open": True, "delivery_id": "d"}]
).encode()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.in_folder(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def verifier(key: SigningKey) -> SendGridWebhookVerifier:
    return SendGridWebhookVerifier(key.public_key)


def signed(key: SigningKey, body: bytes = BODY, at: WallInstant = NOW) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    return {SIGNATURE_HEADER: key.sign(timestamp, body), TIMESTAMP_HEADER: timestamp}


def test_what_the_provider_signed_is_authentic(key: SigningKey, verifier: SendGridWebhookVerifier) -> None:
    assert verifier.is_authentic(BODY, signed(key), NOW)


def test_an_altered_body_is_not(key: SigningKey, verifier: SendGridWebhookVerifier) -> None:
    assert not verifier.is_authentic(BODY.replace(b"open", b"click"), signed(key), NOW)
    reserialised = json.dumps(json.loads(BODY), separators=(",", ":")).encode()
    assert not verifier.is_authentic(reserialised, signed(key), NOW)


@pytest.mark.parametrize("age", [timedelta(minutes=11), -timedelta(minutes=11), timedelta(days=400)])
def test_a_stale_or_future_signature_is_not(
    key: SigningKey, verifier: SendGridWebhookVerifier, age: timedelta
) -> None:
    assert not verifier.is_authentic(BODY, signed(key, at=wall(NOW - age)), NOW)


def test_another_key_or_another_timestamp_is_not(
    key: SigningKey, verifier: SendGridWebhookVerifier, tmp_path: Path
) -> None:
    assert not verifier.is_authentic(BODY, signed(SigningKey.in_folder(tmp_path)), NOW)
    moved = {**signed(key), TIMESTAMP_HEADER: str(int(NOW.timestamp()) + 1)}
    assert not verifier.is_authentic(BODY, moved, NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SIGNATURE_HEADER: "not base64!", TIMESTAMP_HEADER: "1795262400"},
        {SIGNATURE_HEADER: "", TIMESTAMP_HEADER: "1795262400"},
        {SIGNATURE_HEADER: "ü", TIMESTAMP_HEADER: "1795262400"},
        {SIGNATURE_HEADER: "AAAA", TIMESTAMP_HEADER: "1795262400"},
        {SIGNATURE_HEADER: "AAAA", TIMESTAMP_HEADER: "yesterday"},
        {SIGNATURE_HEADER: "AAAA", TIMESTAMP_HEADER: "9" * 400},
        {SIGNATURE_HEADER: "AAAA"},
    ],
)
def test_nothing_that_a_stranger_sends_raises(
    verifier: SendGridWebhookVerifier, headers: dict[str, str]
) -> None:
    assert not verifier.is_authentic(BODY, headers, NOW)


def test_a_replay_is_authentic_and_carries_the_same_event_ids(
    key: SigningKey, verifier: SendGridWebhookVerifier
) -> None:
    headers = signed(key)
    assert all(verifier.is_authentic(BODY, headers, wall(NOW + timedelta(minutes=m))) for m in (0, 5))
    assert [event.event_id for event in parse_events(BODY)] == ["one"]


def test_a_key_of_another_kind_is_refused_when_it_is_given() -> None:
    other = rsa.generate_private_key(65537, 2048).public_key()
    der = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for wrong in (base64.b64encode(der).decode(), "AAAA", "no key"):
        with pytest.raises(InvalidInputError, match="sendgrid_webhook_public_key"):
            SendGridWebhookVerifier(wrong)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"event": "processed"}, DeliveryEventKind.PROCESSED),
        ({"event": "deferred", "response": "451 later"}, DeliveryEventKind.DEFERRED),
        ({"event": "delivered"}, DeliveryEventKind.DELIVERED),
        ({"event": "bounce", "type": "bounce"}, DeliveryEventKind.BOUNCED),
        ({"event": "bounce", "type": "blocked"}, DeliveryEventKind.BLOCKED),
        ({"event": "bounce"}, DeliveryEventKind.BOUNCED),
        ({"event": "dropped"}, DeliveryEventKind.SUPPRESSED),
        ({"event": "open"}, DeliveryEventKind.OPENED),
        ({"event": "click", "url": "https://a.b/c"}, DeliveryEventKind.CLICKED),
        ({"event": "spamreport"}, DeliveryEventKind.REPORTED_SPAM),
        ({"event": "unsubscribe"}, DeliveryEventKind.UNSUBSCRIBED),
        ({"event": "group_unsubscribe"}, DeliveryEventKind.UNSUBSCRIBED),
        ({"event": "group_resubscribe"}, DeliveryEventKind.RESUBSCRIBED),
    ],
)
def test_each_event_has_a_word_of_ours(event: dict[str, object], kind: DeliveryEventKind) -> None:
    body = json.dumps([{"timestamp": 1795262400, "sg_event_id": "x", "category": ["a"], **event}]).encode()
    [parsed] = parse_events(body)
    assert parsed.kind is kind
    assert parsed.occurred_at == NOW
    assert parsed.url == event.get("url", "")
    assert parsed.reason == event.get("response", "")


def test_a_machines_open_is_marked_and_an_unknown_kind_is_left_out() -> None:
    unknown = {"event": "teleported", "timestamp": 1, "sg_event_id": "two"}
    body = json.dumps([*json.loads(BODY), unknown]).encode()
    [event] = parse_events(body)
    assert event.is_machine


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'[{"event": "open"}]', b"\xff\xfe", b"null"])
def test_a_body_that_is_no_list_of_events_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse_events(body)


@pytest.mark.integration
async def test_the_simulator_signs_what_the_verifier_takes(
    sender: SendGridEmailSender, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    receiver = Receiver()
    async with running_receiver(receiver) as url:
        await http.patch("/_control/switches", json={"webhook_url": url})
        receipt = await sender.send(email())
        for reaction in ("open", "click", "spamreport"):
            body = {"delivery_id": "delivery-1", "reaction": reaction}
            (await http.post("/_control/reactions", json=body)).raise_for_status()
        await until(lambda: len(_events(receiver)) >= 6)
    verifier = SendGridWebhookVerifier(simulator_public_key(tmp_path))
    now = wall(datetime.now(UTC))
    assert all(verifier.is_authentic(body, headers, now) for headers, body in receiver.requests)
    events = _events(receiver)
    assert [event.kind.value for event in events] == [
        "processed", "delivered", "opened", "opened", "clicked", "reported_spam",
    ]  # fmt: skip
    assert {event.delivery_id for event in events} == {"delivery-1"}
    assert {event.provider_message_id for event in events} == {receipt.provider_message_id}
    assert events[4].url == "https://vendor.example/book?a=1&b=2"


@pytest.mark.integration
async def test_a_receiver_that_was_away_gets_its_events_later(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    receiver = Receiver(status=503)
    async with running_receiver(receiver) as url:
        await http.patch("/_control/switches", json={"webhook_url": url})
        await sender.send(email())
        await until(lambda: bool(receiver.requests))
        refused = len(receiver.requests)
        receiver.status = 204
        await until(lambda: len(receiver.requests) > refused)
    assert {event.event_id for event in parse_events(receiver.requests[0][1])} <= {
        event.event_id for event in _events(receiver, refused)
    }
    assert (await http.get("/_control")).json()["webhooks_waiting"] == 0


@pytest.mark.integration
async def test_duplicates_and_disorder_come_on_demand(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    receiver = Receiver()
    for number in range(3):
        await sender.send(email(f"delivery-{number}"))
    async with running_receiver(receiver) as url:
        switches = {"webhook_url": url, "webhook_duplicates": True, "webhook_out_of_order": True}
        await http.patch("/_control/switches", json=switches)
        await http.post("/_control/webhooks/resend")
        await until(lambda: len(receiver.requests) >= 2)
    first, second = (parse_events(body) for _, body in receiver.requests[:2])
    assert first == second
    assert first[0].delivery_id == "delivery-2"
    assert first[0].kind is DeliveryEventKind.DELIVERED


def _events(receiver: Receiver, start: int = 0) -> list[DeliveryEvent]:
    return [event for _, body in receiver.requests[start:] for event in parse_events(body)]


@pytest.mark.parametrize(
    ("fields", "is_marketing"),
    [
        ({"singlesend_id": "7"}, True),
        ({"marketing_campaign_id": 12}, True),
        ({"category": "Newsletter"}, True),
        ({"category": ["receipts", "marketing"]}, True),
        ({"category": ["receipts"]}, False),
    ],
)
def test_a_campaigns_mail_is_known_by_its_fields_or_its_category(
    fields: dict[str, object], is_marketing: object
) -> None:
    event = {"event": "delivered", "timestamp": 1, "sg_event_id": "one", **fields}
    (read,) = parse_events(json.dumps([event]).encode())
    assert read.is_marketing is is_marketing
