"""Walks every route: none without a requirement, and each role gets what the table says."""

import base64
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from api.app import create_app
from api.callers import Caller
from api.guards import REQUIREMENT, SAFE_METHODS, Access, Requirement, is_met
from domain.permissions import ROLE_PERMISSIONS, Permission
from domain.vocabulary import Role
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key, revoke_key
from models.users import set_role
from tests.support.callers import user
from tests.support.probes import stored_text
from tests.support.sample_rows import fill
from tests.support.web import Client, sign_in, someone, web_client, web_settings

pytestmark = pytest.mark.integration

PUBLIC_PATHS = {
    "/api/schema",
    "/api/schema/openapi.json",
    "/api/schema/{path:str}",
    "/health",
    "/healthz",
    "/openapi.json",
    "/preferences/{token:str}",
    "/readyz",
    "/reference",
    "/sign-in",
    "/sign-in/link/{token:str}",
    "/static/css/{file_path:path}",
    "/static/dist/{file_path:path}",
    "/static/icons/{file_path:path}",
    "/talk/{token:str}",
    "/unsubscribe/{token:str}",
    "/billing/{token:str}",
    "/meeting/{token:str}",
}
SIGNED_PATHS = {
    "/preferences/{token:str}",
    "/talk/{token:str}",
    "/unsubscribe/{token:str}",
    "/webhooks/callbacks/{token:str}",
    "/billing/{token:str}",
    "/meeting/{token:str}",
    "/webhooks/sendgrid",
    "/webhooks/sendgrid/events",
    "/webhooks/sendgrid/inbound",
    "/webhooks/{source_id:str}",
    "/webhooks/{source_id:str}/{token:str}",
}


@dataclass(frozen=True)
class Route:
    path: str
    method: str
    needs: Requirement | None

    @property
    def url(self) -> str:
        """An address of this route, of something that is not there."""
        parts = [part for part in self.path.split("/") if part]
        return "/" + "/".join(_value(part) if part.startswith("{") else part for part in parts)


def _value(part: str) -> str:
    kind = part.strip("{}").partition(":")[2]
    return {"uuid": str(uuid.UUID(int=7)), "int": "7", "date": "2026-01-01"}.get(kind, "nothing")


def routes_of(app: Litestar) -> Iterator[Route]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                yield from _methods(route.path, handler)


def _methods(path: str, handler: HTTPRouteHandler) -> Iterator[Route]:
    for method in sorted(handler.http_methods):
        if method != "OPTIONS":
            yield Route(path, method, handler.opt.get(REQUIREMENT))


ALL = list(routes_of(create_app(web_settings("postgresql://nobody@127.0.0.1/none"))))
GUARDED = [route for route in ALL if isinstance(route.needs, Permission)]


QUESTIONS = {
    "POST /api/conditions/check",
    "POST /api/playbooks/check",
    "POST /api/playbooks/{key:str}/dry-run",
    "POST /api/playbooks/{key:str}/plan",
}
"""What is asked with a body and changes nothing."""


def test_every_route_says_what_it_needs() -> None:
    assert [f"{route.method} {route.path}" for route in ALL if route.needs is None] == []


def test_nothing_is_open_to_everyone_that_is_not_on_this_list() -> None:
    assert {route.path for route in ALL if route.needs is Access.PUBLIC} == PUBLIC_PATHS


def test_nothing_trusts_a_signature_that_is_not_on_this_list() -> None:
    assert {route.path for route in ALL if route.needs is Access.SIGNATURE} == SIGNED_PATHS


def test_what_changes_something_needs_more_than_reading() -> None:
    reading = [
        f"{route.method} {route.path}"
        for route in GUARDED
        if route.method not in SAFE_METHODS and str(route.needs).endswith(":read")
    ]
    assert set(reading) == QUESTIONS


def test_every_permission_is_held_by_some_role_and_the_administrator_holds_all() -> None:
    assert set().union(*ROLE_PERMISSIONS.values()) == set(Permission)
    assert ROLE_PERMISSIONS[Role.ADMIN] == set(Permission)
    assert set(ROLE_PERMISSIONS) == set(Role)


def test_a_route_without_a_requirement_is_closed_even_to_an_administrator() -> None:
    assert not is_met(None, Caller(user=user(Role.ADMIN)))


@pytest.fixture
async def client(database: Database, database_url: str) -> AsyncIterator[Client]:
    async with database.transaction() as session:
        await fill(session, customers=3)
    async with web_client(web_settings(database_url)) as opened:
        yield opened


async def as_role(client: Client, database: Database, role: Role) -> None:
    await someone(database, role, f"{role}@matrix.example")
    await sign_in(client, f"{role}@matrix.example")


