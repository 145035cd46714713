"""The catalogue of signals over the API."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import insert

from domain.permissions import Permission
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from models.tables.scoring import MassAlertRow
from tests.support.sample_rows import NOW, Sample, fill
from tests.support.web import Client, web_client, web_settings

pytestmark = pytest.mark.integration
TIGHT = {"open": 2, "close": 1, "severe": 4}
CONDITION = {"all": [{"field": "tickets_open", "at_least": 1}, {"not": {"field": "plan", "is": "Starter"}}]}


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=12)


@pytest.fixture
async def client(sample: Sample, database: Database, database_url: str) -> AsyncIterator[Client]:
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=[*Permission])
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


async def detector(client: Client, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/api/signals/catalogue/{kind}")).json()
    return found


async def test_every_detector_is_listed_with_what_it_rests_on_and_what_is_missing(client: Client) -> None:
    found = {one["kind"]: one for one in (await client.get("/api/signals/catalogue")).json()}
    assert len(found) == 24
    assert found["usage_drop"]["missing"] == []
    assert found["poor_survey"]["missing"] == ["survey"]
    assert found["usage_drop"]["open"] > 0


async def test_a_detector_is_tuned_and_goes_back_to_its_default(client: Client) -> None:
    before = await detector(client, "ticket_overdue")
    put = await client.put("/api/signals/catalogue/ticket_overdue", json={"thresholds": {"small": TIGHT}})
    assert put.status_code == 200, put.text
    tuned = await detector(client, "ticket_overdue")
    assert (tuned["is_tuned"], tuned["thresholds"]["small"]) == (True, TIGHT)
    assert tuned["thresholds"]["enterprise"] == before["thresholds"]["enterprise"]
    await client.delete("/api/signals/catalogue/ticket_overdue")
    assert await detector(client, "ticket_overdue") == before


async def test_thresholds_that_could_never_close_are_refused_with_the_fix(client: Client) -> None:
    wrong = {"thresholds": {"small": {"open": 1, "close": 3, "severe": 4}}}
    answer = await client.put("/api/signals/catalogue/ticket_overdue", json=wrong)
    assert answer.status_code == 422
    assert "close at or below where it opens" in answer.text
    assert (await client.put("/api/signals/catalogue/no_contact", json={})).status_code == 404


async def test_a_signal_of_ones_own_is_declared_tried_and_deleted(client: Client) -> None:
    own = {"title": "Open tickets", "condition": CONDITION}
    put = await client.put("/api/signals/own/open-tickets", json=own)
    assert put.status_code == 200, put.text
    assert [one["key"] for one in (await client.get("/api/signals/own")).json()] == ["open-tickets"]
    tried = await client.post("/api/signals/preview", json={"own": own | {"key": "open-tickets"}})
    seen = tried.json()
    assert (seen["sampled"], seen["of"]) == (12, 12)
    assert "own:open-tickets" in seen["fired"]
    assert (await client.delete("/api/signals/own/open-tickets")).status_code == 204
    assert (await client.get("/api/signals/own/open-tickets")).status_code == 404


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"field": "tickets_opn", "at_least": 1}, "condition: there is no field 'tickets_opn'; did you mean"),
        ({"all": [{"field": "nps", "at_most": "six"}]}, "condition.all[0]: nps is a number"),
        ({"any": []}, "condition.any: "),
    ],
)
async def test_a_condition_that_is_wrong_is_refused_by_its_path(
    client: Client, condition: dict[str, Any], said: str
) -> None:
    answer = await client.put("/api/signals/own/some-key", json={"title": "x", "condition": condition})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


async def test_lift_is_measured_when_asked_and_says_what_it_rests_on(client: Client) -> None:
    assert (await client.get("/api/signals/lift")).status_code == 404
    measured = (await client.post("/api/signals/lift")).json()
    assert measured["looks"] > 0
    assert (await client.get("/api/signals/lift")).json() == measured


async def test_what_is_held_back_is_released_once(client: Client, database: Database) -> None:
    alert = uuid.uuid4()
    async with database.transaction() as session:
        row = {"id": alert, "kind": "usage_drop", "state": "held", "expected": 11, "active": 12}
        await session.execute(insert(MassAlertRow).values(**row, opened_at=NOW))
    assert [one["id"] for one in (await client.get("/api/signals/mass-alerts")).json()] == [str(alert)]
    release = f"/api/signals/mass-alerts/{alert}/release"
    assert (await client.post(release)).json() == {"signals": 0}
    assert (await client.post(release)).status_code == 404


async def test_the_fields_are_listed_with_their_types(client: Client) -> None:
    fields = {one["name"]: one for one in (await client.get("/api/signals/fields")).json()}
    assert fields["nps"] == {
        "name": "nps", "type": "number", "meaning": "latest NPS answer, 0 to 10", "rests_on": "survey",
    }  # fmt: skip
