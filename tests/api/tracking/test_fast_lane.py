"""The short way answers as the long one does, and what it cannot store takes the long one."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Litestar

from api.app import create_app
from api.tracking.fast_lane import FastLane
from api.tracking.intake import MOST_BODY_BYTES
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from tests.api.tracking.test_requests import track
from tests.support.probes import stored_text
from tests.support.web import web_settings

pytestmark = pytest.mark.integration

URL = "http://127.0.0.1"


@pytest.fixture
async def lane(database: Database, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application behind its short way, with a write key."""
    async with database.transaction() as session:
        key, _ = await create_key(session, KeyKind.WRITE, wall_now(), name="Web app")
    app = create_app(web_settings(database_url))
    transport: Any = httpx.ASGITransport(FastLane(app))  # type: ignore[arg-type]  # two spellings of one protocol
    headers = {"authorization": f"Bearer {key}"}
    started, ended = asyncio.Event(), asyncio.Event()
    living = asyncio.create_task(live(app, started, ended))
    await started.wait()
    async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as client:
        yield client
    ended.set()
    await living


async def live(app: Litestar, started: asyncio.Event, ended: asyncio.Event) -> None:
    """Hold the application open in one task, which its lifespan insists on."""
    async with app.lifespan():
        started.set()
        await ended.wait()


def took_the_short_way(response: httpx.Response) -> bool:
    """Only the long way names the request."""
    return "x-request-id" not in response.headers


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/batch/", "/v1/b", "/v1/import"])
async def test_a_good_batch_takes_the_short_way(
    lane: httpx.AsyncClient, database: Database, path: str
) -> None:
    response = await lane.post(path, json={"batch": [track("a"), 5]})
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert took_the_short_way(response)
    assert response.headers["access-control-allow-origin"] == "*"
    assert "Login" in await stored_text(database, "tracked_events")
    assert "is no object" in await stored_text(database, "quarantined_rows")


async def test_a_zipped_batch_and_a_single_call_take_it_too(lane: httpx.AsyncClient) -> None:
    zipped = gzip.compress(json.dumps({"batch": [track("a")]}).encode())
    for response in (
        await lane.post("/v1/batch", content=zipped, headers={"content-encoding": "gzip"}),
        await lane.post("/v1/t", json={"userId": "u", "event": "Login"}),
    ):
        assert response.status_code == 200
        assert took_the_short_way(response)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b"{}", {}, 400),
        (b"no gzip", {"content-encoding": "gzip"}, 400),
        (b'{"batch": []}', {"authorization": "Bearer evs_write_invented"}, 401),
        pytest.param(
            gzip.compress(b" " * (MOST_BODY_BYTES + 1)), {"content-encoding": "gzip"}, 413, id="a bomb"
        ),
        pytest.param(b" " * (MOST_BODY_BYTES + 1), {}, 413, id="too long"),
    ],
)
async def test_everything_else_is_answered_by_the_long_way(
    lane: httpx.AsyncClient, body: bytes, headers: dict[str, str], status: int
) -> None:
    response = await lane.post("/v1/batch", content=body, headers=headers)
    assert response.status_code == status
    assert not took_the_short_way(response)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["access-control-allow-origin"] == "*"


async def test_other_addresses_and_methods_are_passed_on(lane: httpx.AsyncClient) -> None:
    assert (await lane.get("/health")).status_code == 200
    assert (await lane.get("/v1/batch")).status_code == 405
    assert (await lane.options("/v1/batch")).status_code == 204
    assert (await lane.post("/api/nothing")).status_code == 404


async def test_a_body_of_unknown_length_is_read_too(lane: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b'{"batch": [', json.dumps(track("a")).encode(), b"]}"):
            yield part

    response = await lane.post("/v1/batch", content=parts())
    assert response.status_code == 200