async def ask(client: Client, route: Route, **headers: str) -> int:
    """Send an empty request; what is let through fails later, for want of a body or of a subject."""
    sent: Any = {"headers": {"accept": "application/json", **headers}, "follow_redirects": False}
    return (await client.request(route.method, route.url, **sent)).status_code


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_gets_what_the_table_says(client: Client, database: Database, role: Role) -> None:
    await as_role(client, database, role)
    token = (await client.get("/probe/token")).text
    wrong = []
    for route in GUARDED:
        status = await ask(client, route, **{"x-csrf-token": token})
        if (status == 403) is (route.needs in ROLE_PERMISSIONS[role]) or status in {401, 500}:
            wrong.append((route, status))
    assert wrong == []


async def test_nobody_gets_nothing(client: Client) -> None:
    statuses = {route: await ask(client, route) for route in GUARDED}
    assert {route.path: status for route, status in statuses.items() if status != 401} == {}


async def test_a_signed_in_browser_changes_nothing_without_the_token(
    client: Client, database: Database
) -> None:
    await as_role(client, database, Role.ADMIN)
    writes = [route for route in GUARDED if route.method not in SAFE_METHODS]
    statuses = {f"{route.method} {route.path}": await ask(client, route) for route in writes}
    assert writes
    assert {path: status for path, status in statuses.items() if status != 403} == {}


async def test_a_changed_role_holds_from_the_next_request_on(client: Client, database: Database) -> None:
    await someone(database, Role.ADMIN)
    await as_role(client, database, Role.MANAGER)
    assert (await client.get("/api/imports")).status_code == 200
    async with database.transaction() as session:
        await set_role(session, "manager@matrix.example", Role.CSM)
    assert (await client.get("/api/imports")).status_code == 403


async def key(database: Database, kind: KeyKind, *scopes: Permission) -> str:
    async with database.transaction() as session:
        secret, _ = await create_key(session, kind, wall_now(), scopes=scopes)
    return secret


async def test_a_key_opens_its_scopes_and_nothing_else(client: Client, database: Database) -> None:
    secret = await key(database, KeyKind.API, Permission.READ_CUSTOMERS)
    headers = {"authorization": f"Bearer {secret}"}
    assert (await client.get("/api/customers", headers=headers)).status_code == 200
    refused = await client.get("/api/tasks", headers=headers)
    assert refused.status_code == 403
    assert "work:read" in refused.json()["detail"]


async def test_a_key_needs_no_form_token(client: Client, database: Database) -> None:
    secret = await key(database, KeyKind.API, Permission.STOP_EFFECTS)
    headers = {"authorization": f"Bearer {secret}"}
    assert (await client.post("/api/installation/effects/stop", headers=headers)).status_code == 200


async def test_a_bad_key_is_refused_even_beside_a_good_session(client: Client, database: Database) -> None:
    await as_role(client, database, Role.ADMIN)
    headers = {"authorization": "Bearer evs_api_invented"}
    assert (await client.get("/api/customers", headers=headers)).status_code == 401


async def test_a_revoked_key_opens_nothing(client: Client, database: Database) -> None:
    secret = await key(database, KeyKind.API, Permission.READ_CUSTOMERS)
    async with database.transaction() as session:
        await revoke_key(session, secret[:16], wall_now())
    headers = {"authorization": f"Bearer {secret}"}
    assert (await client.get("/api/customers", headers=headers)).status_code == 401


def basic(secret: str) -> str:
    """A write key as tracking clients send it: the user name, without a password."""
    return f"Basic {base64.b64encode(f'{secret}:'.encode()).decode()}"


def bearer(secret: str) -> str:
    return f"Bearer {secret}"


@pytest.mark.parametrize("scheme", [bearer, basic])
async def test_a_write_key_opens_tracking_alone(
    client: Client, database: Database, scheme: Callable[[str], str]
) -> None:
    headers = {"authorization": scheme(await key(database, KeyKind.WRITE))}
    assert (await client.post("/probe/track", headers=headers)).status_code == 201
    assert (await client.get("/api/customers", headers=headers)).status_code == 403


async def test_an_api_key_does_not_track(client: Client, database: Database) -> None:
    secret = await key(database, KeyKind.API, *Permission)
    headers = {"authorization": f"Bearer {secret}"}
    assert (await client.post("/probe/track", headers=headers)).status_code == 403


async def test_keys_are_kept_as_hashes(database: Database) -> None:
    secret = await key(database, KeyKind.WRITE)
    assert secret not in await stored_text(database, "api_keys")
