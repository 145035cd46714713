"""Fields and conditions over the API."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.fields import FIELDS
from domain.permissions import Permission
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from tests.support.sample_rows import fill
from tests.support.web import Client, web_client, web_settings

pytestmark = pytest.mark.integration


async def key(database: Database, *scopes: Permission) -> dict[str, str]:
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=list(scopes))
    return {"authorization": f"Bearer {secret}"}


@pytest.fixture
async def client(database: Database, database_url: str) -> AsyncIterator[Client]:
    async with database.transaction() as session:
        await fill(session, customers=30)
    async with web_client(web_settings(database_url)) as opened:
        opened.headers.update(await key(database, Permission.READ_CUSTOMERS, Permission.READ_PLAYBOOKS))
        yield opened


async def check(client: Client, condition: Any, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/conditions/check", json={"condition": condition} | more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_whole_registry_is_served(client: Client) -> None:
    found = {one["name"]: one for one in (await client.get("/api/fields")).json()}
    assert list(found) == list(FIELDS)
    assert found["tier"] == {
        "name": "tier", "type": "text", "unit": None,
        "meaning": "churn risk tier that was last acted on: low, medium, high, critical",
        "words": ["low", "medium", "high", "critical"], "rests_on": None, "scope": "customer",
        "as_of": "last scoring", "has_history": True, "in_signals": False, "aliases": ["acted_tier"],
    }  # fmt: skip
    assert found["causes_open"]["scope"] == "run"
    assert (found["nps"]["rests_on"], found["nps"]["in_signals"]) == ("survey", True)


async def test_a_right_condition_is_counted_and_shown_by_examples(client: Client) -> None:
    found = await check(client, {"field": "health_status", "is": "at_risk"})
    assert (found["ok"], found["problems"], found["warnings"]) == (True, [], [])
    assert found["holds_for"]["customers"] == 3
    assert found["holds_for"]["examples"][0]["name"] == "Alder & Finch"
    everyone = await check(client, {"field": "arr", "at_least": 0})
    assert (everyone["holds_for"]["customers"], everyone["holds_for"]["left"]) == (29, 1)
    assert len(everyone["holds_for"]["examples"]) == 5


async def test_open_signals_can_be_asked_for(client: Client) -> None:
    all_of_them = (await check(client, {"signal": "usage_drop"}))["holds_for"]["customers"]
    assert all_of_them == 3
    assert (await check(client, {"signal": "usage_drop", "for": "5d"}))["holds_for"]["customers"] == 3
    assert (await check(client, {"signal": "usage_drop", "for": "7d"}))["holds_for"]["customers"] == 0


async def test_a_wrong_condition_is_answered_with_every_mistake_by_its_path(client: Client) -> None:
    found = await check(client, {"all": [{"field": "teir", "is": "high"}, {"signal": "own:nothing"}]})
    assert (found["ok"], found["holds_for"]) == (False, None)
    assert [problem["path"] for problem in found["problems"]] == ["all.0.field", "all.1.signal"]
    assert "did you mean tier?" in found["problems"][0]["reason"]


async def test_what_is_silent_and_what_was_never_done_is_said(client: Client) -> None:
    asked = {"any": [{"performed": "Report Exportd", "within": "30d"}, {"field": "nps", "at_most": 6}]}
    found = await check(client, asked)
    assert found["rests_on"] == ["survey", "usage"]
    assert found["silent"] == ["survey"]
    assert found["warnings"] == ["nobody has performed 'Report Exportd' lately"]


async def test_fields_of_a_run_are_right_in_a_run_and_asked_of_nobody(client: Client) -> None:
    asked = {"field": "causes_open", "is": True}
    assert not (await check(client, asked))["ok"]
    in_a_run = await check(client, asked, place="run")
    assert (in_a_run["ok"], in_a_run["holds_for"]) == (True, None)


async def test_who_may_not_see_customers_may_read_the_fields_and_ask_of_nobody(
    client: Client, database: Database
) -> None:
    client.headers.update(await key(database, Permission.READ_PLAYBOOKS))
    assert (await client.get("/api/fields")).status_code == 200
    asked = {"condition": {"field": "tier", "is": "high"}}
    assert (await client.post("/api/conditions/check", json=asked)).status_code == 403
