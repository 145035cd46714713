import datetime as dt
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import update

from domain.vocabulary import EffectState, NoticeKind, Purpose, TouchpointState
from integrations.sendgrid_events import SIGNATURE_HEADER, TIMESTAMP_HEADER
from models.database import Database
from models.opt_outs import consents_of
from models.tables.system import ClockSegmentRow
from tests.support.letters import (
    Letter,
    event,
    notices,
    post_events,
    sent_letter,
    states,
    suppression,
    waiting_events,
)
from tests.support.probes import stored_text
from tests.support.sample_rows import Sample, fill
from tests.support.simulators import until_true
from tests.support.web import Client, provider_key, web_client, web_settings

pytestmark = pytest.mark.integration

URL = "/webhooks/sendgrid/events"


@pytest.fixture
async def sample(database: Database) -> Sample:
    """A small portfolio whose clock has run for an hour."""
    async with database.transaction() as session:
        filled = await fill(session, customers=3)
        started = ClockSegmentRow.wall_start - dt.timedelta(hours=1)
        await session.execute(update(ClockSegmentRow).values(wall_start=started))
        return filled


@pytest.fixture
async def client(sample: Sample, database_url: str) -> AsyncIterator[Client]:
    async with web_client(web_settings(database_url)) as opened:
        yield opened


async def applied(database: Database) -> None:
    async def nothing_waits() -> bool:
        return await waiting_events(database) == 0

    await until_true(nothing_waits)


async def deliver(client: Client, database: Database, *events: dict[str, Any]) -> None:
    assert (await post_events(client, *events)).status_code == 204
    await applied(database)


async def consents(database: Database, letter: Letter) -> dict[Purpose, bool]:
    async with database.transaction() as session:
        return await consents_of(session, letter.contact_id)


async def test_whatever_the_provider_says_an_uncertain_send_is_confirmed(
    client: Client, database: Database, sample: Sample
) -> None:
    for kind in ("processed", "deferred", "delivered", "open"):
        letter = await sent_letter(database, sample, EffectState.UNCERTAIN)
        await deliver(client, database, event(letter, kind))
        assert (await states(database, letter))[0] is EffectState.CONFIRMED, kind


async def test_opens_and_clicks_are_shown_and_ring_nobody(
    client: Client, database: Database, sample: Sample
) -> None:
    letter = await sent_letter(database, sample)
    await deliver(client, database, event(letter, "open"), event(letter, "click", url="https://x.example"))
    assert (await states(database, letter))[1] is TouchpointState.CLICKED
    assert await notices(database, letter.customer_id) == []


async def test_an_open_by_a_program_changes_nothing(
    client: Client, database: Database, sample: Sample
) -> None:
    letter = await sent_letter(database, sample)
    await deliver(client, database, event(letter, "delivered"), event(letter, "open", sg_machine_open=True))
    assert (await states(database, letter))[1] is TouchpointState.DELIVERED


async def test_events_mean_the_same_in_any_order_and_any_number(
    client: Client, database: Database, sample: Sample
) -> None:
    for order in itertools.permutations(["processed", "delivered", "bounce"]):
        letter = await sent_letter(database, sample)
        for each in [event(letter, kind) for kind in order]:
            await deliver(client, database, each, each)
            await deliver(client, database, each)
        assert await states(database, letter) == (EffectState.CONFIRMED, TouchpointState.BOUNCED), order
    assert await notices(database, sample.customers[1]) == [NoticeKind.CONSENT_CHANGED]


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        pytest.param("bounce", {"type": "bounce"}, "bounced", id="bounce"),
        pytest.param("bounce", {"type": "blocked"}, None, id="block"),
        pytest.param("dropped", {"reason": "Bounced Address"}, "suppressed", id="drop"),
        pytest.param("spamreport", {}, "reported_spam", id="complaint"),
        pytest.param("unsubscribe", {}, None, id="opting out is a word, not a dead address"),
    ],
)
async def test_what_makes_an_address_unusable(
    client: Client,
    database: Database,
    sample: Sample,
    kind: str,
    fields: dict[str, str],
    reason: str | None,
) -> None:
    letter = await sent_letter(database, sample)
    await deliver(client, database, event(letter, kind, **fields))
    assert await suppression(database, letter.contact_id) == reason


async def test_opting_out_withdraws_every_optional_consent_and_tells_the_workflow(
    client: Client, database: Database, sample: Sample
) -> None:
    letter = await sent_letter(database, sample)
    await deliver(client, database, event(letter, "unsubscribe"))
    assert await consents(database, letter) == {Purpose.LIFECYCLE: False, Purpose.MARKETING: False}
    assert await notices(database, letter.customer_id) == [NoticeKind.CONSENT_CHANGED]


@pytest.mark.parametrize("is_late", [False, True], ids=["in order", "out of order"])
async def test_the_newest_word_holds_whichever_comes_first(
    client: Client, database: Database, sample: Sample, is_late: object
) -> None:
    letter = await sent_letter(database, sample)
    now = event(letter, "unsubscribe")["timestamp"]
    words = [
        event(letter, "unsubscribe", timestamp=now - 60),
        event(letter, "group_resubscribe", timestamp=now - 30),
    ]
    for each in reversed(words) if is_late else words:
        await deliver(client, database, each)
    assert (await consents(database, letter))[Purpose.LIFECYCLE]


