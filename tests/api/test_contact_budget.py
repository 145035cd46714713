"""The contact budget and its policy, as the API and the pages have them."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from domain.contact_policy import ContactPolicy
from domain.permissions import Permission
from domain.time import BusinessInstant, after
from models.clock import wall_now
from models.contact_policy import load_contact_policy, save_contact_policy
from models.database import Database
from models.keys import KeyKind, create_key
from models.tables.customers import CustomerRow
from tests.support.asking import ask, letter_of
from tests.support.people import come_as
from tests.support.sample_rows import Sample, fill
from tests.support.scenario import Scenario
from tests.support.web import Client, web_client, web_settings

pytestmark = pytest.mark.integration
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest.fixture
async def client(database: Database, database_url: str) -> AsyncIterator[Client]:
    """A program with a key for everything."""
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=[*Permission])
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


async def policy_of(database: Database) -> ContactPolicy:
    async with database.transaction() as session:
        return await load_contact_policy(session)


async def test_the_policy_comes_back_as_it_was_put_and_guards_the_next_send(
    client: Client, database: Database
) -> None:
    policy = (await client.get("/api/policies/contact")).json()
    assert policy["hours"] == [
        {"weekdays": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}
    ]
    policy |= {"emails_per_day": 2, "days_off": ["2026-12-24"], "topics_per_week": {"expansion": 1}}
    policy["hours"] = [{"weekdays": EVERY_DAY, "from": "00:00", "to": "00:00"}]
    put = await client.put("/api/policies/contact", json=policy)
    assert put.status_code == 200, put.text
    assert put.json() == (await client.get("/api/policies/contact")).json()
    stored = await policy_of(database)
    assert (stored.budget.per_day, stored.budget.topics_per_week) == (2, {"expansion": 1})
    scene = await Scenario(database, NIGHT).begin()
    visit = await letter_of(database, scene.customer_id, NIGHT)
    assert type(await ask(database, visit, NIGHT)).__name__ == "Ready"


NIGHT = BusinessInstant(dt.datetime(2026, 3, 7, 3, tzinfo=dt.UTC))  # a Saturday


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"emails_per_day": -1}, "emails_per_day"),
        ({"hours": []}, "hours"),
        ({"hours": [{"weekdays": ["someday"]}]}, "weekdays"),
        ({"hours": [{"from": "late"}]}, "from"),
        ({"days_off": ["2026-02-30"]}, "days_off"),
        ({"topics_per_week": {"gossip": 1}}, "topics_per_week"),
        ({"emails_per_month": 9}, "emails_per_month"),
    ],
)
async def test_a_bad_value_is_named_and_changes_nothing(
    client: Client, database: Database, change: dict[str, object], named: str
) -> None:
    policy = (await client.get("/api/policies/contact")).json()
    for method, path in (("PUT", "/api/policies/contact"), ("POST", "/api/policies/contact/preview")):
        answer = await client.request(method, path, json=policy | change)
        assert answer.status_code == 400, answer.text
        assert named in answer.text
    assert await policy_of(database) == ContactPolicy()


async def test_a_preview_says_what_would_change_and_changes_nothing(
    client: Client, database: Database
) -> None:
    policy = (await client.get("/api/policies/contact")).json()
    answer = await client.post("/api/policies/contact/preview", json=policy | {"emails_per_week": 2})
    assert answer.json()["changes"] == [
        {
            "now": "A customer gets at most 1 optional e-mail a day and 3 a week.",
            "then": "A customer gets at most 1 optional e-mail a day and 2 a week.",
        }
    ]
    assert await policy_of(database) == ContactPolicy()


async def three_letters(database: Database, now: BusinessInstant) -> uuid.UUID:
    """One sent, one put off, one refused: the last has no use tomorrow."""
    scene = await Scenario(database, now).begin()
    always = ContactPolicy.model_validate(
        {"hours": [{"weekdays": EVERY_DAY, "from": "00:00", "to": "00:00"}], "public_holidays": False}
    )
    async with database.transaction() as session:
        await save_contact_policy(session, always, None, now)
    sent, waits = [await letter_of(database, scene.customer_id, now) for _ in range(2)]
    short = await letter_of(database, scene.customer_id, now, window="20h")
    for visit in (sent, waits, short):
        await ask(database, visit, after(now, -HOUR))
    return scene.customer_id


async def test_what_is_left_planned_and_refused_is_told_for_a_customer(
    client: Client, database: Database
) -> None:
    now = BusinessInstant(wall_now())
    customer = await three_letters(database, now)
    told = (await client.get(f"/api/customers/{customer}/contact-budget")).json()
    mail = {(each["hours"], each["left"], each["planned"]) for each in told["allowances"]}
    assert mail == {(24, 0, 1), (168, 2, 1)}
    (planned,) = told["planned"]
    assert (planned["reason"], planned["contact"], planned["step_id"]) == ("budget", "Ann Able", "letter")
    assert dt.datetime.fromisoformat(planned["until"]) >= after(now, DAY - HOUR)
    (refused,) = told["refused"]
    assert refused["reason"] == "no_longer_useful"
    assert refused["sentence"] == "Not sent: it would come too late to be of use."
    missing = await client.get(f"/api/customers/{uuid.uuid4()}/contact-budget")
    assert missing.status_code == 404


async def test_the_customers_page_shows_the_same(database: Database, database_url: str) -> None:
    async with database.transaction() as session:
        sample: Sample = await fill(session, customers=3)
        await session.execute(update(CustomerRow).values(holdout=False))
    async with web_client(web_settings(database_url)) as browser:
        browser.headers["accept"] = "text/html"
        customer = await three_letters(database, BusinessInstant(wall_now()))
        await come_as(browser, database, sample, "ada")
        page = (await browser.get(f"/customers/{customer}")).text
    assert "0 of 1 left" in page
    assert "to Ann Able" in page
    assert "the customer&#39;s contact budget is spent" in page
    assert "1 message not sent in 30 days" in page
    assert "it would come too late to be of use" in page
