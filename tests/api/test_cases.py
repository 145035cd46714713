"""Cases and offers by the API: filters, one case whole, and what a hand does once for each key."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from domain.case_vocabulary import CaseState
from domain.permissions import Permission
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from models.tables.cases import CaseRow
from models.tables.ledger import DecisionRow
from models.tables.workflows import WorkflowOrderRow
from tests.support.case_rows import case_id
from tests.support.sample_cases import ENDED, UNPAID
from tests.support.sample_rows import Sample, fill
from tests.support.sample_win_backs import LEFT
from tests.support.web import Client, web_client, web_settings

pytestmark = pytest.mark.integration
CASE = case_id("dunning", 2)
HELD = case_id("dunning", 7)
WHY = {"reason": "they dispute the amount"}


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session)


async def key_of(database: Database, *scopes: Permission) -> dict[str, str]:
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), name="Robot", scopes=[*scopes])
    return {"authorization": f"Bearer {secret}"}


@pytest.fixture
async def client(sample: Sample, database: Database, database_url: str) -> AsyncIterator[Client]:
    """A program with a key for everything."""
    async with web_client(web_settings(database_url)) as opened:
        opened.headers.update(await key_of(database, *Permission))
        yield opened


async def read(client: Client, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_cases_are_listed_by_what_they_are(client: Client, sample: Sample) -> None:
    everything = (await read(client, "/api/cases", limit=100))["items"]
    assert len(everything) == len(UNPAID) + len(ENDED) + len(LEFT)
    opened = [each["opened_at"] for each in everything]
    assert opened == sorted(opened, reverse=True)
    mine = str(sample.customers[2])
    for query, fits in (
        ({"kind": "win_back"}, lambda each: each["kind"] == "win_back"),
        ({"state": ["held", "ended"]}, lambda each: each["state"] in {"held", "ended"}),
        ({"stage": "retrying"}, lambda each: each["stage"] == "retrying"),
        ({"customer": mine}, lambda each: each["customer_id"] == mine),
    ):
        found = (await read(client, "/api/cases", limit=100, **query))["items"]
        assert found == [each for each in everything if fits(each)], query
        assert found, query


async def test_one_case_comes_with_all_that_was_done_for_it(client: Client) -> None:
    found = await read(client, f"/api/cases/{CASE}")
    assert found["dunning"]["decline_code"] == "expired_card"
    assert found["win_back"] is None
    assert [one["by"] for one in found["attempts"]] == ["provider", "everstay"]
    assert {one["state"] for one in found["steps"]} == {"done", "deferred"}
    assert [one["state"] for one in found["letters"]] == ["opened"]
    assert found["decisions"][0]["case_id"] == str(CASE)
    lost = await read(client, f"/api/cases/{case_id('win_back', 28)}")
    assert lost["win_back"]["is_attributed"] is True
    assert (await client.get(f"/api/cases/{uuid.uuid4()}")).status_code == 404


async def test_a_hand_holds_once_for_each_key_and_a_second_hold_is_refused(
    client: Client, database: Database
) -> None:
    key = {"idempotency-key": "hold-1"}
    answers = [await client.post(f"/api/cases/{CASE}/hold", json=WHY, headers=key) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["held_reason"] == "Held by Robot: they dispute the amount"
    again = await client.post(f"/api/cases/{CASE}/hold", json=WHY)
    assert (again.status_code, "Robot holds it already" in again.text) == (409, True)
    async with database.transaction() as session:
        rings = (
            await session.scalars(select(WorkflowOrderRow).where(WorkflowOrderRow.case_id == CASE))
        ).all()
        held = select(DecisionRow).where(DecisionRow.action == "hold_case")
        assert len((await session.scalars(held)).all()) == 1
    assert len(rings) == 1


async def test_a_held_case_goes_on_and_one_is_rung_and_ended(client: Client, database: Database) -> None:
    going = await client.post(f"/api/cases/{HELD}/resume")
    assert (going.json()["state"], going.json()["held_reason"]) == ("open", None)
    assert (await client.post(f"/api/cases/{HELD}/resume")).status_code == 409
    assert (await client.post(f"/api/cases/{HELD}/ring")).status_code == 200
    wrong = await client.post(f"/api/cases/{HELD}/stop", json={"outcome": "recovered", **WHY})
    assert (wrong.status_code, "written_off, stopped" in wrong.text) == (422, True)
    ended = await client.post(f"/api/cases/{HELD}/stop", json={"outcome": "written_off", **WHY})
    assert (ended.json()["state"], ended.json()["outcome"]) == ("ended", "written_off")
    async with database.transaction() as session:
        row = (await session.scalars(select(CaseRow).where(CaseRow.id == HELD))).one()
    assert (row.state, row.outcome_reason) == (CaseState.ENDED, "they dispute the amount (by Robot)")


async def test_offers_are_listed_without_their_codes(client: Client, sample: Sample) -> None:
    found = (await read(client, "/api/offers"))["items"]
    assert {one["state"] for one in found} == {"proposed", "redeemed", "expired", "refused"}
    assert all("code" not in one for one in found)
    used = (await read(client, "/api/offers", state="redeemed", customer=str(sample.customers[28])))["items"]
    assert [one["margin"] for one in used] == [0.68]


async def test_both_permissions_are_needed_to_see_and_a_third_to_act(
    client: Client, database: Database
) -> None:
    see = {Permission.READ_RUNS, Permission.READ_CUSTOMERS}
    for lacking in see:
        client.headers.update(await key_of(database, *(see - {lacking})))
        for path in ("/api/cases", f"/api/cases/{CASE}", "/api/offers"):
            assert (await client.get(path)).status_code == 403, (lacking, path)
    client.headers.update(await key_of(database, *see))
    assert (await client.get("/api/cases")).status_code == 200
    assert (await client.post(f"/api/cases/{CASE}/ring")).status_code == 403
