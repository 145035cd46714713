"""The message log and the suppressed addresses, over the API and as pages."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from domain.delivery_events import DeliveryEvent, DeliveryEventKind
from domain.permissions import Permission
from domain.suppressions import ListedAddress, SuppressionList
from domain.time import WallInstant
from domain.vocabulary import DecisionKind, StepState
from models.clock import wall_now
from models.database import Database
from models.decisions import Decision, record_decisions
from models.keys import KeyKind, create_key
from models.provider_events import apply_events, store_events
from models.suppressions import take_entries
from models.tables.ledger import TouchpointRow
from models.tables.playbooks import InterventionStepRow
from tests.support.asking import letter_of
from tests.support.letters import Letter, sent_letter, suppression
from tests.support.people import come_as
from tests.support.sample_rows import NOW, Sample, fill
from tests.support.web import Client, csrf_in, web_client, web_settings

pytestmark = pytest.mark.integration
HANNA = "hanna@customer1.example"


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=3)


@pytest.fixture
async def client(database: Database, sample: Sample, database_url: str) -> AsyncIterator[Client]:
    """A program with a key for everything."""
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=[*Permission])
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


@pytest.fixture
async def browser(database_url: str, sample: Sample) -> AsyncIterator[Client]:
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["accept"] = "text/html"
        yield opened


async def told(database: Database, letter: Letter, *kinds: DeliveryEventKind) -> None:
    """Let the provider tell of a message, a minute apart."""
    begins = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
    events = [
        DeliveryEvent(
            uuid.uuid4().hex,
            kind,
            letter.delivery_id,
            HANNA,
            WallInstant(begins + dt.timedelta(minutes=place)),
            reason="550 no such user" if kind is DeliveryEventKind.BOUNCED else "",
        )
        for place, kind in enumerate(kinds)
    ]
    async with database.transaction() as session:
        await store_events(session, "sendgrid", reversed(events), wall_now())
        await apply_events(session, wall_now())


async def named(database: Database, letter: Letter, subject: str, minutes: int = 0) -> None:
    async with database.transaction() as session:
        mine = update(TouchpointRow).where(TouchpointRow.external_id == letter.delivery_id)
        at = NOW + dt.timedelta(minutes=minutes)
        await session.execute(mine.values(subject=subject, template="stay-in-touch", occurred_at=at))


async def subjects(client: Client, query: str) -> list[str]:
    answer = await client.get(f"/api/messages?{query}")
    assert answer.status_code == 200, answer.text
    return [each["subject"] for each in answer.json()["items"]]


async def test_messages_are_found_by_words_state_purpose_and_day(
    client: Client, database: Database, sample: Sample
) -> None:
    first, second = await sent_letter(database, sample), await sent_letter(database, sample)
    await named(database, first, "How is it going?")
    await named(database, second, "Your 100% review", 1)
    await told(database, first, DeliveryEventKind.DELIVERED)
    mine = f"customer={first.customer_id}"
    assert await subjects(client, f"search=hanna+going&{mine}") == ["How is it going?"]
    assert await subjects(client, f"search=100%25&{mine}") == ["Your 100% review"]
    assert await subjects(client, f"search=stay-in-touch&{mine}") == ["Your 100% review", "How is it going?"]
    assert "How is it going?" in await subjects(client, f"state=delivered&{mine}")
    assert "Your 100% review" not in await subjects(client, f"state=delivered&{mine}")
    assert await subjects(client, f"purpose=transactional&search=going&{mine}") == []
    tomorrow = (NOW + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await subjects(client, f"since={tomorrow}&search=going&{mine}") == []


async def test_pages_of_the_log_hold_every_message_once(
    client: Client, database: Database, sample: Sample
) -> None:
    letters = [await sent_letter(database, sample) for _ in range(5)]
    for place, letter in enumerate(letters):
        await named(database, letter, f"Letter {place}", place // 2)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"/api/messages?limit=2&search=letter&customer={letters[0].customer_id}"
        answer = (await client.get(query + (f"&cursor={cursor}" if cursor else ""))).json()
        seen += [each["subject"] for each in answer["items"]]
        cursor = answer["next"]
    assert sorted(seen) == [f"Letter {place}" for place in range(5)]


async def test_a_message_tells_its_timeline_in_order_however_the_events_came(
    client: Client, database: Database, sample: Sample
) -> None:
    letter = await sent_letter(database, sample)
    await named(database, letter, "How is it going?")
    await told(database, letter, DeliveryEventKind.PROCESSED, DeliveryEventKind.BOUNCED)
    listed = (await client.get(f"/api/messages?search=going&customer={letter.customer_id}")).json()
    message = (await client.get(f"/api/messages/{listed['items'][0]['id']}")).json()
    assert [each["kind"] for each in message["events"]] == ["processed", "bounced"]
    assert message["events"][1]["reason"] == "550 no such user"
    assert (message["state"], message["effect_state"]) == ("bounced", "confirmed")
    assert (await client.get(f"/api/messages/{uuid.uuid4()}")).status_code == 404


async def unsent(database: Database, sample: Sample) -> uuid.UUID:
    """A message that waits for room, with the decision that says so; returns its run."""
    visit = await letter_of(database, sample.customers[0], NOW)
    sentence = "Put off: the sender's domain has sent as much as it may for now."
    decision = Decision(
        sample.customers[0],
        DecisionKind.DEFERRAL,
        "send_email",
        "a-playbook",
        "sending_limit",
        sentence,
        {"step": visit.step_id},
        visit.intervention_id,
    )
    async with database.transaction() as session:
        await record_decisions(session, [decision], NOW)
        due = {"state": StepState.DEFERRED, "reason": "sending_limit", "due_at": NOW + dt.timedelta(hours=1)}
        mine = InterventionStepRow.intervention_id == visit.intervention_id
        await session.execute(update(InterventionStepRow).where(mine).values(due))
    return visit.intervention_id


async def test_what_waits_says_until_when_and_why_and_what_was_not_sent_says_why_not(
    client: Client, database: Database, sample: Sample
) -> None:
    run = str(await unsent(database, sample))
    waiting = (await client.get("/api/messages/late?search=sending_limit")).json()["items"]
    assert [(each["intervention_id"], each["reason"]) for each in waiting] == [(run, "sending_limit")]
    declined = (await client.get(f"/api/messages/not-sent?customer={sample.customers[0]}")).json()["items"]
    found = [each for each in declined if each["intervention_id"] == run]
    assert [(each["kind"], each["reason"], each["step_id"]) for each in found] == [
        ("deferral", "sending_limit", "letter")
    ]


async def test_the_pages_show_the_log_and_one_message(
    browser: Client, database: Database, sample: Sample
) -> None:
    letter = await sent_letter(database, sample)
    await named(database, letter, "How is <b>it</b> going?")
    await told(database, letter, DeliveryEventKind.DELIVERED)
    run = await unsent(database, sample)
    await come_as(browser, database, sample, "jonas")
    page = (await browser.get(f"/messages?q=going&customer={letter.customer_id}")).text
    assert "How is &lt;b&gt;it&lt;/b&gt; going?" in page
    place = page.split('href="/messages/')[1].split('"')[0]
    one = (await browser.get(f"/messages/{place}")).text
    assert "What the provider told" in one
    assert "Delivered" in one
    assert f"/runs/{run}" in (await browser.get("/messages?show=late")).text
    assert "has sent as much as it may" in (await browser.get("/messages?show=not_sent")).text
    assert (await browser.get("/messages?since=never&after=")).status_code == 200


async def held(database: Database, which: SuppressionList = SuppressionList.BOUNCES) -> None:
    entry = ListedAddress(HANNA, WallInstant(NOW), "550 no such user")
    async with database.transaction() as session:
        await take_entries(session, "sendgrid", which, [entry], wall_now())


async def test_a_suppressed_address_is_listed_and_lifted_with_a_reason_by_those_who_may(
    browser: Client, database: Database, sample: Sample
) -> None:
    await held(database)
    await come_as(browser, database, sample, "jonas")
    page = (await browser.get("/suppressions?q=hanna&list=bounces")).text
    assert HANNA in page
    assert "Take mail up again" not in page
    browser.cookies.clear()
    await come_as(browser, database, sample, "marta")
    shown = await browser.get("/suppressions")
    place = shown.text.split('action="/suppressions/')[1].split('"')[0]
    form = {"because": "she has a new mailbox", "_csrf_token": csrf_in(shown)}
    answer = await browser.post(f"/suppressions/{place}", data=form)
    assert "taken up again" in answer.text
    assert await suppression(database, sample.contacts[sample.customers[1]][0]) is None
    assert "she has a new mailbox" in (await browser.get("/suppressions")).text


async def test_the_api_lists_and_lifts_as_the_page_does(client: Client, database: Database) -> None:
    await held(database)
    (found,) = (await client.get("/api/suppressions?search=hanna&list=bounces")).json()["items"]
    assert (found["email"], found["people"]) == (HANNA, 1)
    path = f"/api/suppressions/{found['id']}/lift"
    assert (await client.post(path, json={"because": ""})).status_code in {400, 422}
    assert (await client.post(path, json={"because": "a new mailbox"})).status_code == 200
    assert (await client.post(path, json={"because": "a new mailbox"})).status_code == 409
    assert (await client.get("/api/suppressions?since=2030-01-01T00:00:00Z")).json()["items"] == []


async def test_the_sending_policy_is_put_whole_and_its_use_is_told(client: Client) -> None:
    policy = (await client.get("/api/policies/sending")).json()
    assert policy["others"] is None
    policy["others"] = {"per_hour": 100, "per_day": 500, "warm_up": {"started_on": "2026-03-01"}}
    put = await client.put("/api/policies/sending", json=policy)
    assert put.status_code == 200, put.text
    assert put.json() == (await client.get("/api/policies/sending")).json()
    (used,) = (await client.get("/api/policies/sending/use")).json()["domains"]
    assert (used["sent_today"], used["per_hour"], used["per_day"]) == (0, 100, 50)
    bad = await client.put("/api/policies/sending", json={"others": {"per_hour": 0}})
    assert bad.status_code in {400, 422}
    assert "per_hour" in bad.text
