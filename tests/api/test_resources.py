import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import select

from domain.permissions import Permission
from domain.vocabulary import NoticeKind, TaskState
from models.clock import wall_now
from models.database import Database
from models.installation import observe_again
from models.keys import KeyKind, create_key
from models.resources.customers import SORTS
from models.tables.ledger import OutboxRow
from tests.support.sample_rows import NOW, Sample, fill, fixed_id
from tests.support.web import Client, web_client, web_settings

pytestmark = pytest.mark.integration

CUSTOMERS = 30


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=CUSTOMERS)


@pytest.fixture
async def client(sample: Sample, database: Database, database_url: str) -> AsyncIterator[Client]:
    """A program with a key for everything."""
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=[*Permission])
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


async def read(client: Client, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def walk(client: Client, path: str, **query: Any) -> list[dict[str, Any]]:
    """Read every page of a list."""
    page = await read(client, path, **query)
    found = list(page["items"])
    while page["next"] is not None:
        page = await read(client, path, cursor=page["next"], **query)
        found += page["items"]
    return found


async def test_pages_hold_every_customer_once_in_every_order(client: Client) -> None:
    for sort in [direction + name for name in SORTS for direction in ("", "-")]:
        whole = await read(client, "/api/customers", sort=sort, limit=100)
        pages = await walk(client, "/api/customers", sort=sort, limit=7)
        assert [each["id"] for each in pages] == [each["id"] for each in whole["items"]], sort
        assert len({each["id"] for each in pages}) == CUSTOMERS, sort


JONAS = str(fixed_id("user", "jonas"))
FILTERS: tuple[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]], ...] = (
    ({"tier": ["high", "critical"]}, lambda each: each["churn_risk_tier"] in {"high", "critical"}),
    ({"status": "churned"}, lambda each: each["status"] == "churned"),
    ({"touch_tier": "strategic"}, lambda each: each["touch_tier"] == "strategic"),
    ({"attention": "now"}, lambda each: each["attention"] == "now"),
    ({"owner": JONAS}, lambda each: each["csm_id"] == JONAS),
    ({"search": "BRIGHT"}, lambda each: "bright" in each["name"].lower()),
    ({"search": "100%"}, lambda _: False),
)


async def test_filters_narrow_to_what_they_say(client: Client) -> None:
    everyone = await walk(client, "/api/customers")
    for query, fits in FILTERS:
        found = await walk(client, "/api/customers", **query)
        assert [each["id"] for each in found] == [each["id"] for each in everyone if fits(each)], query


async def test_a_wrong_question_is_told_what_is_wrong_with_it(client: Client) -> None:
    for path, query, word in (
        ("/api/customers", {"sort": "luck"}, "sort"),
        ("/api/customers", {"cursor": "nonsense"}, "cursor"),
        ("/api/customers", {"owner": "somebody"}, "owner"),
        ("/api/customers", {"limit": "5000"}, "limit"),
        ("/api/tasks", {"state": "lost"}, "state"),
    ):
        answer = await client.get(path, params=query)
        assert answer.status_code in {400, 422}, query
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert word in answer.text


async def test_a_cursor_of_another_order_is_refused(client: Client) -> None:
    cursor = (await read(client, "/api/customers", limit=2))["next"]
    answer = await client.get("/api/customers", params={"sort": "arr", "cursor": cursor})
    assert answer.status_code == 422


async def test_a_customer_comes_with_what_we_think_of_it(client: Client, sample: Sample) -> None:
    found = await read(client, f"/api/customers/{sample.customers[0]}")
    assert found["score"]["drivers"]
    assert found["assessment"]["reason"]
    assert found["signals"]
    assert {"billing", "executive_sponsor"} <= {each["role"] for each in found["contacts"]}
    assert all(each["state"] != "ended" for each in found["interventions"])