async def test_a_bounce_of_a_mail_that_we_did_not_send_suppresses_the_address(
    client: Client, database: Database, sample: Sample
) -> None:
    contact = sample.contacts[sample.customers[1]][0]
    await deliver(client, database, event(None, "bounce", email="HANNA@customer1.example"))
    assert await suppression(database, contact) == "bounced"


async def test_an_event_about_an_unknown_message_is_kept_and_does_no_harm(
    client: Client, database: Database
) -> None:
    await deliver(client, database, event(None, "delivered", delivery_id="somebody-elses"))
    assert "somebody-elses" in await stored_text(database, "provider_events")


async def test_addresses_of_readers_are_not_kept(client: Client, database: Database, sample: Sample) -> None:
    letter = await sent_letter(database, sample)
    await deliver(client, database, event(letter, "open", ip="203.0.113.9", useragent="Secret Mail 1.0"))
    kept = await stored_text(database, "provider_events")
    assert letter.delivery_id in kept
    assert "203.0.113.9" not in kept
    assert "Secret Mail" not in kept


def forged(body: bytes, **changes: str) -> dict[str, str]:
    return {**provider_key().headers(body), **changes}


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(lambda _: {}, id="no signature"),
        pytest.param(lambda body: provider_key().headers(body + b" "), id="another body"),
        pytest.param(lambda body: forged(body, **{SIGNATURE_HEADER: "bm9uc2Vuc2U="}), id="nonsense"),
        pytest.param(
            lambda body: {SIGNATURE_HEADER: provider_key().sign("1", body), TIMESTAMP_HEADER: "1"}, id="stale"
        ),
    ],
)
async def test_a_bad_signature_gets_401_and_leaves_no_trace(
    client: Client, database: Database, tamper: Any
) -> None:
    body = json.dumps([event(None, "bounce", email="hanna@customer1.example")]).encode()
    answer = await client.post(URL, content=body, headers=tamper(body))
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert await stored_text(database, "provider_events") == ""


async def test_a_signed_body_that_is_no_list_of_events_is_refused(client: Client) -> None:
    body = b'{"not": "a list"}'
    answer = await client.post(URL, content=body, headers=provider_key().headers(body))
    assert answer.status_code == 422


async def test_without_a_key_nobody_is_believed(database_url: str) -> None:
    settings = web_settings(database_url, sendgrid_webhook_public_key=None, sendgrid_api_key="SG.real")
    async with web_client(settings) as client:
        assert (await post_events(client, event(None, "bounce"))).status_code == 401


async def test_events_that_a_dead_process_stored_are_applied_at_the_next_start(
    database: Database, database_url: str, sample: Sample
) -> None:
    letter = await sent_letter(database, sample)
    async with web_client(web_settings(database_url)) as first:
        first.app.state.applier.wake = lambda: None  # it dies before it applies
        await post_events(first, event(letter, "delivered"))
    async with web_client(web_settings(database_url)) as second:
        second.app.state.applier.wake()
        await applied(database)
    assert (await states(database, letter))[1] is TouchpointState.DELIVERED


async def settled(database: Database) -> None:
    """Wait until every stored event is applied, which happens beside the answers."""

    async def is_done() -> bool:
        return await waiting_events(database) == 0

    await until_true(is_done)


async def test_a_scanner_that_follows_every_link_is_taken_back_as_soon_as_it_shows(
    client: Client, database: Database, sample: Sample
) -> None:
    letter = await sent_letter(database, sample)
    await post_events(client, event(letter, "delivered"))
    for place in range(2):
        await post_events(client, event(letter, "click", url=f"https://vendor.example/{place}"))
    await settled(database)
    assert await states(database, letter) == (EffectState.CONFIRMED, TouchpointState.CLICKED)
    await post_events(client, event(letter, "click", url="https://vendor.example/3"))
    await settled(database)
    assert await states(database, letter) == (EffectState.CONFIRMED, TouchpointState.DELIVERED)


@pytest.mark.parametrize("first", ["delivered", "click"])
async def test_a_click_within_seconds_of_the_delivery_is_no_word_of_a_person_in_any_order(
    client: Client, database: Database, sample: Sample, first: str
) -> None:
    letter = await sent_letter(database, sample)
    at = int(dt.datetime.now(dt.UTC).timestamp())
    told = [event(letter, "delivered", timestamp=at), event(letter, "click", timestamp=at + 2, url="a")]
    for each in told if first == "delivered" else reversed(told):
        await post_events(client, each)
    await settled(database)
    assert await states(database, letter) == (EffectState.CONFIRMED, TouchpointState.DELIVERED)


@pytest.mark.parametrize("kind", ["open", "click"])
async def test_what_a_known_scanner_does_is_marked_and_moves_nothing(
    client: Client, database: Database, sample: Sample, kind: str
) -> None:
    letter = await sent_letter(database, sample)
    await post_events(client, event(letter, kind, useragent="Mimecast-URL-Protect", url="a"))
    await settled(database)
    assert (await states(database, letter))[1] is TouchpointState.SENT
