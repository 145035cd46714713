import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe
from hubspot.utils.signature import Signature  # type: ignore[import-untyped]  # it has no types
from sqlalchemy import select, update
from standardwebhooks import Webhook

from domain.vocabulary import Channel, Direction
from models.clock import wall_now
from models.database import Database
from models.deliveries import replay_unclean
from models.tables.connections import PullCursorRow
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow
from models.tables.facts import InvoiceRow, TicketRow
from models.tables.ledger import TouchpointRow
from tests.support.probes import stored_text
from tests.support.sample_rows import Sample, fill
from tests.support.simulators import until_true
from tests.support.web import Client, web_client, web_settings
from tests.support.webhooks import (
    ORGANIZATION,
    SECRET,
    Sender,
    StillClock,
    connect_provider,
    deliveries,
    hubspot_events,
    intercom_notification,
    json_body,
    quarantined,
    salesforce_message,
    settle,
    stripe_event,
)
from workers.delivery_stage import run_delivery_stage

pytestmark = pytest.mark.integration

OTHER = "whsec_b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldA=="
SIGNING = ("stripe", "zendesk", "hubspot", "intercom", "webhook")
"""Salesforce signs nothing: the secret in its address vouches for it."""
BODIES: dict[str, bytes] = {
    "stripe": json_body(stripe_event()),
    "zendesk": json_body({"type": "zen:event-type:ticket.created", "id": "z1", "detail": {"id": "42"}}),
    "hubspot": json_body(hubspot_events(1)),
    "intercom": json_body(intercom_notification()),
    "salesforce": salesforce_message(),
    "webhook": json_body({"type": "nothing.of.ours"}),
}


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[Client]:
    settings = web_settings(database_url, public_url="https://success.example")
    async with web_client(settings) as opened:
        yield opened


@pytest.fixture(params=list(BODIES))
async def sender(request: pytest.FixtureRequest, database: Database) -> Sender:
    """A connected provider with a message of its own."""
    options: dict[str, Any] = {"organization_id": ORGANIZATION} if request.param == "salesforce" else {}
    await connect_provider(database, request.param, secrets=f"{OTHER} {SECRET}", **options)
    return made(request.param)


def made(provider: str, secret: str = SECRET, shift: float = 0) -> Sender:
    path = f"/{secret}" if provider == "salesforce" else ""
    return Sender(provider, BODIES[provider], secret=secret, shift=shift, path=path)


async def test_a_delivery_is_kept_as_it_came_and_once(
    client: Client, database: Database, sender: Sender
) -> None:
    for _ in range(2):
        answer = await sender.post(client)
        assert answer.status_code == 200, answer.text
    (kept,) = await deliveries(database)
    assert (kept.body, kept.state, kept.source_id) == (sender.body, "received", sender.provider)


async def test_either_of_two_secrets_is_good_while_one_replaces_the_other(
    client: Client, sender: Sender
) -> None:
    assert (await made(sender.provider, OTHER).post(client)).status_code == 200


async def test_another_secret_gets_401_and_leaves_no_trace(
    client: Client, database: Database, sender: Sender, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await made(sender.provider, "whsec_c3RyYW5nZXItc3RyYW5nZXI=").post(client)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert await stored_text(database, "webhook_deliveries") == ""
    logged = capsys.readouterr()
    assert sender.body[:40].decode() not in logged.out + logged.err


@pytest.mark.parametrize("provider", SIGNING)
async def test_a_changed_body_is_refused(client: Client, database: Database, provider: str) -> None:
    await connect_provider(database, provider)
    sender = made(provider)
    changed = Sender(sender.provider, sender.body + b" ", path=sender.path)
    assert (await changed.post(client, sender.headers())).status_code == 401


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}], ids=["none", "no signature"])
async def test_without_a_signature_nobody_is_believed(
    client: Client, sender: Sender, headers: dict[str, str]
) -> None:
    path = "" if sender.provider == "salesforce" else sender.path
    bare = Sender(sender.provider, sender.body, path=path)
    assert (await bare.post(client, headers or {"x": "y"})).status_code == 401


