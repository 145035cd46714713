import json

import pytest

from cli import run
from domain.time import WallInstant
from domain.vocabulary import MessageState, SignalKind
from models.clock import wall_now
from models.database import Database
from models.tables.endpoints import WebhookEndpointRow
from tests.api.web.test_forms import send
from tests.support.endpoints import KEY
from tests.support.events import messages, stage_of, states, subscribe_to
from tests.support.people import come_as
from tests.support.sample_rows import Sample
from tests.support.simulators import Receiver, running_receiver
from tests.support.steps import HandClock
from tests.support.web import SIGNING_KEY, Client
from tests.support.webhook_news import some_news

pytestmark = pytest.mark.integration
PAGE = f"/endpoints/{KEY}"


@pytest.fixture
async def refused(database: Database, sample: Sample) -> str:
    """A message that its endpoint refused."""
    receiver = Receiver(status=500)
    async with running_receiver(receiver) as url:
        await subscribe_to(database, url, ["signal.*"])
        await some_news(database, sample.customers[0], SignalKind.USAGE_DROP)
        await stage_of(database, HandClock(wall=wall_now())).post_all()
    (message,) = await messages(database)
    return str(message.id)


async def test_an_administrator_looks_at_a_delivery_and_sends_it_again(
    browser: Client, database: Database, sample: Sample, refused: str
) -> None:
    await come_as(browser, database, sample, "ada")
    page = (await browser.get(PAGE, params={"state": "waiting", "type": "signal.opened"})).text
    assert refused in page
    assert "it answered 500" in page
    assert refused not in (await browser.get(PAGE, params={"state": "taken"})).text
    one = (await browser.get(f"{PAGE}/messages/{refused}")).text
    assert f"msg_{refused.replace('-', '')}" in one
    assert "usage_drop" in one
    again = await send(browser, PAGE, f"{PAGE}/messages/{refused}/replay")
    assert "It is being sent again." in again.text
    assert "1 message is being sent again." in (await send(browser, PAGE, f"{PAGE}/replay")).text
    since = await send(browser, PAGE, f"{PAGE}/replay", since="2020-01-01T00:00")
    assert "1 message is being sent again." in since.text
    assert "a day and a time" in (await send(browser, PAGE, f"{PAGE}/replay", since="once")).text


async def test_a_subscription_is_chosen_on_the_page(
    browser: Client, database: Database, sample: Sample, refused: str
) -> None:
    assert refused
    await come_as(browser, database, sample, "ada")
    saved = await send(browser, PAGE, f"{PAGE}/events", event="run.ended")
    assert "The subscription is saved." in saved.text
    assert "<code>run.ended</code>" in (await browser.get("/endpoints")).text
    assert "there is no nonsense" in (await send(browser, PAGE, f"{PAGE}/events", event="nonsense")).text


async def test_an_endpoint_that_was_given_up_is_told_to_administrators_on_every_page(
    browser: Client, database: Database, sample: Sample, refused: str
) -> None:
    assert refused
    async with database.transaction() as session:
        row = await session.get_one(WebhookEndpointRow, KEY)
        row.disabled_at, row.disabled_reason = WallInstant(wall_now()), "it has taken no event"
    await come_as(browser, database, sample, "ada")
    inbox = (await browser.get("/inbox")).text
    assert f"{KEY}: disabled after failing for too long" in inbox
    assert f'<h2 id="endpoint-{KEY}">' in inbox
    assert "See why, and save it again" in inbox
    await come_as(browser, database, sample, "jonas")
    inbox = (await browser.get("/inbox")).text
    assert "disabled after failing" not in inbox
    assert "save it again" not in inbox


async def test_others_look_and_change_nothing(
    browser: Client, database: Database, sample: Sample, refused: str
) -> None:
    await come_as(browser, database, sample, "jonas")
    assert "Save the subscription" not in (await browser.get(PAGE)).text
    for act in (f"messages/{refused}/replay", "replay", "events"):
        assert (await send(browser, "/inbox", f"{PAGE}/{act}")).status_code == 403


async def test_the_api_does_the_same(
    browser: Client, database: Database, sample: Sample, refused: str
) -> None:
    await come_as(browser, database, sample, "ada")
    names = [one["name"] for one in (await browser.get("/api/webhook-events")).json()]
    assert "signal.opened" in names
    listed = (await browser.get(f"/api/webhook-endpoints/{KEY}/messages", params={"state": "waiting"})).json()
    assert [one["id"] for one in listed["items"]] == [refused]
    one = (await browser.get(f"/api/webhook-messages/{refused}")).json()
    assert [each["status"] for each in one["log"]] == [500]
    assert json.loads(one["body"])["type"] == "signal.opened"


def test_the_command_line_does_the_same(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVERSTAY_DATABASE_URL", database_url)
    monkeypatch.setenv("EVERSTAY_SECRET_KEY", SIGNING_KEY)

    def said(*words: str) -> str:
        capsys.readouterr()
        assert run(["endpoint", *words]) == 0
        return capsys.readouterr().out

    assert "signal.resolved" in said("events")
    said("add", "crm", "https://crm.example/x", "--event", "run.*")
    assert said("events", "crm") == "run.*\n"
    assert json.loads(said("events", "crm", "signal.*", "task.done", "--json")) == ["signal.*", "task.done"]
    assert "nothing" in said("events", "crm", "--none")
    assert said("deliveries", "crm", "--json") == "[]\n"
    assert "0 messages" in said("replay", "crm")
    assert run(["endpoint", "events", "crm", "run.walked"]) == 2
    assert run(["endpoint", "replay", "nobody"]) == 1


async def test_states_are_those_of_the_messages(database: Database, refused: str) -> None:
    assert refused
    assert await states(database) == [MessageState.WAITING]
