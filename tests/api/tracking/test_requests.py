"""What real clients send, and what they must never get: an answer before the commit, or a 5xx."""

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest
from litestar.routes import HTTPRoute

from activities.import_replay import Correction, replay
from api.app import create_app
from api.guards import REQUIREMENT, Access
from api.tracking.intake import MOST_BODY_BYTES
from integrations.tabular import FileReader
from integrations.tracking.kept import KeptMessages
from models.clock import wall_now
from models.keys import KeyKind, create_key, revoke_key
from models.quarantine import BadRow
from tests.api.tracking.conftest import Tracker
from tests.support.web import web_settings

pytestmark = pytest.mark.integration

OK = {"success": True}
PATHS = {
    *(f"/v1/{call}" for call in ("track", "identify", "group", "page", "screen", "alias", "batch", "import")),
    *(f"/v1/{short}" for short in "tigpsab"),
    *("/batch", "/capture", "/e", "/i/v0/e"),
}


def track(message_id: str, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Login", "userId": "u1", "messageId": message_id, **fields}


def test_only_these_addresses_look_for_a_key_themselves() -> None:
    routes = create_app(web_settings("postgresql://nobody@127.0.0.1/none")).routes
    found = {
        route.path
        for route in routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.opt.get(REQUIREMENT) is Access.SENT_KEY
    }
    assert found == PATHS


async def test_a_batch_is_stored_once_however_often_it_is_sent(tracker: Tracker) -> None:
    body = {"batch": [track("a"), track("b")], "sentAt": wall_now().isoformat()}
    for _ in range(3):
        response = await tracker.post("/v1/batch", body)
        assert (response.status_code, response.json()) == (200, OK)
    assert await tracker.events() == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("path", "fields", "kind"),
    [
        ("/v1/track", {"event": "Login"}, "track"),
        ("/v1/t", {"event": "Login"}, "track"),
        ("/v1/identify", {"traits": {"email": "a@x.example"}}, "identify"),
        ("/v1/i", {"context": {"traits": {"email": "a@x.example"}}}, "identify"),
        ("/v1/group", {"groupId": "acme", "traits": {"name": "Acme"}}, "group"),
        ("/v1/g", {"groupId": "acme"}, "group"),
        ("/v1/page", {"name": "Home"}, "page"),
        ("/v1/p", {}, "page"),
        ("/v1/screen", {"name": "Home"}, "screen"),
        ("/v1/s", {}, "screen"),
        ("/v1/alias", {"previousId": "anonymous"}, "alias"),
        ("/v1/a", {"previousId": "anonymous"}, "alias"),
    ],
)
async def test_every_call_has_an_address(
    tracker: Tracker, path: str, fields: dict[str, Any], kind: str
) -> None:
    response = await tracker.post(path, {"userId": "u1", **fields})
    assert (response.status_code, response.json()) == (200, OK)
    assert await tracker.events("kind, user_key") == [(kind, "u1")]


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", "x/y", ""]
)
async def test_the_content_type_does_not_matter(tracker: Tracker, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    assert (await tracker.post("/v1/batch", {"batch": [track("a")]}, **headers)).status_code == 200
    zipped = await tracker.post_zipped("/v1/batch", {"batch": [track("b")]}, **headers)
    assert zipped.status_code == 200
    assert await tracker.events() == [("a",), ("b",)]


@pytest.mark.parametrize("field", ["writeKey", "api_key"])
async def test_the_key_may_stand_in_the_body_and_is_not_kept(tracker: Tracker, field: str) -> None:
    body = {field: tracker.key, "userId": "u1"}
    response = await tracker.client.post("/v1/t", content=json.dumps({**body, "event": "Login"}).encode())
    assert response.status_code == 200
    assert (await tracker.client.post("/v1/t", json=body)).status_code == 200
    assert await tracker.quarantined() == [(0, "event", "is missing", {"userId": "u1"})]


async def test_without_a_living_write_key_nothing_is_stored(tracker: Tracker) -> None:
    async with tracker.database.transaction() as session:
        api, _ = await create_key(session, KeyKind.API, wall_now(), scopes=["work:read"])
        gone, _ = await create_key(session, KeyKind.WRITE, wall_now(), name="gone")
        await revoke_key(session, gone[:16], wall_now())
    for key in ("", "evs_write_invented", api, gone):
        headers = {"authorization": f"Bearer {key}"} if key else {}
        response = await tracker.client.post("/v1/batch", json={"batch": [track("a")]}, headers=headers)
        assert response.status_code == 401, key
        assert response.headers["content-type"] == "application/problem+json"
    assert await tracker.events() == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"  ", {}),
        (b"{", {}),
        (b"no json", {}),
        (b"\xff\xfe", {}),
        (b"[" * 100_000, {}),
        (b'{"batch": 5}', {}),
        (b"{}", {}),
        (b"null", {}),
        (b"", {"content-encoding": "gzip"}),
        (b"no gzip", {"content-encoding": "gzip"}),
        (gzip.compress(b'{"batch": []}' * 99, mtime=0)[:-20], {"content-encoding": "gzip"}),
        (gzip.compress(b"", mtime=0), {"content-encoding": "gzip"}),
        (b"data=%%%", {}),
    ],
)
async def test_what_cannot_be_read_is_400_and_says_why(
    tracker: Tracker, body: bytes, headers: dict[str, str]
) -> None:
    response = await tracker.post("/v1/batch", body, **headers)
    assert response.status_code == 400, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"].startswith("The body cannot be read: ")


