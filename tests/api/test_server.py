"""The real server as a process of its own: how it starts, whom it believes, and how quickly it stops."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from domain.vocabulary import Role
from models.clock import wall_now
from models.database import Database
from models.users import create_sign_in_link
from tests.house.repository import ROOT
from tests.support.postgres import free_port
from tests.support.simulators import until_true
from tests.support.web import SESSION, SIGNING_KEY, TOKEN, someone

pytestmark = pytest.mark.integration

LOCAL = "127.0.0.1"


@contextmanager
def serving(
    database_url: str, home: object, **variables: str
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run `everstay serve api` on a free port."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EVERSTAY_")}
    given = {
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": f"{LOCAL}:1",
        "API_PORT": str(port),
        "SECRET_KEY": SIGNING_KEY,
        "HOME": str(home),
        **variables,
    }
    environment = {**kept, **{f"EVERSTAY_{name}": value for name, value in given.items()}}
    server = subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "api"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield f"http://{LOCAL}:{port}", server
    finally:
        if server.poll() is None:
            server.kill()
        server.communicate()


async def is_up(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False


async def signed_in(client: httpx.AsyncClient, database: Database) -> None:
    user = await someone(database, Role.ADMIN)
    async with database.transaction() as session:
        path = await create_sign_in_link(session, user.id, wall_now(), local_only=True)
    found = TOKEN.search((await client.get(path)).text)
    assert found is not None
    await client.post(path, data={"_csrf_token": found[1]})
    assert SESSION in client.cookies


async def test_it_stops_soon_and_with_success_though_a_page_is_watching(
    database: Database, database_url: str, tmp_path: object
) -> None:
    with serving(database_url, tmp_path) as (url, server):
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            await until_true(lambda: is_up(client), 60)
            await signed_in(client, database)
            async with client.stream("GET", "/live") as stream:
                assert stream.status_code == 200
                server.send_signal(signal.SIGTERM)
                code = await asyncio.to_thread(server.wait, 10)
    assert code == 0


async def test_it_believes_no_forwarded_address_unless_it_is_told_to(
    database: Database, database_url: str, tmp_path: object
) -> None:
    user = await someone(database)
    async with database.transaction() as session:
        path = await create_sign_in_link(session, user.id, wall_now(), local_only=True)
    with serving(database_url, tmp_path) as (url, _):
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            await until_true(lambda: is_up(client), 60)
            assert (await client.get(path)).status_code == 200
            forwarded = {"x-forwarded-for": LOCAL, "x-forwarded-proto": "https"}
            assert (await client.get(path, headers=forwarded)).status_code == 403
