"""What playbooks bring about, as the API and the pages have it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import delete

from domain.impact import ImpactReport, Verdict
from domain.permissions import Permission
from domain.trials import Arm
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from models.tables.scoring import DigestRow
from tests.support.people import come_as
from tests.support.sample_rows import Sample, fill
from tests.support.web import Client, csrf_in, web_client, web_settings

pytestmark = pytest.mark.integration
POLICY = "/api/policies/do-not-disturb"


@pytest.fixture
async def empty(database: Database, database_url: str) -> AsyncIterator[Client]:
    """A program with a key for everything, on an installation without a customer."""
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=[*Permission])
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


@pytest.fixture
async def sample(database: Database) -> Sample:
    """A small company's database."""
    async with database.transaction() as session:
        return await fill(session)


@pytest.fixture
async def client(sample: Sample, empty: Client) -> Client:
    """The same on the sample."""
    del sample
    return empty


@pytest.fixture
async def browser(database: Database, database_url: str, sample: Sample) -> AsyncIterator[Client]:
    """A manager's browser."""
    async with web_client(web_settings(database_url)) as opened:
        await come_as(opened, database, sample, "marta")
        yield opened


async def test_before_the_first_night_the_report_is_empty(empty: Client) -> None:
    report = ImpactReport.model_validate((await empty.get("/api/impact")).json())
    assert (report.as_of, report.playbooks) == (None, ())
    customers = await empty.get("/api/impact/low-engagement/customers")
    assert customers.json() == {"items": [], "next": None}


async def test_the_report_tells_effects_with_interval_grade_and_saved_revenue(client: Client) -> None:
    report = ImpactReport.model_validate((await client.get("/api/impact")).json())
    found = {one.playbook: one for one in report.playbooks}
    works = found["low-engagement"].late
    assert works.measured is not None
    assert works.measured.low < works.measured.value < works.measured.high
    assert {one.grade for one in report.saved} >= {found["low-engagement"].saved[0].grade}
    assert [one.segment for one in found["qbr-missed"].segments if one.does_harm] == ["enterprise"]
    assert report.experiments[0].variants[0].next_share == pytest.approx(0.5)


async def test_behind_each_arm_stand_its_customers_page_by_page(client: Client) -> None:
    place = "/api/impact/low-engagement/customers"
    everybody = (await client.get(place)).json()["items"]
    assert len({one["customer_id"] for one in everybody}) == len(everybody) == 30
    held = (await client.get(f"{place}?arm=holdout")).json()["items"]
    assert {one["arm"] for one in held} == {Arm.HOLDOUT.value}
    assert held[-1]["late"] in {"saved", "churned"}
    assert held[0]["late"] is None
    first = (await client.get(f"{place}?limit=20")).json()
    second = (await client.get(place, params={"limit": 20, "cursor": first["next"]})).json()
    assert [*first["items"], *second["items"]] == everybody
    small = (await client.get(f"{place}?segment=small")).json()["items"]
    assert {one["segment"] for one in small} == {"small"}


async def test_a_word_on_the_list_is_put_read_and_taken_back(client: Client) -> None:
    found = (await client.get(POLICY)).json()["found"]
    assert [(one["playbook"], one["segment"]) for one in found] == [("qbr-missed", "enterprise")]
    place = f"{POLICY}/qbr-missed/enterprise"
    put = await client.put(place, json={"contact": True, "reason": "A new format since May"})
    assert put.status_code == 200, put.text
    assert put.json()["words"][0]["contact"] is True
    assert (await client.delete(place)).json()["words"] == []
    for wrong in (f"{POLICY}/qbr-missed/huge", place):
        answer = await client.put(wrong, json={"contact": True, "reason": ""})
        assert answer.status_code in {400, 422}


async def test_the_share_that_is_withheld_can_be_changed(client: Client) -> None:
    assert (await client.put("/api/impact/holdout", json={"playbook_share": 0.2})).status_code == 200
    assert (await client.get("/api/impact/holdout")).json() == {"playbook_share": 0.2}
    assert (await client.put("/api/impact/holdout", json={"playbook_share": 0.6})).status_code in {400, 422}


async def test_only_those_who_answer_for_the_whole_see_it(
    database: Database, database_url: str, sample: Sample
) -> None:
    async with web_client(web_settings(database_url)) as browser:
        for name, status in (("jonas", 403), ("vera", 403), ("marta", 200), ("ada", 200)):
            await come_as(browser, database, sample, name)
            assert (await browser.get("/api/impact")).status_code == status
            assert (await browser.get("/impact")).status_code == status


async def test_the_page_says_what_is_known_and_how_sure_it_is(browser: Client) -> None:
    page = (await browser.get("/impact")).text
    assert "The director counts on" in page
    for said in ("Does harm", "Chance decided who was left out", "not opened here any more", "95% interval"):
        assert said in page
    assert "low-engagement?arm=holdout" in page
    customers = (await browser.get("/impact/low-engagement?arm=holdout&segment=enterprise")).text
    assert "by a chance of 9.5%" in customers
    assert "Nobody here yet" in (await browser.get("/impact/unheard-of")).text


async def test_the_page_says_how_many_customers_are_still_missing(
    database: Database, database_url: str, sample: Sample
) -> None:
    async with database.transaction() as session:
        await session.execute(delete(DigestRow))
    async with web_client(web_settings(database_url)) as browser:
        await come_as(browser, database, sample, "ada")
        page = (await browser.get("/impact")).text
    assert "Not enough data yet" in page
    assert "2,836 more customers" in page
    assert Verdict.NOT_ENOUGH.value not in page


async def test_a_manager_lifts_the_rest_in_the_browser_and_has_to_say_why(browser: Client) -> None:
    token = csrf_in(await browser.get("/impact"))
    form = {"_csrf_token": token, "playbook": "qbr-missed", "segment": "enterprise", "say": "contact"}
    wrong = await browser.post("/impact/do-not-disturb", data=form | {"reason": ""})
    assert "give a reason" in wrong.text
    done = await browser.post("/impact/do-not-disturb", data=form | {"reason": "A new format since May"})
    assert "A new format since May" in done.text
    assert "Marta Lindqvist" in done.text
    back = await browser.post("/impact/do-not-disturb", data=form | {"say": "back"})
    assert "A new format since May" not in back.text
