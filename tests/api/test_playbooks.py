"""Playbooks over the API: one document as JSON and YAML, and editors that do not overwrite each other."""

import json

import pytest
import yaml

from domain.permissions import Permission
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from tests.support.sample_rows import Sample, fill
from tests.support.web import Client

pytestmark = pytest.mark.integration
PLACE = "/api/playbooks/low-engagement"
YAML = {"content-type": "application/yaml"}


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session)


@pytest.fixture
async def api(client: Client, database: Database, sample: Sample) -> Client:
    del sample
    async with database.transaction() as session:
        key, _ = await create_key(session, KeyKind.API, wall_now(), scopes=[str(one) for one in Permission])
    client.headers["authorization"] = f"Bearer {key}"
    return client


async def exported(api: Client) -> tuple[str, str]:
    answer = await api.get(f"{PLACE}/document")
    assert answer.headers["content-type"].startswith("application/yaml")
    return answer.text, answer.headers["etag"]


async def test_what_is_exported_is_what_is_published_and_changes_nothing(api: Client) -> None:
    text, tag = await exported(api)
    planned = (await api.post(f"{PLACE}/plan", content=text, headers=YAML)).json()
    assert (planned["is_new"], planned["changes"]) == (False, [])
    done = await api.post(f"{PLACE}/publish", content=text, headers=YAML | {"if-match": tag})
    assert done.json() == {"key": "low-engagement", "version": 1, "is_new": False, "runs": {}}


async def test_json_and_yaml_are_the_same_document(api: Client) -> None:
    text, _tag = await exported(api)
    as_json = (await api.get(PLACE)).json()["document"]
    for body, headers in ((json.dumps(as_json), {"content-type": "application/json"}), (text, YAML)):
        answer = (await api.post("/api/playbooks/check", content=body, headers=headers)).json()
        assert answer["document"]["steps"] == yaml.safe_load(text)["steps"]


async def test_an_edit_is_planned_published_and_told_in_counts(api: Client) -> None:
    text, tag = await exported(api)
    edited = text.replace("timeout: 5d", "timeout: 4d")
    planned = (await api.post(f"{PLACE}/plan", content=edited, headers=YAML)).json()
    assert planned["counts"]["retimed"] == len(planned["runs"]) > 0
    assert "5 days → " in planned["changes"][0]["sentence"]
    done = await api.post(
        f"{PLACE}/publish?on_open=migrate&note=sooner", content=edited, headers=YAML | {"if-match": tag}
    )
    assert done.json()["runs"] == {"migrate": planned["counts"]["retimed"]}
    stale = await api.post(f"{PLACE}/publish", content=text, headers=YAML | {"if-match": tag})
    assert stale.status_code == 412
    assert "has version 2 by now" in stale.json()["detail"]
    versions = (await api.get(f"{PLACE}/versions")).json()
    assert [(one["version"], one["origin"], one["note"]) for one in versions] == [
        (2, "edit", "sooner"), (1, "library", ""),
    ]  # fmt: skip
    first = (await api.get(f"{PLACE}/versions/1")).json()["document"]
    back = await api.post(f"{PLACE}/publish?on_open=migrate", json=first)
    assert back.json()["version"] == 3


async def test_every_problem_comes_at_once_with_its_line(api: Client) -> None:
    text, _tag = await exported(api)
    broken = text.replace("event: touchpoint", "event: touchpont").replace(
        "on_timeout: call", "on_timeout: cal"
    )
    answer = await api.post(f"{PLACE}/publish", content=broken, headers=YAML)
    assert answer.status_code == 422
    problems = answer.json()["errors"]
    assert [one["path"] for one in problems] == ["steps[1].wait.event", "steps[1].wait.on_timeout"]
    assert all(one["line"] and one["hint"].startswith("did you mean") for one in problems)
    checked = (await api.post("/api/playbooks/check", content=broken, headers=YAML)).json()
    assert checked["valid"] is False


async def test_a_playbook_is_created_once_archived_and_restored(api: Client) -> None:
    text = (await exported(api))[0].replace("key: low-engagement", "key: brand-new")
    wrong = text.replace("template: low-engagement-value-tip", "template: low-engagement-value-tap")
    unknown = await api.post("/api/playbooks", content=wrong, headers=YAML)
    assert "did you mean low-engagement-value-tip?" in unknown.json()["detail"]
    made = await api.post("/api/playbooks", content=text, headers=YAML)
    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert (await api.post("/api/playbooks", content=text, headers=YAML)).status_code == 412
    assert (await api.post("/api/playbooks/brand-new/archive")).json()["archived_at"]
    assert (await api.post("/api/playbooks/brand-new/restore")).json()["archived_at"] is None
    assert (await api.post("/api/playbooks/nothing/archive")).status_code == 404


async def test_a_dry_run_tells_a_story_and_leaves_nothing(
    api: Client, database: Database, sample: Sample
) -> None:
    before = (await api.get("/api/interventions?limit=200")).json()
    asked = {"customer_id": str(sample.customers[0]), "task_done_after": "1d"}
    told = (await api.post(f"{PLACE}/dry-run", json=asked)).json()
    said = [one["what"] for one in told["events"]]
    assert said[0] == "opened"
    assert said[-1] == "ended"
    assert "task" in said
    assert (await api.get("/api/interventions?limit=200")).json() == before
    assert len((await api.get(f"{PLACE}/versions")).json()) == 1
    assert (await api.post(f"{PLACE}/dry-run", json=asked | {"task_done_after": "soon"})).status_code in {
        400,
        422,
    }


async def test_the_schema_is_served(api: Client) -> None:
    schema = (await api.get("/api/playbook-schema")).json()
    assert schema["$defs"]["Wait"]["properties"]["timeout"]
