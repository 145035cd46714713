"""Overrides, forecasts, disagreements and weights over the API and on the pages."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from domain.permissions import Permission
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from models.tables.customers import CustomerRow
from models.tables.work import TaskRow
from tests.support.people import come_as
from tests.support.sample_judgement import PROPOSAL
from tests.support.sample_rows import NOW, Sample, fill
from tests.support.web import Client, csrf_in, web_client, web_settings

pytestmark = pytest.mark.integration
UNTIL = (NOW + dt.timedelta(days=30)).isoformat()


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=12)


@pytest.fixture
async def client(sample: Sample, database: Database, database_url: str) -> AsyncIterator[Client]:
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=[*Permission], name="Planner")
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


@pytest.fixture
async def browser(database_url: str, sample: Sample) -> AsyncIterator[Client]:
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["accept"] = "text/html"
        yield opened


def of(sample: Sample, place: int) -> str:
    return f"/api/customers/{sample.customers[place]}"


async def test_a_status_is_set_by_hand_shown_and_withdrawn(client: Client, sample: Sample) -> None:
    wanted = {"status": "at_risk", "reason": "The budget is gone", "until": UNTIL}
    put = await client.put(f"{of(sample, 3)}/health-override", json=wanted)
    assert put.status_code == 200, put.text
    held = put.json()["overrides"][0]
    assert (held["status"], held["rules_status"], held["ended_at"]) == ("at_risk", "engaged", None)
    assert (await client.get(of(sample, 3))).json()["health_status"] == "at_risk"
    ended = (await client.delete(f"{of(sample, 3)}/health-override")).json()
    assert ended["overrides"][0]["ended_how"] == "withdrawn"
    assert (await client.get(of(sample, 3))).json()["health_status"] == "engaged"
    assert (await client.delete(f"{of(sample, 3)}/health-override")).status_code == 404


async def test_an_override_needs_a_reason_and_an_end_that_is_near(client: Client, sample: Sample) -> None:
    place = f"{of(sample, 3)}/health-override"
    far = (NOW + dt.timedelta(days=400)).isoformat()
    for wrong in ({"reason": ""}, {"until": far}, {"status": "fine"}):
        body = {"status": "at_risk", "reason": "Why", "until": UNTIL} | wrong
        assert (await client.put(place, json=body)).status_code in {400, 422}


async def test_a_forecast_is_noted_with_who_and_why(client: Client, sample: Sample) -> None:
    said = {"forecast": "will_leave", "reason": "They told us"}
    found = (await client.post(f"{of(sample, 3)}/forecasts", json=said)).json()
    assert found["forecasts"][0]["forecast"] == "will_leave"
    assert found == (await client.get(f"{of(sample, 3)}/judgement")).json()
    assert (
        await client.get("/api/customers/00000000-0000-4000-8000-000000000000/judgement")
    ).status_code == 404


async def test_disagreements_are_listed_with_who_was_right(client: Client) -> None:
    found = (await client.get("/api/disagreements")).json()
    assert [one["state"] for one in found["items"]] == ["open", "over"]
    assert found["items"][1]["right"] == {"health": False, "risk": False, "csm": True, "decision": False}
    assert {one["view"]: (one["right"], one["of"]) for one in found["right"]}["csm"] == (1, 1)


async def test_weights_are_saved_after_a_preview_and_never_without(client: Client) -> None:
    present = (await client.get("/api/policies/health")).json()["weights"]
    assert set(present) == {"small", "mid_market", "enterprise"}
    wanted = {segment: {"support": 1.0} for segment in present}
    unseen = await client.put("/api/policies/health", json={"weights": wanted, "mark": "none"})
    assert unseen.status_code == 409
    seen = (await client.post("/api/policies/health/preview", json={"weights": wanted})).json()
    assert seen["customers"] == sum(seen["before"].values()) == sum(seen["after"].values())
    assert seen["changed"] == len(seen["moves"]) > 0
    body = {"weights": wanted, "mark": seen["mark"], "note": "A try"}
    saved = await client.put("/api/policies/health", json=body)
    assert saved.status_code == 200, saved.text
    assert saved.json()["weights"]["small"]["support"] == 1.0
    assert (await client.get("/api/policies/health/proposals")).json()[0]["note"] == "A try"
    half = {"weights": {"small": {"support": 1.0}}}
    assert (await client.post("/api/policies/health/preview", json=half)).status_code == 422


async def test_a_proposal_is_accepted_through_its_preview(client: Client) -> None:
    (proposal,) = [
        one for one in (await client.get("/api/policies/health/proposals")).json() if one["is_open"]
    ]
    seen = await client.post("/api/policies/health/preview", json={"weights": proposal["proposed"]})
    body = {"weights": proposal["proposed"], "mark": seen.json()["mark"], "proposal_id": proposal["id"]}
    assert (await client.put("/api/policies/health", json=body)).status_code == 200
    after = (await client.get("/api/policies/health/proposals")).json()
    assert [(one["answer"], one["is_open"]) for one in after] == [("accepted", False)]
    decline = f"/api/policies/health/proposals/{proposal['id']}/decline"
    assert (await client.post(decline, json={})).status_code == 409


async def test_models_are_looked_at_on_the_monitor(client: Client) -> None:
    (model,) = (await client.get("/api/monitor/models")).json()
    assert model["alerts"][0]["level"] == "watch"


async def test_the_weights_page_shows_who_would_change_before_anything_is_saved(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    page = await browser.get("/weights")
    assert "Save what was seen" not in page.text
    assert "14 more needed" in page.text
    proposed = await browser.get(f"/weights?proposal={PROPOSAL}")
    assert "Who would change status" in proposed.text
    form: dict[str, Any] = {"_csrf_token": csrf_in(page)}
    for segment in ("small", "mid_market", "enterprise"):
        form |= {f"{segment}-{name}": "0" for name in ("usage", "adoption", "support")} | {
            f"{segment}-sentiment": "100"
        }
    blind = await browser.post("/weights", data=form)
    assert "look first at who would change status" in blind.text
    seen = await browser.post("/weights/preview", data=form)
    mark = seen.text.split('name="mark" value="')[1].split('"')[0]
    saved = await browser.post("/weights", data=form | {"mark": mark, "note": "Only what they say counts"})
    assert "Saved." in saved.text
    assert "Only what they say counts" in saved.text
    wrong = await browser.post("/weights/preview", data=form | {"small-usage": "much"})
    assert wrong.status_code == 422
    assert "Small, usage: &#39;much&#39; is no number" in wrong.text
    declined = await browser.post(
        f"/weights/proposals/{PROPOSAL}/decline", data={"_csrf_token": csrf_in(page), "note": "Not now"}
    )
    assert "Declined" in declined.text
    await come_as(browser, database, sample, "vera")
    assert 'name="small-usage"' not in (await browser.get("/weights")).text


async def test_a_customers_page_takes_a_forecast_and_a_status_by_hand(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "jonas")
    place = f"/customers/{sample.customers[3]}"
    token = {"_csrf_token": csrf_in(await browser.get(place))}
    said = await browser.post(f"{place}/forecast", data=token | {"forecast": "at_risk", "reason": "Quiet"})
    assert "Noted." in said.text
    assert "expects Jonas Weber" in said.text
    wrong = await browser.post(f"{place}/health-override", data=token | {"status": "at_risk", "reason": "x"})
    assert "choose a day" in wrong.text
    until = (NOW + dt.timedelta(days=9)).date().isoformat()
    body = token | {"status": "at_risk", "reason": "Budget is gone", "until": until}
    held = await browser.post(f"{place}/health-override", data=body)
    assert "set by Jonas Weber until" in held.text
    assert "The rules say engaged" in held.text
    ended = await browser.post(f"{place}/health-override", data=token | {"end": "1"})
    assert "withdrawn by Jonas Weber" in ended.text
    async with database.transaction() as session:
        query = select(CustomerRow.health_override).where(CustomerRow.id == sample.customers[3])
        assert await session.scalar(query) is None
        assert await session.scalar(select(TaskRow.id).where(TaskRow.kind == "verdict")) is None
