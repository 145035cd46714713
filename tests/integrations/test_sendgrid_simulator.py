"""Is the simulator SendGrid? The provider's own OpenAPI documents judge it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from integrations.sendgrid_sender import SendGridEmailSender, mail_body
from integrations.simulators.account import SIMULATOR_API_KEY
from integrations.simulators.server import SimulatorOptions
from tests.integrations.messages import email
from tests.support.imports import shared_data
from tests.support.simulators import running_simulators

pytestmark = pytest.mark.integration

KEY = {"Authorization": f"Bearer {SIMULATOR_API_KEY}"}
GOOD: dict[str, Any] = mail_body(email())
BAD: dict[str, dict[str, Any]] = {
    "no personalizations": {"personalizations": None},
    "personalizations of a wrong kind": {"personalizations": "anna"},
    "no recipients": {"personalizations": [{}]},
    "a recipient without an address": {"personalizations": [{"to": [{"name": "Anna"}]}]},
    "an address of a wrong kind": {"personalizations": [{"to": [{"email": 7}]}]},
    "an address without an at": {"personalizations": [{"to": [{"email": "nobody"}]}]},
    "too many personalizations": {"personalizations": [{"to": [{"email": "a@b.c"}]}] * 1001},
    "no sender": {"from": None},
    "a sender without an address": {"from": {"name": "Maya"}},
    "an empty subject": {"subject": ""},
    "an empty text": {"content": [{"type": "text/plain", "value": ""}]},
    "a content without a type": {"content": [{"value": "words"}]},
    "eleven categories": {"categories": [f"category-{number}" for number in range(11)]},
    "a category too long": {"categories": ["x" * 256]},
    "the same category twice": {"categories": ["x", "x"]},
    "a time of a wrong kind": {"send_at": "tomorrow"},
    "a suppression group without an id": {"asm": {}},
    "headers of a wrong kind": {"headers": "X-One: 1"},
    "an attachment without a name": {"attachments": [{"content": "aGVsbG8="}]},
    "an unknown disposition": {"attachments": [{"content": "YQ==", "filename": "a", "disposition": "x"}]},
    "a pool name too short": {"ip_pool_name": "x"},
}
BAD_BY_MEANING: dict[str, tuple[dict[str, Any], str]] = {
    "an empty list of personalizations": ({"personalizations": []}, "personalizations"),
    "an empty list of recipients": ({"personalizations": [{"to": []}]}, "personalizations.0.to"),
    "the same recipient twice": (
        {"personalizations": [{"to": [{"email": "a@b.c"}, {"email": "A@b.c"}]}]},
        "personalizations.0",
    ),
    "no subject": ({"subject": None}, "subject"),
    "no content": ({"content": None}, "content"),
    "HTML before text": ({"content": list(reversed(GOOD["content"]))}, "content"),
    "a file type with a parameter": (
        {"attachments": [{"content": "YQ==", "filename": "a", "type": "text/calendar; method=REQUEST"}]},
        "attachments.0.type",
    ),
    "a reserved header": ({"headers": {"Reply-To": "x@y.z"}}, "headers.reply-to"),
    "arguments too large": ({"custom_args": {"x": "x" * 10_001}}, "custom_args"),
    "a time too far ahead": ({"send_at": 99_999_999_999}, "send_at"),
}


def document(name: str) -> dict[str, Any]:
    path = shared_data("sendgrid-openapi") / name
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), object_hook=_plain_schema)
    return loaded


def _plain_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Read OpenAPI 3.0's `nullable`, which the documents use though they say 3.1."""
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return schema


def validator(name: str, pointer: str) -> Draft202012Validator:
    loaded = document(name)
    schema = {"components": loaded["components"], "paths": loaded["paths"], "$ref": f"#{pointer}"}
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.fixture(scope="module")
def mail_schema() -> Draft202012Validator:
    return validator(
        "tsg_mail_v3.json", "/components/requestBodies/PostMailSend/content/application~1json/schema"
    )


