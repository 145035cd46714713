"""Trained models over the API: looked at by many, decided about by few, each decision with its reason."""

from collections.abc import AsyncIterator

import pytest

from domain.permissions import Permission
from domain.trained_model import ModelState
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from models.model_registry import file_model
from tests.support.learned import begin, doubt, new_model
from tests.support.portfolio import NOW
from tests.support.sample_rows import fill
from tests.support.web import Client, web_client, web_settings

pytestmark = pytest.mark.integration
FIRST, SECOND = "churn-2026-06-15-1", "churn-2026-06-15-2"
WHY = {"why": "it finds them earlier"}


@pytest.fixture
async def client(database: Database, database_url: str) -> AsyncIterator[Client]:
    async with database.transaction() as session:
        await fill(session, customers=3)
    for number in (1, 2):
        await begin(database, f"t/{number}")
        async with database.transaction() as session:
            await file_model(session, new_model(f"t/{number}", seed=number), NOW)
    async with web_client(web_settings(database_url)) as opened:
        opened.headers.update(await key(database, Permission.READ_CUSTOMERS, Permission.EDIT_POLICIES))
        yield opened


async def key(database: Database, *scopes: Permission) -> dict[str, str]:
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=list(scopes))
    return {"authorization": f"Bearer {secret}"}


async def test_models_are_listed_promoted_and_rolled_back(client: Client) -> None:
    found = (await client.get("/api/models", params={"target": "churn"})).json()
    assert [(one["name"], one["state"]) for one in found] == [(SECOND, "challenger"), (FIRST, "challenger")]
    for name in (FIRST, SECOND):
        answer = await client.post(f"/api/models/{name}/promote", json=WHY)
        assert (answer.status_code, answer.json()) == (200, {"champion": name})
    shown = (await client.get(f"/api/models/{SECOND}")).json()
    assert (shown["state"], shown["replaced"]) == ("champion", FIRST)
    assert shown["decisions"][-1]["why"] == WHY["why"]
    back = await client.post("/api/models/rollback/churn", json=WHY)
    assert back.json() == {"champion": FIRST}
    assert (await client.post("/api/models/rollback/churn", json=WHY)).json() == {"champion": None}
    assert (await client.post("/api/models/rollback/churn", json=WHY)).status_code == 404


async def test_a_review_says_whether_a_suspicious_model_is_sound(client: Client, database: Database) -> None:
    early = await client.post(f"/api/models/{FIRST}/review", json={**WHY, "is_sound": True})
    assert early.status_code == 409, "the gate has not judged it"
    for name in (FIRST, SECOND):
        await doubt(database, name)
    reviewed = await client.post(f"/api/models/{FIRST}/review", json={**WHY, "is_sound": True})
    assert reviewed.json()["state"] == ModelState.SHADOW.value
    refused = await client.post(f"/api/models/{SECOND}/review", json={**WHY, "is_sound": False})
    assert refused.json()["state"] == ModelState.REJECTED.value
    assert (
        await client.post(f"/api/models/{SECOND}/review", json={**WHY, "is_sound": True})
    ).status_code == 409


async def test_a_decision_needs_its_reason_and_a_right(client: Client, database: Database) -> None:
    assert (await client.post(f"/api/models/{FIRST}/promote", json={"why": ""})).status_code in {400, 422}
    client.headers.update(await key(database, Permission.READ_CUSTOMERS))
    assert (await client.post(f"/api/models/{FIRST}/promote", json=WHY)).status_code == 403
    assert (await client.get("/api/models/nobody")).status_code == 404