async def test_an_empty_batch_is_fine(tracker: Tracker) -> None:
    assert (await tracker.post("/v1/batch", {"batch": []})).status_code == 200


async def test_a_body_over_the_limit_is_413_zipped_or_not(tracker: Tracker) -> None:
    large = b'{"batch": [' + b" " * MOST_BODY_BYTES + b"]}"
    assert (await tracker.post("/v1/batch", large)).status_code == 413
    bomb = gzip.compress(large)
    assert len(bomb) < 10_000
    assert (await tracker.post("/v1/batch", bomb, **{"content-encoding": "gzip"})).status_code == 413
    many = {"batch": [1] * 10_001}
    assert (await tracker.post("/v1/batch", many)).status_code == 413


async def test_one_bad_message_costs_no_other(tracker: Tracker) -> None:
    large = track("large", properties={"text": "x" * 33_000})
    batch = [
        track("a"),
        5,
        {"type": "track", "userId": "u1"},
        {"type": "dance", "userId": "u1"},
        {"type": "track", "event": "Login"},
        track("b", properties=[1]),
        track("c", timestamp="yesterday"),
        track("d", timestamp="0001-01-01T00:00:00Z"),
        track("e", userId={"id": 1}),
        track("f" * 501),
        large,
        track("z"),
    ]
    assert (await tracker.post("/v1/batch", {"batch": batch})).json() == OK
    assert await tracker.events() == [("a",), ("z",)]
    assert [(line, field) for line, field, *_ in await tracker.quarantined()] == [
        (1, "message"),
        (2, "event"),
        (3, "type"),
        (4, "userId"),
        (5, "properties"),
        (6, "timestamp"),
        (7, "timestamp"),
        (8, "userId"),
        (9, "messageId"),
        (10, "message"),
    ]
    counted = "SELECT received, stored, duplicates, quarantined FROM source_days"
    assert await tracker.rows(counted) == [(12, 2, 0, 10)]


async def test_null_characters_are_dropped_and_the_rest_is_stored(tracker: Tracker) -> None:
    sent = track("a\x00", event="Lo\x00gin", properties={"a\x00": "x\x00y", "half": "\ud83d"})
    assert (await tracker.post("/v1/batch", {"batch": [sent]})).status_code == 200
    (told,) = await tracker.events("message_id, name, properties")
    assert told == ("a", "Login", {"a": "xy", "half": "\ufffd"})