@pytest.fixture(scope="module")
def error_schema() -> Draft202012Validator:
    return validator("tsg_mail_v3.json", "/components/schemas/ErrorResponse")


def changed(change: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**GOOD, **change}.items() if value is not None}


async def send(http: httpx.AsyncClient, body: object) -> httpx.Response:
    return await http.post("/v3/mail/send", json=body, headers=KEY)


INVITATION = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
INVITING = mail_body(replace(email(), invitation=INVITATION))


@pytest.mark.parametrize("body", [GOOD, INVITING], ids=["letter", "invitation"])
async def test_our_own_request_satisfies_the_providers_schema_and_is_taken(
    http: httpx.AsyncClient, mail_schema: Draft202012Validator, body: dict[str, Any]
) -> None:
    mail_schema.validate(body)
    answer = await send(http, body)
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["X-Message-Id"]


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
async def test_what_the_providers_schema_refuses_the_simulator_refuses(
    http: httpx.AsyncClient,
    mail_schema: Draft202012Validator,
    error_schema: Draft202012Validator,
    change: dict[str, Any],
) -> None:
    body = changed(change)
    with pytest.raises(ValidationError):
        mail_schema.validate(body)
    answer = await send(http, body)
    assert answer.status_code == 400
    error_schema.validate(answer.json())
    assert (await http.get("/_mailbox")).json()["total"] == 0


@pytest.mark.parametrize(("change", "field"), BAD_BY_MEANING.values(), ids=BAD_BY_MEANING.keys())
async def test_what_no_schema_can_say_is_refused_too(
    http: httpx.AsyncClient, error_schema: Draft202012Validator, change: dict[str, Any], field: str
) -> None:
    answer = await send(http, changed(change))
    assert answer.status_code == 400
    error_schema.validate(answer.json())
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_arguments_of_the_whole_mail_are_a_map_although_the_schema_says_text(
    http: httpx.AsyncClient, mail_schema: Draft202012Validator
) -> None:
    body = changed({"custom_args": {"campaign": "x"}})
    with pytest.raises(ValidationError, match="is not of type 'string'"):
        mail_schema.validate(body)
    assert (await send(http, body)).status_code == 202


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("unauthorized", 401),
        ("forbidden", 403),
        ("too_large", 413),
        ("rate_limit", 429),
        ("server_error", 500),
        ("unavailable", 503),
    ],
)
async def test_a_fault_answers_in_the_providers_form(
    http: httpx.AsyncClient, error_schema: Draft202012Validator, fault: str, status: int
) -> None:
    await http.put("/_control/faults", json={"fault": fault})
    answer = await send(http, GOOD)
    assert answer.status_code == status
    error_schema.validate(answer.json())
    assert ("X-RateLimit-Reset" in answer.headers) == (status == 429)


async def test_what_is_no_json_and_what_is_too_large_are_refused(http: httpx.AsyncClient) -> None:
    assert (await http.post("/v3/mail/send", content=b"{", headers=KEY)).status_code == 400
    too_large = b" " * (30 * 1024 * 1024 + 1)
    assert (await http.post("/v3/mail/send", content=too_large, headers=KEY)).status_code == 413


async def test_nothing_of_the_provider_answers_without_the_key(http: httpx.AsyncClient) -> None:
    for path in ("/v3/messages", "/v3/suppression/bounces", "/v3/asm/suppressions/global/a@b.c"):
        assert (await http.get(path)).status_code == 401
    assert (await http.post("/v3/mail/send", json=GOOD)).status_code == 401


async def test_an_address_names_its_fault_itself(http: httpx.AsyncClient) -> None:
    body = changed({"personalizations": [{"to": [{"email": "bounce+anna@globex.example"}]}]})
    assert (await send(http, body)).status_code == 202
    [held] = (await http.get("/_mailbox")).json()["messages"]
    assert (held["status"], held["events"]) == ("bounced", ["processed", "bounce"])


