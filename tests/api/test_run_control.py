"""Programs and people steer runs: by the API and by plain forms, each with a name and a permission."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select, update

from domain.permissions import Permission
from domain.vocabulary import (
    CustomerStatus,
    EffectState,
    InterventionState,
    NoticeKind,
    RequestState,
    TaskOutcome,
    TaskState,
    WorkflowAction,
)
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from models.tables.customers import CustomerRow
from models.tables.ledger import DecisionRow, EffectRow, OutboxRow
from models.tables.playbooks import InterventionRow
from models.tables.runs import PauseRow, RunRequestRow
from models.tables.work import TaskRow
from models.tables.workflows import WorkflowOrderRow
from tests.api.web.test_forms import send
from tests.support.people import come_as
from tests.support.sample_rows import Sample, fill
from tests.support.web import Client, csrf_in, web_client, web_settings

pytestmark = pytest.mark.integration


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=20)


@pytest.fixture
async def client(sample: Sample, database: Database, database_url: str) -> AsyncIterator[Client]:
    """A program with a key for everything."""
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), name="Robot", scopes=[*Permission])
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


@pytest.fixture
async def browser(sample: Sample, database_url: str) -> AsyncIterator[Client]:
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["accept"] = "text/html"
        yield opened


async def rows(database: Database, table: Any) -> list[Any]:
    async with database.transaction() as session:
        return list((await session.scalars(select(table))).all())


async def running(database: Database) -> InterventionRow:
    async with database.transaction() as session:
        query = select(InterventionRow).where(InterventionRow.state == InterventionState.RUNNING)
        return (await session.scalars(query.order_by(InterventionRow.id).limit(1))).one()


async def test_a_run_is_asked_for_once_and_its_answer_has_an_address(
    client: Client, database: Database
) -> None:
    run = await running(database)
    wish = {"playbook": run.playbook_key, "note": "they called", "is_urgent": True}
    asked = [await client.post(f"/api/customers/{run.customer_id}/runs", json=wish) for _ in range(2)]
    assert [one.status_code for one in asked] == [202, 202]
    assert asked[0].json()["id"] == asked[1].json()["id"], "the same open wish is not written twice"
    notices = [row for row in await rows(database, OutboxRow) if row.kind is NoticeKind.RUN_REQUESTED]
    assert [row.payload for row in notices] == [{"request_id": asked[0].json()["id"]}]
    where = asked[0].json()["address"]
    assert (await client.get(where)).json()["state"] == "open"
    async with database.transaction() as session:
        refused = {"state": RequestState.REFUSED, "answer": "another run is open"}
        await session.execute(update(RunRequestRow).values(refused))
    told = (await client.get(where)).json()
    assert (told["state"], told["answer"]) == ("refused", "another run is open")
    unknown = await client.post(f"/api/customers/{run.customer_id}/runs", json={"playbook": "nothing"})
    assert (unknown.status_code, "playbook" in unknown.json()["detail"]) == (404, True)


async def test_for_a_customer_that_has_left_no_run_can_be_asked_for(
    client: Client, database: Database
) -> None:
    run = await running(database)
    async with database.transaction() as session:
        left = update(CustomerRow).where(CustomerRow.id == run.customer_id)
        await session.execute(left.values(status=CustomerStatus.CHURNED))
    wish = {"playbook": run.playbook_key}
    answer = await client.post(f"/api/customers/{run.customer_id}/runs", json=wish)
    assert (answer.status_code, "has left" in answer.json()["detail"]) == (409, True)
    assert await rows(database, RunRequestRow) == []


async def test_a_run_is_stopped_by_name_and_only_once(client: Client, database: Database) -> None:
    run = await running(database)
    stop = {"outcome": "renewed", "reason": "They signed."}
    answer = await client.post(f"/api/runs/{run.id}/stop", json=stop)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["outcome"], told["outcome_reason"]) == ("renewed", "They signed (by Robot)")
    assert (await client.post(f"/api/runs/{run.id}/stop", json=stop)).status_code == 409
    orders = await rows(database, WorkflowOrderRow)
    assert [(one.intervention_id, one.action) for one in orders] == [(run.id, WorkflowAction.RING)]
    assert (await client.post(f"/api/runs/{uuid.uuid4()}/stop", json=stop)).status_code == 404


async def test_a_rest_is_ordered_listed_and_ended(client: Client, database: Database) -> None:
    run = await running(database)
    told = await client.post("/api/pauses", json={"scope": "segment", "key": "small", "reason": "a fair"})
    assert (told.status_code, told.json()["name"]) == (201, "small customers")
    mine = await client.post(f"/api/runs/{run.id}/pause", json={"reason": "holiday"})
    assert mine.status_code == 200, mine.text
    assert [one["scope"] for one in (await client.get("/api/pauses")).json()["now"]] == ["segment", "run"]
    assert (await client.post(f"/api/runs/{run.id}/resume")).status_code == 200
    assert (await client.post(f"/api/runs/{run.id}/resume")).status_code == 404
    ended = await client.post(f"/api/pauses/{told.json()['id']}/resume")
    assert ended.json()["ended_at"] is not None
    assert (await client.get("/api/pauses")).json()["now"] == []
    unknown = {"scope": "playbook", "key": "nothing", "reason": "x"}
    assert (await client.post("/api/pauses", json=unknown)).status_code == 404


async def test_what_overslept_is_found_and_rung_and_an_uncertain_effect_is_settled_by_word(
    client: Client, database: Database
) -> None:
    run = await running(database)
    key = f"{run.id}/first-mail/7/somebody"
    async with database.transaction() as session:
        session.add(
            EffectRow(
                key=key,
                delivery_id="d",
                kind="email",
                payload_hash="h",
                customer_id=run.customer_id,
                state=EffectState.UNCERTAIN,
                attempts=1,
                claimed_at=wall_now(),
                provider="fake",
            )
        )
    found = (await client.get("/api/monitor")).json()
    kinds = {one["trouble"] for one in found["findings"]}
    assert {"overslept_run", "uncertain_effect"} <= kinds
    late = [one["key"] for one in found["findings"] if one["trouble"] == "overslept_run"]
    done = await client.post("/api/monitor/repairs", json={"repair": "retry", "findings": late})
    assert done.json() == {"done": done.json()["done"], "refused": []}
    assert sorted(done.json()["done"]) == sorted(late)
    assert len(await rows(database, WorkflowOrderRow)) == len(late)
    wrong = {"repair": "skip", "findings": [f"uncertain_effect:{key}"]}
    assert (
        "does not mend"
        in (await client.post("/api/monitor/repairs", json=wrong)).json()["refused"][0]["reason"]
    )
    settled = await client.post("/api/monitor/repairs", json=wrong | {"repair": "not_sent"})
    assert settled.json()["done"] == [f"uncertain_effect:{key}"]
    (effect,) = await rows(database, EffectRow)
    assert (effect.state, effect.error) == (EffectState.FAILED, "Robot says that it did not happen")
    again = await client.post("/api/monitor/repairs", json=wrong | {"repair": "sent"})
    assert again.status_code == 404, "what is known is not asked again"
    said = {row.sentence for row in await rows(database, DecisionRow)}
    assert "Robot says of an uncertain email that it did not happen." in said


async def test_a_question_has_yes_and_no_and_nothing_else_has(client: Client, database: Database) -> None:
    async with database.transaction() as session:
        query = select(TaskRow.id).where(TaskRow.state == TaskState.OPEN).order_by(TaskRow.id).limit(2)
        question, work = (await session.scalars(query)).all()
        await session.execute(update(TaskRow).where(TaskRow.id == question).values(kind="approval"))
    wrong = await client.post(f"/api/tasks/{question}/done", json={"outcome": "reached"})
    assert (wrong.status_code, "approved, rejected" in wrong.json()["detail"]) == (422, True)
    assert (await client.post(f"/api/tasks/{work}/done", json={"outcome": "approved"})).status_code == 422
    assert (await client.post(f"/api/tasks/{question}/done", json={"outcome": "rejected"})).status_code == 200


async def test_the_inbox_asks_for_a_yes_or_a_no_and_links_to_what_would_go_out(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    async with database.transaction() as session:
        query = select(TaskRow).where(TaskRow.state == TaskState.OPEN).order_by(TaskRow.id).limit(1)
        task = (await session.scalars(query)).one()
        await session.execute(update(TaskRow).where(TaskRow.id == task.id).values(kind="approval"))
    page = (await browser.get("/inbox?of=all")).text
    assert f"/runs/{task.intervention_id}?preview=1#preview" in page
    assert 'value="approved"' in page
    await send(browser, "/inbox?of=all", f"/inbox/tasks/{task.id}/done", outcome="approved")
    (done,) = [one for one in await rows(database, TaskRow) if one.id == task.id]
    assert (done.state, done.outcome) == (TaskState.DONE, TaskOutcome.APPROVED)


async def test_what_would_go_out_is_shown_without_being_sent_and_without_links_that_act(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "marta")
    run = await running(database)
    step = "first-mail" if run.playbook_key == "low-engagement" else "executive-mail"
    position = {"step": step, "visits": {step: 1}}
    async with database.transaction() as session:
        mine = update(InterventionRow).where(InterventionRow.id == run.id)
        await session.execute(mine.values(position=position))
    page = await browser.get(f"/runs/{run.id}?preview=1")
    assert page.status_code == 200, page.text
    assert "What would go out now" in page.text
    assert "unsubscribe/" not in page.text
    assert await rows(database, EffectRow) == []


async def test_a_rest_is_ordered_by_a_plain_form_shown_on_every_page_and_ended(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    said = await send(browser, "/plan", "/pauses", what="everything", reason="a move", days="")
    assert "It rests." in said.text
    assert "Everything rests." in (await browser.get("/inbox")).text
    (rest,) = await rows(database, PauseRow)
    said = await send(browser, "/plan", f"/pauses/{rest.id}/resume")
    assert "It goes on." in said.text
    assert "Everything rests." not in (await browser.get("/inbox")).text


async def test_many_findings_are_repaired_by_a_form_that_first_says_how_many_and_which(
    browser: Client, database: Database, sample: Sample
) -> None:
    await come_as(browser, database, sample, "ada")
    async with database.transaction() as session:
        gone = update(InterventionRow).where(InterventionRow.state == InterventionState.RUNNING)
        await session.execute(gone.values(expected_wake_at=sample.now.replace(year=2026, month=1)))
    runs = [row for row in await rows(database, InterventionRow) if row.state is InterventionState.RUNNING]
    keys = [f"overslept_run:{row.id}" for row in runs]
    token = {"_csrf_token": (await _token(browser, "/monitor")), "finding": keys, "repair": "stop"}
    asked = await browser.post("/monitor/confirm", data=token)
    assert f"End the run: {len(keys)}" in asked.text
    assert all(row.state is InterventionState.RUNNING for row in runs)
    ending = {"outcome": "stopped", "reason": "an outage"}
    done = await browser.post("/monitor/repair", data=token | ending)
    assert f"{len(keys)} repaired." in done.text
    left = [row for row in await rows(database, InterventionRow) if row.state is InterventionState.RUNNING]
    assert left == []
    names = {
        row.outcome_reason for row in await rows(database, InterventionRow) if row.id in {r.id for r in runs}
    }
    assert names == {"an outage (by Ada Osei)"}


async def test_whoever_only_reads_steers_nothing(browser: Client, database: Database, sample: Sample) -> None:
    await come_as(browser, database, sample, "vera")
    run = await running(database)
    assert "Steer" not in (await browser.get(f"/runs/{run.id}")).text
    for act, fields in (
        (f"/runs/{run.id}/skip", {}),
        ("/monitor/repair", {"repair": "retry"}),
        ("/pauses", {"what": "everything", "reason": "x"}),
        (f"/customers/{run.customer_id}/runs", {"playbook": run.playbook_key}),
    ):
        assert (await send(browser, "/inbox", act, **fields)).status_code == 403, act
    assert await rows(database, PauseRow) == []


async def _token(browser: Client, page: str) -> str:
    return csrf_in(await browser.get(page))