async def test_nobody_is_404(client: Client) -> None:
    for tail in ("", "/timeline", "/decisions"):
        answer = await client.get(f"/api/customers/{uuid.uuid4()}{tail}")
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("There is no customer")


async def test_the_timeline_is_whole_and_runs_backwards(client: Client, sample: Sample) -> None:
    path = f"/api/customers/{sample.customers[0]}/timeline"
    events = await walk(client, path, limit=5)
    instants = [each["at"] for each in events]
    assert instants == sorted(instants, reverse=True)
    assert {"decision", "signal", "assessment", "ticket"} <= {each["kind"] for each in events}
    assert len({(each["kind"], each["id"]) for each in events}) == len(events)


async def test_why_did_we_not_is_one_call(client: Client, sample: Sample) -> None:
    refusals = [
        each
        for customer in sample.customers
        for each in await walk(client, f"/api/customers/{customer}/decisions", kind="refusal")
    ]
    assert refusals
    assert all(each["reason"] and each["sentence"] for each in refusals)


async def open_task(client: Client) -> dict[str, Any]:
    tasks = (await read(client, "/api/tasks", state="open"))["items"]
    found: dict[str, Any] = tasks[0]
    return found


async def rings(database: Database, kind: NoticeKind) -> int:
    async with database.transaction() as session:
        return len((await session.scalars(select(OutboxRow.id).where(OutboxRow.kind == kind))).all())


