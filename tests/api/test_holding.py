"""Held groups: what waits is shown, and a person says whose it is, or takes it back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from domain.permissions import Permission
from domain.time import WallInstant
from models.clock import open_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.facts_batch import fact_id
from models.keys import KeyKind, create_key
from tests.support.facts import CRM, WALL, connect, customer
from tests.support.tracked import PRODUCT, message, track
from tests.support.web import Client, web_client, web_settings
from workers.tracking_stage import TrackingStage

pytestmark = pytest.mark.integration
ACME = str(fact_id(CRM, "customer", "acme"))
GROUP = {"source_id": PRODUCT, "key": "initech"}
USED = "SELECT count(*), min(customer_id::text) FROM usage_events"
DAILY = "SELECT customer_id::text, events FROM usage_daily"


@pytest.fixture
async def held(database: Database) -> TrackingStage:
    """Two events of a group that nobody knows; the second stage has seen them."""
    await connect(database)
    await connect(database, PRODUCT, provides=("usage",))
    stage = TrackingStage(database, await open_clock(database))
    async with database.transaction() as session:
        await store_facts(session, CRM, [customer()], received_at=WALL)
    traits = {"name": "Initech Ltd", "plan": "pro"}
    received = WallInstant(wall_now())
    await track(
        database,
        message("group", user="u", group="initech", properties=traits),
        message(user="u", group="initech"),
        message(group="initech"),
        received=received,
    )
    await stage.run()
    return stage


async def api(database: Database, url: str, *scopes: Permission) -> AsyncIterator[Client]:
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=scopes)
    async with web_client(web_settings(url)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


@pytest.fixture
async def client(held: TrackingStage, database: Database, database_url: str) -> AsyncIterator[Client]:
    """A program that may read and mend."""
    assert held is not None
    wanted = (Permission.READ_IMPORTS, Permission.READ_RAW_ROWS, Permission.MEND_ROWS)
    async for opened in api(database, database_url, *wanted):
        yield opened


async def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.transaction() as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def post(client: Client, act: str, **more: str) -> dict[str, Any]:
    answer = await client.post(f"/api/holding/{act}", json=GROUP | more)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def test_a_held_group_is_shown_with_counts_people_and_traits(client: Client) -> None:
    found = (await client.get("/api/holding")).json()
    [group] = found["groups"]
    assert (group["key"], group["events"], group["people"], group["names"]) == ("initech", 2, 1, ["search"])
    assert group["traits"] == {"name": "Initech Ltd", "plan": "pro"}
    assert [(one["reason"], one["events"]) for one in found["reasons"]] == [("unknown_group", 2)]


async def test_traits_are_for_those_who_may_see_raw_rows(
    held: TrackingStage, database: Database, database_url: str
) -> None:
    assert held is not None
    async for client in api(database, database_url, Permission.READ_IMPORTS):
        [group] = (await client.get("/api/holding")).json()["groups"]
        assert group["traits"] is None
        assert (await client.post("/api/holding/ignore", json=GROUP)).status_code == 403


async def test_a_linked_groups_events_count_and_an_unlinked_ones_wait_again(
    client: Client, database: Database, held: TrackingStage
) -> None:
    await post(client, "link", customer_id=ACME)
    await held.run()
    assert await rows(database, USED) == [(2, ACME)]
    assert await rows(database, DAILY) == [(ACME, 2)]
    assert (await client.get("/api/holding")).json()["linked"][0]["customer"] == "Acme"
    await post(client, "unlink")
    assert await rows(database, USED) == [(0, None)]
    assert await rows(database, DAILY) == []
    assert await rows(database, "SELECT reason, count(*) FROM held_events GROUP BY 1") == [
        ("unknown_group", 2)
    ]
    await held.run()
    assert await rows(database, USED) == [(0, None)]
    await post(client, "link", customer_id=ACME)
    await held.run()
    assert await rows(database, USED) == [(2, ACME)]


async def test_a_customer_is_created_of_what_the_group_said(
    client: Client, database: Database, held: TrackingStage
) -> None:
    made = await post(client, "create")
    await held.run()
    assert await rows(database, USED) == [(2, made["customer_id"])]
    assert await rows(database, "SELECT name, plan FROM customers WHERE source_id = 'product'") == [
        ("Initech Ltd", "pro")
    ]


async def test_an_ignored_groups_events_are_kept_out_of_sight(client: Client, held: TrackingStage) -> None:
    await post(client, "ignore")
    await held.run()
    assert (await client.get("/api/holding")).json()["groups"] == []
    shown = (await client.get("/api/holding", params={"ignored": "true"})).json()["groups"]
    assert [one["events"] for one in shown] == [2]
    await post(client, "unlink")
    assert len((await client.get("/api/holding")).json()["groups"]) == 1


async def test_linking_to_nobody_or_an_unheard_group_is_refused(client: Client) -> None:
    nobody = GROUP | {"customer_id": str(fact_id(CRM, "customer", "nobody"))}
    assert (await client.post("/api/holding/link", json=nobody)).status_code == 404
    unheard = {"source_id": PRODUCT, "key": "?", "customer_id": ACME}
    assert (await client.post("/api/holding/link", json=unheard)).status_code == 404
    assert (await client.post("/api/holding/unlink", json=GROUP)).status_code == 409


async def test_linking_while_events_come_in_lets_none_pass_by(
    client: Client, database: Database, held: TrackingStage
) -> None:
    async def more() -> None:
        for _ in range(5):
            await track(database, message(group="initech"), received=WallInstant(wall_now()))
            await held.run()

    await asyncio.gather(more(), post(client, "link", customer_id=ACME))
    await held.run()
    assert await rows(database, USED) == [(7, ACME)]


async def test_metrics_are_declared_and_listed(client: Client) -> None:
    told = {"kind": "gauge", "unit": "seats", "property": "used"}
    assert (await client.put("/api/metrics/seats in use", json=told)).status_code == 200
    assert (await client.get("/api/metrics")).json() == [
        {"feature": "seats in use", "description": None} | told
    ]
    assert (await client.put("/api/metrics/seats", json={"kind": "sum"})).status_code == 400
