import json

import pytest
from sqlalchemy import select

from cli import run
from domain.vocabulary import EffectState
from models.database import Database
from models.tables.customers import CustomerRow
from models.tables.ledger import EffectRow
from tests.api.web.test_forms import send
from tests.support.doubts import a_case, a_run, doubt
from tests.support.people import come_as
from tests.support.sample_rows import Sample
from tests.support.web import SIGNING_KEY, Client

pytestmark = pytest.mark.integration


async def delivery_id(database: Database, key: str) -> str:
    async with database.transaction() as session:
        return str(await session.scalar(select(EffectRow.delivery_id).where(EffectRow.key == key)))


async def state(database: Database, key: str) -> EffectState:
    async with database.transaction() as session:
        found = await session.scalar(select(EffectRow.state).where(EffectRow.key == key))
        assert found is not None
        return found


@pytest.fixture
async def doubted(database: Database, sample: Sample) -> str:
    """The key of an uncertain effect of a run of the sample."""
    assert sample.customers
    run_row = await a_run(database)
    return await doubt(database, f"{run_row.id}/hello/9/", run_row.customer_id)


async def test_what_nobody_knows_stands_first_and_is_settled_by_whoever_is_on_watch(
    browser: Client, database: Database, sample: Sample, doubted: str
) -> None:
    await come_as(browser, database, sample, "omar")
    name = await delivery_id(database, doubted)
    page = (await browser.get("/effects")).text
    assert page.index(name) < page.index("The ledger")
    one = (await browser.get(f"/effects/{name}")).text
    for told in (doubted, "it did not answer in time", "Find out whether it arrived", "It did not happen"):
        assert told in one
    said = await send(browser, f"/effects/{name}", f"/effects/{name}/settle", happened="no")
    assert "Your word is kept" in said.text
    assert await state(database, doubted) is EffectState.FAILED
    again = await send(browser, f"/effects/{name}", f"/effects/{name}/settle", happened="yes")
    assert "it is known by now" in again.text
    assert "Nobody knows" not in (await browser.get("/effects")).text


async def test_the_owner_of_the_customer_may_say_and_another_may_not(
    browser: Client, database: Database, sample: Sample, doubted: str
) -> None:
    name = await delivery_id(database, doubted)
    async with database.transaction() as session:
        query = select(CustomerRow).join(EffectRow, EffectRow.customer_id == CustomerRow.id)
        customer = (await session.scalars(query.where(EffectRow.key == doubted))).one()
        customer.csm_id, customer.sales_owner_id = sample.users["priya"], None
    await come_as(browser, database, sample, "jonas")
    assert "or whoever repairs runs, may say" in (await browser.get(f"/effects/{name}")).text
    assert (await send(browser, "/inbox", f"/effects/{name}/settle", happened="yes")).status_code == 403
    await come_as(browser, database, sample, "priya")
    assert (await send(browser, "/inbox", f"/effects/{name}/settle", happened="yes")).status_code == 200
    assert await state(database, doubted) is EffectState.SENT


async def test_filters_and_searches_of_the_page_and_of_the_api_agree(
    browser: Client, database: Database, sample: Sample, doubted: str
) -> None:
    await come_as(browser, database, sample, "omar")
    case_id = await a_case(database, sample.customers[3])
    other = await doubt(database, f"case/{case_id}/reminder/1/", sample.customers[3])
    name = await delivery_id(database, other)
    for wanted, found in (
        ({"search": f"case/{case_id}"}, True),
        ({"search": name}, True),
        ({"customer": str(sample.customers[3])}, True),
        ({"state": "uncertain", "kind": "email"}, True),
        ({"state": "failed"}, False),
        ({"provider": "nobody"}, False),
        ({"since": "2099-01-01"}, False),
        ({"until": "2099-01-01"}, True),
    ):
        text = (await browser.get("/effects", params=wanted)).text.split("The ledger")[1]
        assert (name in text) is found, wanted
        asked = {("customer_id" if key == "customer" else key): value for key, value in wanted.items()}
        asked |= {key: f"{asked[key]}T00:00:00Z" for key in ("since", "until") if key in asked}
        items = (await browser.get("/api/effects", params={**asked, "limit": "200"})).json()["items"]
        assert (name in [one["delivery_id"] for one in items]) is found, wanted
    assert "Dunning" in (await browser.get(f"/effects/{name}")).text
    told = (await browser.get(f"/api/effects/{name}")).json()
    assert told["evidence"]["belongs"]["case_id"] == str(case_id)
    assert doubted


async def test_the_monitor_leads_to_the_evidence(
    browser: Client, database: Database, sample: Sample, doubted: str
) -> None:
    assert doubted
    await come_as(browser, database, sample, "omar")
    assert "one by one, with their evidence" in (await browser.get("/monitor")).text


def test_the_command_line_lists_and_settles(
    doubted_url: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url, key = doubted_url
    monkeypatch.setenv("EVERSTAY_DATABASE_URL", url)
    monkeypatch.setenv("EVERSTAY_SECRET_KEY", SIGNING_KEY)
    assert run(["effects", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found[0]["key"], found[0]["state"]) == (key, "uncertain")
    assert run(["effects", "settle", key, "--happened", "--by", "Omar"]) == 0
    assert f"{key} is sent." in capsys.readouterr().out
    assert run(["effects", "settle", key, "--did-not-happen"]) == 1
    assert "it is known by now" in capsys.readouterr().err
    assert run(["effects", "list", "--state", "uncertain"]) == 0
    assert "Nothing in the ledger fits." in capsys.readouterr().out


@pytest.fixture
async def doubted_url(database_url: str, database: Database, sample: Sample) -> tuple[str, str]:
    assert sample.customers
    run_row = await a_run(database)
    return database_url, await doubt(database, f"{run_row.id}/hello/9/", run_row.customer_id)