@pytest.mark.parametrize("shift", [-3600, 3600], ids=["stale", "from the future"])
@pytest.mark.parametrize("provider", ["stripe", "zendesk", "hubspot", "webhook"])
async def test_a_signature_of_another_hour_is_refused(
    client: Client, database: Database, provider: str, shift: float
) -> None:
    await connect_provider(database, provider)
    assert (await made(provider, shift=shift).post(client)).status_code == 401
    assert (await made(provider, shift=shift / 60).post(client)).status_code == 200


@pytest.mark.parametrize("days", [-3, 1], ids=["stale", "from the future"])
async def test_intercoms_own_time_is_in_the_body(client: Client, database: Database, days: int) -> None:
    await connect_provider(database, "intercom")
    told = intercom_notification() | {
        "created_at": int((dt.datetime.now(dt.UTC) + dt.timedelta(days=days)).timestamp())
    }
    assert (await Sender("intercom", json_body(told)).post(client)).status_code == 401


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe\x00", b"[1, 2", b'"text"', b"null", b'{"id": 7, "created": "x"}']
)
@pytest.mark.parametrize("provider", ["stripe", "zendesk", "hubspot", "webhook"])
async def test_signed_garbage_is_kept_and_fails_with_a_reason(
    client: Client, database: Database, provider: str, body: bytes
) -> None:
    await connect_provider(database, provider, mapping={"source": SOURCE, "events": [EVENT]})
    answer = await Sender(provider, body).post(client)
    assert answer.status_code == 200
    await settle(database)
    (kept,) = await deliveries(database)
    assert (kept.state, kept.body) in {("failed", body), ("ignored", body)}
    assert (kept.error is None) == (kept.state == "ignored")


@pytest.mark.parametrize("provider", SIGNING)
async def test_garbage_headers_are_refused(client: Client, database: Database, provider: str) -> None:
    await connect_provider(database, provider)
    sender = made(provider)
    for nonsense in ("t=,v1=", "=", "x" * 400, "t=nan,v1=1", "9" * 400):
        headers = {name: nonsense for name in sender.headers() if name != "content-type"}
        assert (await sender.post(client, headers)).status_code == 401, nonsense


async def test_an_unknown_source_is_404_and_too_much_is_413(client: Client, database: Database) -> None:
    for unknown in ("/webhooks/stripe", "/webhooks/%00", "/webhooks/%F0%9F%92%A5/x"):
        assert (await client.post(unknown, content=b"{}")).status_code == 404
    await connect_provider(database, "stripe")
    assert (await Sender("stripe", b"x" * 4_000_001).post(client)).status_code == 413


async def test_a_connection_without_a_secret_believes_nobody(client: Client, database: Database) -> None:
    await connect_provider(database, "stripe", secrets="")
    assert (await Sender("stripe", b"{}", secret="").post(client)).status_code == 401


async def test_the_official_libraries_judge_what_we_accept(client: Client, database: Database) -> None:
    for provider in ("stripe", "hubspot", "webhook"):
        await connect_provider(database, provider)
    mine = made("stripe")
    event = stripe.Webhook.construct_event(mine.body, mine.headers()["stripe-signature"], SECRET)
    assert event.id == "evt_1"
    theirs = stripe.WebhookSignature.generate_signature_header(mine.body.decode(), SECRET)
    assert (await mine.post(client, {"stripe-signature": theirs})).status_code == 200
    standard = made("webhook")
    Webhook(SECRET).verify(standard.body, standard.headers())
    now = dt.datetime.now(dt.UTC)
    signed = Webhook(SECRET).sign("m1", now, standard.body.decode())
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signed,
    }
    assert (await standard.post(client, headers)).status_code == 200
    hubspot = made("hubspot")
    stamp = str(int(now.timestamp() * 1000))
    made_by_them = Signature.get_signature(
        SECRET, hubspot.body.decode(), "v3", f"https://success.example{hubspot.url}", "POST", stamp
    )
    headers = {"x-hubspot-signature-v3": made_by_them, "x-hubspot-request-timestamp": stamp}
    assert (await hubspot.post(client, headers)).status_code == 200


