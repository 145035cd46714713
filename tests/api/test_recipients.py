import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from domain.links import LinkMaker
from domain.topics import TOPICS
from domain.vocabulary import Motion, NoticeKind, Purpose
from models.database import Database
from models.opt_outs import consents_of
from models.tables.ledger import TouchpointRow
from models.tables.work import TaskRow
from models.topic_choices import refused_topics
from tests.support.letters import notices, sent_letter
from tests.support.sample_rows import Sample, fill
from tests.support.web import SIGNING_KEY, Client, provider_key, web_client, web_settings

pytestmark = pytest.mark.integration

LINKS = LinkMaker("", SIGNING_KEY)
NOBODY = {Purpose.LIFECYCLE: False, Purpose.MARKETING: False}


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=3)


@pytest.fixture
async def client(sample: Sample, database_url: str) -> AsyncIterator[Client]:
    async with web_client(web_settings(database_url)) as opened:
        yield opened


def customer(sample: Sample) -> uuid.UUID:
    return sample.customers[1]


def contact(sample: Sample) -> uuid.UUID:
    return sample.contacts[customer(sample)][0]


async def consents(database: Database, sample: Sample) -> dict[Purpose, bool]:
    async with database.transaction() as session:
        return await consents_of(session, contact(sample))


async def test_a_mail_program_opts_out_with_one_click(
    client: Client, database: Database, sample: Sample
) -> None:
    url = LINKS.unsubscribe(contact(sample))
    answer = await client.post(url, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert await consents(database, sample) == NOBODY
    assert await notices(database, customer(sample)) == [NoticeKind.CONSENT_CHANGED]


async def test_following_the_link_only_asks(client: Client, database: Database, sample: Sample) -> None:
    before = await consents(database, sample)
    answer = await client.get(LINKS.unsubscribe(contact(sample)))
    assert "Stop these e-mails?" in answer.text
    assert await consents(database, sample) == before


async def test_one_click_of_a_letter_ends_its_class_alone_without_another_page(
    client: Client, database: Database, sample: Sample
) -> None:
    before = await consents(database, sample)
    url = LINKS.unsubscribe(contact(sample), Purpose.MARKETING)
    answer = await client.post(url, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.history) == (200, [])
    assert await consents(database, sample) == before | {Purpose.MARKETING: False}


@pytest.mark.parametrize("page", ["unsubscribe", "preferences", "talk"])
@pytest.mark.parametrize("method", ["HEAD", "GET", "OPTIONS"])
async def test_looking_changes_nothing_whoever_looks(
    client: Client, database: Database, sample: Sample, page: str, method: str
) -> None:
    before = await consents(database, sample)
    headers = {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "User-Agent": "a mail scanner"}
    for token in (LINKS.token(contact(sample)), LINKS.unsubscribe(contact(sample), Purpose.MARKETING)):
        name = token.rpartition("/")[2]
        answer = await client.request(method, f"/{page}/{name}", headers=headers)
        assert answer.status_code < 500
    assert await consents(database, sample) == before
    assert await notices(database, customer(sample)) == []


@pytest.mark.parametrize("path", ["/unsubscribe", "/unsubscribe/", "/preferences/"])
async def test_without_a_token_nobody_is_opted_out(
    client: Client, database: Database, sample: Sample, path: str
) -> None:
    before = await consents(database, sample)
    answer = await client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code in {403, 404, 405}
    assert await consents(database, sample) == before


async def test_a_link_out_of_one_class_passes_for_no_other(client: Client, sample: Sample) -> None:
    marketing = LINKS.unsubscribe(contact(sample), Purpose.MARKETING)
    for forged in ("lifecycle", "transactional", "nonsense"):
        assert (await client.post(marketing.replace("marketing", forged))).status_code == 404
    transactional = LINKS.unsubscribe(contact(sample), Purpose.TRANSACTIONAL)
    assert (await client.post(transactional)).status_code == 404
    assert (await client.post(f"/preferences/{marketing.rpartition('/')[2]}")).status_code == 404


async def test_people_choose_their_topics_and_the_page_remembers(
    client: Client, database: Database, sample: Sample
) -> None:
    url = LINKS.preferences(contact(sample))
    page = (await client.get(url)).text
    assert "Help with getting started" in page
    assert page.count('name="topic"') == len(TOPICS)
    form = {"purpose": ["lifecycle"], "shows_topics": "yes", "topic": ["onboarding", "renewal"]}
    assert (await client.post(url, data=form)).status_code == 200
    async with database.transaction() as session:
        assert await refused_topics(session, contact(sample)) == set(TOPICS) - {
            Motion.ONBOARDING,
            Motion.RENEWAL,
        }
    assert 'value="onboarding" checked' in (await client.get(url)).text
    assert NoticeKind.CONSENT_CHANGED in await notices(database, customer(sample))
    await client.post(url, data={"purpose": ["lifecycle"]})
    async with database.transaction() as session:
        assert len(await refused_topics(session, contact(sample))) == len(TOPICS) - 2


@pytest.mark.parametrize("page", ["unsubscribe", "preferences", "talk"])
@pytest.mark.parametrize("token", ["nonsense", f"{uuid.UUID(int=1).hex}-forged"])
async def test_a_forged_token_names_nobody(client: Client, page: str, token: str) -> None:
    assert (await client.get(f"/{page}/{token}")).status_code == 404
    assert (await client.post(f"/{page}/{token}")).status_code == 404


async def test_people_choose_what_they_get(client: Client, database: Database, sample: Sample) -> None:
    url = LINKS.preferences(contact(sample))
    assert (await client.post(url, data={"purpose": ["lifecycle"]})).status_code == 200
    assert await consents(database, sample) == {**NOBODY, Purpose.LIFECYCLE: True}
    assert 'value="lifecycle" checked' in (await client.get(url)).text


async def test_asking_for_a_call_makes_one_task_and_rings(
    client: Client, database: Database, sample: Sample
) -> None:
    url = LINKS.booking(contact(sample))
    assert "Shall we call you?" in (await client.get(url)).text
    for _ in range(3):
        assert (await client.post(url)).status_code == 200
    async with database.transaction() as session:
        query = select(TaskRow.assignee_id).where(TaskRow.effect_key.startswith("talk/"))
        owners = (await session.scalars(query)).all()
    assert owners == [sample.users["priya"]]
    assert await notices(database, customer(sample)) == [NoticeKind.TOUCHPOINT]


async def post_mail(client: Client, **fields: str) -> int:
    """A mail as SendGrid's Inbound Parse posts it, signed."""
    form = {
        "headers": "Message-ID: <reply-1@customer.example>\nIn-Reply-To: <msg-1@example.com>\n",
        "from": "Hanna Brandt <HANNA@customer1.example>",
        "to": "success@example.com",
        "subject": "Re: your question",
        "text": "Yes, please call me.",
        **fields,
    }
    request = client.build_request(
        "POST", "/webhooks/sendgrid/inbound", files={name: (None, value) for name, value in form.items()}
    )
    request.headers.update(provider_key().headers(await request.aread()))
    return (await client.send(request)).status_code


async def received(database: Database) -> list[tuple[uuid.UUID, uuid.UUID | None, str | None]]:
    async with database.transaction() as session:
        query = select(TouchpointRow.customer_id, TouchpointRow.contact_id, TouchpointRow.subject)
        rows = await session.execute(query.where(TouchpointRow.source_id == "mail"))
        return [(row.customer_id, row.contact_id, row.subject) for row in rows]


async def test_a_reply_is_a_touchpoint_once_and_rings_the_customer(
    client: Client, database: Database, sample: Sample
) -> None:
    letter = await sent_letter(database, sample)
    assert [await post_mail(client) for _ in range(2)] == [204, 204]
    assert await received(database) == [(letter.customer_id, letter.contact_id, "Re: your question")]
    assert await notices(database, letter.customer_id) == [NoticeKind.TOUCHPOINT]


async def test_a_mail_that_answers_nothing_is_known_by_its_sender(
    client: Client, database: Database, sample: Sample
) -> None:
    assert await post_mail(client, headers="Message-ID: <new@customer.example>\n") == 204
    assert [row[:2] for row in await received(database)] == [(customer(sample), contact(sample))]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"headers": "Message-ID: <a@b.example>\nAuto-Submitted: auto-replied\n"}, id="machine"),
        pytest.param({"from": "x@stranger.example", "headers": ""}, id="stranger"),
    ],
)
async def test_machines_and_strangers_ring_nobody(
    client: Client, database: Database, fields: dict[str, str]
) -> None:
    assert await post_mail(client, **fields) == 204
    assert await received(database) == []


async def test_an_unsigned_mail_is_refused(client: Client) -> None:
    answer = await client.post("/webhooks/sendgrid/inbound", data={"from": "hanna@customer1.example"})
    assert answer.status_code == 401