async def test_json_that_is_not_quite_json_is_read(tracker: Tracker) -> None:
    loose = (
        b'{"batch": [{"type": "track", "event": "a", "userId": 7, "properties": {"n": NaN, "t": "\xff"}}]}'
    )
    assert (await tracker.post("/v1/batch", loose)).status_code == 200
    assert await tracker.events("user_key, properties") == [("7", {"n": None, "t": "\ufffd"})]


async def test_a_number_that_postgres_refuses_costs_its_message_alone(tracker: Tracker) -> None:
    huge = b'{"type": "track", "event": "a", "userId": "u", "messageId": "m1", "properties": {"n": 1e200000}}'
    body = b'{"batch": [' + huge + b","
    body += json.dumps(track("m2")).encode() + b"]}"
    assert (await tracker.post("/v1/batch", body)).status_code == 200
    stored = {message_id for (message_id,) in await tracker.events()}
    assert "m2" in stored
    assert len(stored) + len(await tracker.quarantined()) == 2


async def test_a_browser_of_any_site_may_send_and_read_the_answer(tracker: Tracker) -> None:
    asked = {"origin": "https://app.example", "access-control-request-headers": "authorization,content-type"}
    preflight = await tracker.client.options("/v1/t", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    for key in (tracker.key, "invented"):
        body = {"writeKey": key, "userId": "u", "event": "Login"}
        response = await tracker.client.post("/v1/t", json=body, headers={"origin": "https://app.example"})
        assert response.headers["access-control-allow-origin"] == "*", response.status_code


async def test_who_sends_too_much_is_told_when_to_come_again(slow_tracker: Tracker) -> None:
    body = {"batch": [track(str(number)) for number in range(12)]}
    assert (await slow_tracker.post("/v1/batch", body)).status_code == 200
    refused = await slow_tracker.post("/v1/batch", body)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["content-type"] == "application/problem+json"


async def test_a_form_of_the_browser_client_is_read(tracker: Tracker) -> None:
    event = {"api_key": tracker.key, "event": "Login", "distinct_id": "u1", "uuid": "m1"}
    encoded = quote(base64.b64encode(json.dumps(event).encode()))
    response = await tracker.client.post("/e/?ver=1", content=f"data={encoded}".encode())
    assert response.status_code == 200
    zipped = await tracker.client.post(
        "/e/?compression=gzip-js", content=gzip.compress(json.dumps([event]).encode())
    )
    assert zipped.status_code == 401  # a list holds no key around its events
    assert await tracker.events() == [("m1",)]


async def test_a_message_in_quarantine_is_stored_once_it_is_mended(tracker: Tracker) -> None:
    mended, later = track("a", properties={"n": 1}), wall_now()
    broken = {**mended, "timestamp": "yesterday", "event": None}
    await tracker.post("/v1/batch", {"batch": [broken]})
    ((row_id,),) = await tracker.rows("SELECT id FROM quarantined_rows")

    async def replayed(**cells: str) -> BadRow | None:
        correction = Correction(cells=cells)
        done = await replay(tracker.database, FileReader(), row_id, correction, wall_now(), KeptMessages())
        return done.still

    still = await replayed(timestamp="2026-06-01T10:00:00Z")
    assert (still and still.field, await tracker.events()) == ("event", [])
    said = {"timestamp": "2026-06-01T10:00:00Z", "event": "Login", "properties": "{'n': 1}"}
    assert await replayed(**said) is None
    (kept,) = await tracker.events("message_id, name, properties, received_at")
    assert kept[:3] == ("a", "Login", {"n": 1})
    assert kept[3] >= later
    assert await tracker.rows("SELECT state FROM quarantined_rows") == [("replayed",)]