async def test_a_bounced_address_is_suppressed_until_it_is_released(http: httpx.AsyncClient) -> None:
    to = "bounce+anna@globex.example"
    body = changed({"personalizations": [{"to": [{"email": to}]}]})
    await send(http, body)
    await send(http, body)
    last = (await http.get("/_mailbox", params={"limit": 1})).json()["messages"][0]
    assert (last["status"], last["events"]) == ("dropped", ["dropped"])
    listed = await http.get("/v3/suppression/bounces", headers=KEY)
    validator("tsg_suppressions_v3.json", "/components/schemas/BounceResponse").validate(listed.json()[0])
    assert (await http.delete(f"/v3/suppression/bounces/{to}", headers=KEY)).status_code == 204
    await send(http, body)
    assert (await http.get("/_mailbox", params={"status": "bounced"})).json()["total"] == 2


async def test_the_global_suppression_list_is_kept_by_hand(http: httpx.AsyncClient) -> None:
    path = "/v3/asm/suppressions/global"
    added = await http.post(path, json={"recipient_emails": ["anna@globex.example"]}, headers=KEY)
    assert added.status_code == 201
    shown = await http.get(f"{path}/anna@globex.example", headers=KEY)
    assert shown.json() == {"recipient_email": "anna@globex.example"}
    await send(http, GOOD)
    assert (await http.get("/_mailbox")).json()["messages"][0]["status"] == "dropped"
    await http.delete(f"{path}/anna@globex.example", headers=KEY)
    assert (await http.get(f"{path}/anna@globex.example", headers=KEY)).json() == {}
    assert (await http.get("/v3/suppression/unheard_of", headers=KEY)).status_code == 404


async def test_a_query_that_the_add_on_does_not_know_is_refused(http: httpx.AsyncClient) -> None:
    for params in ({"query": "colour=green"}, {"query": 'to_email="a@b.c" OR 1=1'}, {"limit": "0"}):
        assert (await http.get("/v3/messages", params=params, headers=KEY)).status_code == 400


async def test_the_mailbox_outlives_the_process(tmp_path: Path) -> None:
    options = SimulatorOptions(home=tmp_path, port=0)
    keys, last = [], {}
    for _ in range(2):
        async with running_simulators(options) as url, httpx.AsyncClient(base_url=url) as client:
            await send(client, GOOD)
            shown = await client.get("/v3/user/webhooks/event/settings/signed/1", headers=KEY)
            keys.append(shown.json()["public_key"])
            last = (await client.get("/_mailbox")).json()
    assert last["counts"]["messages"] == 2
    assert last["counts"]["duplicates"] == 1
    assert keys[0] == keys[1]


async def test_the_mailbox_is_filtered_and_counted(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    await sender.send(email("one", to="anna@globex.example"))
    await sender.send(email("two", to="jonas@initech.example"))
    for params, expected in (
        ({"search": "JONAS"}, ["two"]),
        ({"search": "how going"}, ["two", "one"]),
        ({"search": "100%"}, []),
        ({"to": "anna@globex.example"}, ["one"]),
        ({"delivery_id": "two"}, ["two"]),
        ({"category": "stay-in-touch"}, ["two", "one"]),
        ({"category": "other"}, []),
    ):
        found = (await http.get("/_mailbox", params=params)).json()
        assert [each["delivery_id"] for each in found["messages"]] == expected
        assert (found["total"], found["counts"]["messages"]) == (len(expected), 2)
    await http.post("/_control/reset")
    assert (await http.get("/_mailbox")).json()["counts"]["messages"] == 0


async def test_an_invitation_is_shown_with_its_file(http: httpx.AsyncClient) -> None:
    await send(http, INVITING)
    [held] = (await http.get("/_mailbox")).json()["messages"]
    assert held["calendar"] == INVITATION
    assert held["attachments"] == [{"filename": "invite.ics", "type": "application/ics"}]
    page = (await http.get(f"/mailbox/{held['id']}")).text
    assert "METHOD:REQUEST" in page
    assert "invite.ics (application/ics)" in page
    assert "Accept in the calendar" in page