async def test_salesforce_hears_its_acknowledgement_and_another_organisation_is_refused(
    client: Client, database: Database
) -> None:
    await connect_provider(database, "salesforce", organization_id=ORGANIZATION)
    answer = await made("salesforce").post(client)
    assert "<Ack>true</Ack>" in answer.text
    assert answer.headers["content-type"].startswith("text/xml")
    foreign = Sender("salesforce", salesforce_message(organization="00D000000000000"), path=f"/{SECRET}")
    assert (await foreign.post(client)).status_code == 401
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    assert (await Sender("salesforce", bomb, path=f"/{SECRET}").post(client)).status_code == 401


async def test_hubspots_retry_of_a_batch_is_the_same_delivery(client: Client, database: Database) -> None:
    await connect_provider(database, "hubspot")
    for attempt in range(2):
        body = json_body(hubspot_events(1, 2, attempt=attempt))
        assert (await Sender("hubspot", body).post(client)).status_code == 200
    (kept,) = await deliveries(database)
    await settle(database)
    async with database.transaction() as session:
        cursor = await session.scalar(select(PullCursorRow.cursor).where(PullCursorRow.stream == "asked"))
    assert kept.topic == "company.propertyChange"
    assert set(cursor or {}) == {"companies/1", "companies/2"}


SOURCE = {"id": "esp", "name": "Campaigns", "provides": ["touchpoints"]}
EVENT: dict[str, Any] = {
    "match": "email.*",
    "each": "data.sends",
    "columns": {
        "item.id": {"type": "text"},
        "item.to": {"type": "text"},
        "item.at": {"type": "instant"},
        "item.subject": {"type": "text", "optional": True},
    },
    "facts": [
        {
            "type": "touchpoint",
            "fields": {
                "key": "item.id",
                "known_at": "item.at",
                "customer": {"column": "item.to", "prefix": "mailto:"},
                "contact": {"column": "item.to", "prefix": "mailto:"},
                "direction": {"constant": "out"},
                "channel": {"constant": "email"},
                "purpose": {"constant": "marketing"},
                "subject": "item.subject",
                "occurred_at": "item.at",
            },
        }
    ],
}


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=3)


def sends(*people: str) -> bytes:
    now = dt.datetime.now(dt.UTC).timestamp()
    told = [{"id": f"s{n}", "to": person, "at": now - n} for n, person in enumerate(people, start=1)]
    return json_body({"type": "email.sent", "data": {"sends": told}})


async def test_a_generic_webhook_tells_what_its_mapping_says(
    client: Client, database: Database, sample: Sample
) -> None:
    await connect_provider(database, "webhook", mapping={"source": SOURCE, "events": [EVENT]})
    body = sends("hanna@customer1.example", "stranger@nowhere.example", "no address")
    assert (await Sender("webhook", body).post(client)).status_code == 200
    assert await settle(database) == 1
    (kept,) = await deliveries(database)
    assert (kept.state, kept.stored, kept.quarantined) == ("processed", 1, 2)
    waiting = await quarantined(database)
    assert [(row.line, row.kind, row.field) for row in waiting] == [
        (2, "unresolved", "customer"),
        (3, "unresolved", "customer"),
    ]
    async with database.transaction() as session:
        sent = (
            await session.scalars(select(TouchpointRow).where(TouchpointRow.source_id == "webhook"))
        ).one()
        assert (sent.customer_id, sent.contact_id) == (
            sample.customers[1],
            sample.contacts[sample.customers[1]][0],
        )
        heard = await session.scalar(select(SourceRow.last_received_at).where(SourceRow.id == "webhook"))
    assert heard is not None


