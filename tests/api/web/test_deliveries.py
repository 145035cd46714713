import asyncio
import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from cli import build_app
from models.database import Database
from tests.support.people import come_as
from tests.support.sample_rows import Sample
from tests.support.web import Client, csrf_in
from tests.support.webhooks import Sender, connect_provider, deliveries, json_body, settle, stripe_event

pytestmark = pytest.mark.integration
PLACE = "/webhook-deliveries"


@pytest.fixture
async def failed(browser: Client, database: Database, sample: Sample) -> str:
    """Two deliveries of Stripe: one that cannot be read, and one about a payer that nobody knows."""
    assert sample.customers
    await connect_provider(database, "stripe")
    for body in (b"no json", json_body(stripe_event())):
        assert (await Sender("stripe", body).post(browser)).status_code == 200
    await settle(database)
    return str(next(row.id for row in await deliveries(database) if row.state == "failed"))


async def test_deliveries_are_listed_by_state_and_looked_at_one_by_one(
    browser: Client, database: Database, sample: Sample, failed: str
) -> None:
    await come_as(browser, database, sample, "omar")
    page = await browser.get(PLACE, params={"state": "failed"})
    assert failed in page.text
    assert "the body is no JSON" in page.text
    assert "invoice.finalized" not in page.text
    one = await browser.get(f"{PLACE}/{failed}")
    assert "no json" in one.text


async def test_whoever_may_not_see_raw_rows_sees_no_body_and_replays_nothing(
    browser: Client, database: Database, sample: Sample, failed: str
) -> None:
    await come_as(browser, database, sample, "dev")
    one = await browser.get(f"{PLACE}/{failed}")
    assert one.status_code == 200
    assert "no json" not in one.text
    assert "Read again" not in one.text
    assert (await browser.get(f"/api{PLACE}/{failed}/body")).status_code == 403


async def test_one_or_all_are_read_again(
    browser: Client, database: Database, sample: Sample, failed: str
) -> None:
    await come_as(browser, database, sample, "omar")
    for address in (f"{PLACE}/{failed}/replay", f"{PLACE}/replay"):
        token = csrf_in(await browser.get(f"{PLACE}/{failed}"))
        answer = await browser.post(address, data={"_csrf_token": token, "source": "stripe"})
        assert answer.status_code == 200
        assert "read again" in answer.text
        waiting = [str(row.id) for row in await deliveries(database) if row.state == "received"]
        assert failed in waiting
        await settle(database)


async def test_the_api_lists_shows_and_replays(
    browser: Client, database: Database, sample: Sample, failed: str
) -> None:
    await come_as(browser, database, sample, "omar")
    listed = (await browser.get(f"/api{PLACE}", params={"state": "failed", "source": "stripe"})).json()
    assert [(one["id"], one["provider"]) for one in listed["items"]] == [(failed, "stripe")]
    assert (await browser.get(f"/api{PLACE}/{failed}/body")).json()["body"] == "no json"
    token = csrf_in(await browser.get(f"{PLACE}/{failed}"))
    again = await browser.post(f"/api{PLACE}/{failed}/replay", headers={"x-csrf-token": token})
    assert (again.status_code, again.json()["state"]) == (200, "received"), again.text


@pytest.fixture
def everstay(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The command line on this database, in a thread of its own."""
    monkeypatch.setenv("EVERSTAY_DATABASE_URL", database_url)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(build_app(), ["webhooks", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


async def test_the_command_line_lists_shows_and_replays(
    database: Database, sample: Sample, failed: str, everstay: Callable[..., str]
) -> None:
    async def say(*arguments: str) -> str:
        return await asyncio.to_thread(everstay, *arguments)

    (row,) = json.loads(await say("list", "--state", "failed", "--json"))
    assert row["id"] == failed
    assert failed[:8] in await say("list")
    assert json.loads(await say("show", failed[:8]))["body"] == "no json"
    assert json.loads(await say("replay", "--failed", "--source", "stripe", "--json")) == {"replayed": 1}
    assert [row.state for row in await deliveries(database) if str(row.id) == failed] == ["received"]
