import json
from collections.abc import AsyncIterator

import pytest

from cli import run
from domain.permissions import Permission
from domain.vocabulary import Role
from models.ciphers import Cipher
from models.clock import wall_now
from models.database import Database
from models.endpoints import required_endpoint
from models.keys import KeyKind, create_key
from tests.support.endpoints import OTHER, SECRET
from tests.support.probes import stored_text
from tests.support.web import SIGNING_KEY, Client, web_client, web_settings

pytestmark = pytest.mark.integration
PATH = "/api/webhook-endpoints"


@pytest.fixture
async def client(database: Database, database_url: str) -> AsyncIterator[Client]:
    """A program that may write endpoints, where private addresses are allowed."""
    async with database.transaction() as session:
        scopes = [Permission.EDIT_ENDPOINTS, Permission.READ_PLAYBOOKS]
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=scopes)
    settings = web_settings(database_url, webhook_private_addresses=True)
    async with web_client(settings) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


async def test_a_secret_is_made_and_shown_once_and_never_stored_in_the_clear(
    client: Client, database: Database
) -> None:
    made = (await client.put(f"{PATH}/crm", json={"url": "https://crm.example/hooks"})).json()
    assert made["secret"].startswith("whsec_")
    for answer in (await client.get(PATH), await client.get(f"{PATH}/crm")):
        assert made["secret"] not in answer.text
    for table in ("webhook_endpoints", "idempotent_requests"):
        assert made["secret"] not in await stored_text(database, table)
    again = await client.put(f"{PATH}/crm", json={"url": "https://crm.example/other", "note": "Sync"})
    assert (again.json()["secret"], again.json()["note"]) == (None, "Sync")
    async with database.transaction() as session:
        kept = await required_endpoint(session, "crm", Cipher(SIGNING_KEY))
    assert (kept.secrets, kept.url) == ((made["secret"],), "https://crm.example/other")


@pytest.mark.parametrize(
    ("key", "url", "secret"),
    [
        ("CRM", "https://crm.example", SECRET),
        ("crm", "ftp://crm.example", SECRET),
        ("crm", "https://user:password@crm.example", SECRET),
        ("crm", "https://crm.example/#x", SECRET),
        ("crm", "https://crm.example", "whsec_dG9vIHNob3J0"),
        ("crm", "https://crm.example", "not base64 at all!"),
    ],
)
async def test_what_cannot_be_used_is_refused(client: Client, key: str, url: str, secret: str) -> None:
    assert (await client.put(f"{PATH}/{key}", json={"url": url, "secret": secret})).status_code == 422


async def test_http_is_refused_unless_a_setting_allows_it(
    client: Client, database: Database, database_url: str
) -> None:
    assert (await client.put(f"{PATH}/crm", json={"url": "http://localhost:9"})).status_code == 200
    async with web_client(web_settings(database_url)) as strict:
        strict.headers["authorization"] = client.headers["authorization"]
        assert (await strict.put(f"{PATH}/crm", json={"url": "http://localhost:9"})).status_code == 422


async def test_two_secrets_may_stand_side_by_side(client: Client) -> None:
    told = {"url": "https://crm.example", "secret": f"{SECRET} {OTHER}"}
    assert (await client.put(f"{PATH}/crm", json=told)).status_code == 200


async def test_an_endpoint_is_tried_disabled_enabled_and_removed(client: Client) -> None:
    await client.put(f"{PATH}/crm", json={"url": "http://127.0.0.1:9"})  # nothing listens there
    tried = (await client.post(f"{PATH}/crm/test")).json()
    assert (tried["taken"], "connection failed" in tried["said"]) == (False, True)
    disabled = await client.post(f"{PATH}/crm/disable", json={"reason": "moved"})
    assert disabled.json()["disabled_reason"] == "moved"
    enabled = await client.put(f"{PATH}/crm", json={"url": "https://crm.example"})
    assert enabled.json()["disabled_reason"] is None
    assert (await client.delete(f"{PATH}/crm")).status_code == 204
    assert (await client.get(f"{PATH}/crm")).status_code == 404
    for call in (client.delete(f"{PATH}/crm"), client.post(f"{PATH}/crm/test")):
        assert (await call).status_code == 404


def test_only_administrators_name_where_customers_names_go() -> None:
    from domain.permissions import may

    assert [role for role in Role if may(role, Permission.EDIT_ENDPOINTS)] == [Role.ADMIN]


def test_the_command_line_does_the_same(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVERSTAY_DATABASE_URL", database_url)
    monkeypatch.setenv("EVERSTAY_SECRET_KEY", SIGNING_KEY)
    monkeypatch.setenv("CRM_SECRET", SECRET)
    assert run(["endpoint", "add", "crm", "https://127.0.0.1:9/x", "--note", "Sync"]) == 0
    assert "whsec_" in capsys.readouterr().out
    assert run(["endpoint", "add", "crm", "https://127.0.0.1:9/x", "--secret-env", "CRM_SECRET"]) == 0
    assert "whsec_" not in capsys.readouterr().out
    assert run(["endpoint", "test", "crm"]) == 1
    assert "not on the public internet" in capsys.readouterr().err
    assert run(["endpoint", "disable", "crm", "--reason", "moved"]) == 0
    capsys.readouterr()
    assert run(["endpoint", "list", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["key"], found["disabled_reason"]) == ("crm", "moved")
    assert run(["endpoint", "list"]) == 0
    assert "crm (" not in capsys.readouterr().out.split("\n")[1:]
    assert run(["endpoint", "remove", "crm"]) == 0
    assert run(["endpoint", "remove", "crm"]) == 1