async def test_a_conversation_is_a_ticket_and_contacts_both_ways(
    client: Client, database: Database, sample: Sample
) -> None:
    await connect_provider(database, "intercom")
    for _ in range(2):
        await Sender("intercom", json_body(intercom_notification())).post(client)
        await settle(database)
    async with database.transaction() as session:
        mine = TouchpointRow.source_id == "intercom"
        rows = (
            await session.scalars(select(TouchpointRow).where(mine).order_by(TouchpointRow.occurred_at))
        ).all()
        told = [(row.direction, row.channel, row.customer_id, row.user_id) for row in rows]
        ticket = (await session.scalars(select(TicketRow).where(TicketRow.source_id == "intercom"))).one()
    customer, jonas = sample.customers[1], sample.users["jonas"]
    assert told == [
        (Direction.IN, Channel.CHAT, customer, None),
        (Direction.OUT, Channel.CHAT, customer, jonas),
    ]
    assert (ticket.subject, ticket.resolved_at) == ("Help", None)


async def test_what_waited_in_quarantine_is_settled_when_the_delivery_is_replayed(
    client: Client, database: Database, sample: Sample
) -> None:
    await connect_provider(database, "salesforce", organization_id=ORGANIZATION)
    await made("salesforce").post(client)
    await settle(database)
    (row,) = await quarantined(database)
    assert (row.state, row.reason) == ("open", "touchpoint: no customer has the id '0011'")
    async with database.transaction() as session:
        known = update(CustomerRow).where(CustomerRow.id == sample.customers[0])
        await session.execute(known.values(external_id="0011"))
        assert await replay_unclean(session, wall_now()) == 1
    await settle(database)
    (row,) = await quarantined(database)
    (kept,) = await deliveries(database)
    assert (row.state, kept.state, kept.stored, kept.quarantined) == ("replayed", "processed", 1, 0)


async def test_a_salesforce_account_is_the_customer_of_its_domain(
    client: Client, database: Database, sample: Sample
) -> None:
    await connect_provider(database, "salesforce", provides=("touchpoints",), organization_id=ORGANIZATION)
    domain = sample.rows[1]["domain"]
    account = salesforce_message("Account", Id="0011", Name="Theirs", Website=f"https://www.{domain}/about")
    for body in (salesforce_message().replace(b"04l1", b"04l2"), account):
        await Sender("salesforce", body, path=f"/{SECRET}").post(client)
        await settle(database)
    async with database.transaction() as session:
        told = select(TouchpointRow.customer_id).where(TouchpointRow.source_id == "salesforce")
        assert (await session.scalars(told)).all() == [sample.customers[1]]


async def test_stripes_events_find_their_customer_by_the_payers_domain_whichever_comes_first(
    client: Client, database: Database, sample: Sample
) -> None:
    await connect_provider(database, "stripe", provides=("subscriptions", "invoices"))
    domain = sample.rows[2]["domain"]
    payer = stripe_event(object="customer", id="cus_1", email=f"billing@{domain}", name="Payer")
    for number, event in enumerate((stripe_event(), payer, stripe_event()), start=1):
        body = json_body(event | {"id": f"evt_{number}"})
        assert (await Sender("stripe", body).post(client)).status_code == 200
        await settle(database)
    kept = await deliveries(database)
    assert [(row.state, row.quarantined) for row in kept] == [
        ("processed", 1),
        ("processed", 0),
        ("processed", 0),
    ]
    async with database.transaction() as session:
        mine = InvoiceRow.source_id == "stripe"
        invoice = (await session.scalars(select(InvoiceRow).where(mine))).one()
    assert (invoice.customer_id, invoice.amount_due_minor) == (sample.customers[2], 12_000)


async def test_the_processor_hears_of_a_delivery_at_once(
    client: Client, database: Database, sample: Sample
) -> None:
    assert sample.customers
    await connect_provider(database, "intercom")
    settings = web_settings(database.url)
    running = asyncio.create_task(run_delivery_stage(settings, database, StillClock(dt.timedelta(hours=1))))
    try:
        await Sender("intercom", json_body(intercom_notification())).post(client)

        async def is_settled() -> bool:
            return [row.state for row in await deliveries(database)] == ["processed"]

        await until_true(is_settled)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