async def test_a_finished_task_tells_the_workflow_once_however_often_it_is_sent(
    client: Client, database: Database
) -> None:
    task = await open_task(client)

    async def finish() -> Response:
        return await client.post(
            f"/api/tasks/{task['id']}/done",
            json={"outcome": "reached", "note": "They are back."},
            headers={"idempotency-key": "one"},
        )

    answers = await asyncio.gather(*(finish() for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert {answer.json()["state"] for answer in answers} == {TaskState.DONE.value}
    assert len({answer.text for answer in answers}) == 1
    assert await rings(database, NoticeKind.TASK_DONE) == 1


async def test_an_idempotency_key_stands_for_one_request_only(client: Client) -> None:
    task = await open_task(client)
    url, headers = f"/api/tasks/{task['id']}/done", {"idempotency-key": "one"}
    await client.post(url, json={"outcome": "reached"}, headers=headers)
    other = await client.post(url, json={"outcome": "no_answer"}, headers=headers)
    assert other.status_code == 409


async def test_a_refused_write_leaves_the_key_free(client: Client) -> None:
    task, headers = await open_task(client), {"idempotency-key": "one"}
    url = f"/api/tasks/{task['id']}/snooze"
    late = (NOW + dt.timedelta(days=400)).isoformat()
    assert (await client.post(url, json={"until": late}, headers=headers)).status_code == 422
    soon = (NOW + dt.timedelta(days=4)).isoformat()
    assert (await client.post(url, json={"until": soon}, headers=headers)).status_code == 200


async def test_a_task_is_finished_once(client: Client) -> None:
    task = await open_task(client)
    url = f"/api/tasks/{task['id']}/done"
    assert (await client.post(url, json={"outcome": "reached"})).status_code == 200
    assert (await client.post(url, json={"outcome": "reached"})).status_code == 409


async def test_a_body_that_does_not_fit_is_told_so(client: Client) -> None:
    task = await open_task(client)
    bodies: list[Any] = [{}, {"outcome": "magic"}, {"outcome": "reached", "note": "x" * 3000}, []]
    for body in bodies:
        answer = await client.post(f"/api/tasks/{task['id']}/done", json=body)
        assert (answer.status_code, answer.json()["status"]) == (400, 400), body


async def test_a_task_goes_to_a_colleague(client: Client, sample: Sample) -> None:
    task, colleague = await open_task(client), str(sample.users["tom"])
    answer = await client.post(f"/api/tasks/{task['id']}/reassign", json={"assignee_id": colleague})
    assert answer.json()["assignee_id"] == colleague
    mine = await walk(client, "/api/tasks", assignee=colleague)
    assert task["id"] in {each["id"] for each in mine}


async def test_heads_ups_are_seen_put_off_and_closed(client: Client) -> None:
    found = (await read(client, "/api/heads-ups", state="open"))["items"][0]
    url = f"/api/heads-ups/{found['id']}"
    until = (NOW + dt.timedelta(days=3)).isoformat()
    assert (await client.post(f"{url}/snooze", json={"until": until})).json()["snoozed_until"]
    assert (await client.post(f"{url}/acknowledge")).json()["state"] == "acknowledged"
    closed = (await client.post(f"{url}/close", json={"reason": "spoke to them"})).json()
    assert (closed["state"], closed["closed_reason"]) == ("closed", "spoke to them")
    assert (await client.post(f"{url}/acknowledge")).status_code == 409


async def test_runs_come_with_their_steps(client: Client) -> None:
    runs = await walk(client, "/api/interventions")
    detail = await read(client, f"/api/interventions/{runs[0]['id']}")
    assert {"steps", "causes", "playbook_version"} <= detail.keys()


async def test_a_playbook_is_released_alone_at_a_rate(client: Client, database: Database) -> None:
    async with database.transaction() as session:
        await observe_again(session)
    held = next(each for each in await read(client, "/api/playbooks") if each["released_at"] is None)
    released = await client.post(f"/api/playbooks/{held['key']}/release", json={"per_day": 5})
    assert released.json()["released_at"] is not None
    installation = await read(client, "/api/installation")
    assert (installation["released_at"], installation["release_per_day"]) == (None, 5)
    assert (await client.post("/api/playbooks/nothing/release", json={})).status_code == 404


async def test_one_switch_stops_everything_and_starts_it_again(client: Client, database: Database) -> None:
    await client.post("/api/installation/release", json={})
    assert (await client.post("/api/installation/effects/stop")).json()["effects_stopped_at"]
    started = (await client.post("/api/installation/effects/start")).json()
    assert started["effects_stopped_at"] is None
    assert await rings(database, NoticeKind.SWITCHED) == started["customers_told"]


async def test_what_came_in_is_listed(client: Client) -> None:
    for path in ("/api/imports", "/api/quarantine"):
        assert (await read(client, path)).keys() == {"items", "next"}


async def test_the_attention_table_is_read_replaced_and_checked(client: Client) -> None:
    table = await read(client, "/api/policies/attention")
    table["rules"] = table["rules"][:1]
    assert (await client.put("/api/policies/attention", json=table)).json() == table
    assert await read(client, "/api/policies/attention") == table
    table["rules"][0]["attention"] = "whenever"
    refused = await client.put("/api/policies/attention", json=table)
    assert refused.status_code == 400
    assert "whenever" not in (await read(client, "/api/policies/attention"))["rules"][0].values()


async def test_the_ledger_holds_the_decisions_of_all_customers(client: Client, sample: Sample) -> None:
    found = await walk(client, "/api/decisions", limit=20)
    assert len({each["customer_id"] for each in found}) > 1
    refusals = await walk(client, "/api/decisions", kind="refusal")
    assert refusals == [each for each in found if each["kind"] == "refusal"]


async def test_colleagues_come_without_their_passwords(client: Client) -> None:
    found = await read(client, "/api/users")
    assert {"Ada Osei", "Jonas Weber"} <= {each["name"] for each in found}
    assert "password_hash" not in found[0]


async def test_a_release_can_be_taken_back(client: Client) -> None:
    assert (await client.post("/api/installation/observe")).json()["released_at"] is None
    key = (await read(client, "/api/playbooks"))[0]["key"]
    assert (await client.post(f"/api/playbooks/{key}/release", json={})).json()["released_at"]
    assert (await client.post(f"/api/playbooks/{key}/observe")).json()["released_at"] is None
    assert (await read(client, f"/api/playbooks/{key}"))["document"]["key"] == key
