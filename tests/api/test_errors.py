import logging

import pytest

from domain.vocabulary import Role
from models.database import Database
from tests.support.web import Client, sign_in, someone, web_client, web_settings

pytestmark = pytest.mark.integration

PAGE = {"accept": "text/html"}


async def test_programs_get_a_problem_with_an_id_to_ask_about(client: Client) -> None:
    answer = await client.get("/api/nothing", headers=PAGE)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["title"] == "Not Found"
    assert problem["instance"] == "/api/nothing"
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_people_get_a_page(client: Client) -> None:
    answer = await client.get("/nothing", headers=PAGE)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is nothing at this address." in answer.text


@pytest.mark.parametrize("path", ["/api/customers", "/sign-in", "/nothing", "/healthz"])
async def test_every_answer_carries_the_security_headers(client: Client, path: str) -> None:
    headers = (await client.get(path, headers=PAGE)).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


async def test_over_https_cookies_and_transport_are_locked(database_url: str) -> None:
    async with web_client(web_settings(database_url, public_url="https://everstay.example")) as client:
        answer = await client.get("/sign-in")
        assert "strict-transport-security" in answer.headers
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie


async def test_a_wrong_method_is_405(client: Client) -> None:
    answer = await client.delete("/api/customers")
    assert answer.status_code == 405
    assert answer.json()["status"] == 405


async def test_people_who_are_signed_out_are_sent_to_sign_in_and_back(client: Client) -> None:
    answer = await client.get("/probe/signed-in?tab=2&x=a b", headers=PAGE, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/probe/signed-in%3Ftab%3D2%26x%3Da%2520b"


async def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(client: Client) -> None:
    answer = await client.get("/probe/signed-in", headers={**PAGE, "hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_what_broke_is_in_the_log_and_not_in_the_answer(
    client: Client, database: Database, capsys: pytest.CaptureFixture[str], accept: str
) -> None:
    await someone(database, Role.VIEWER)
    await sign_in(client, "viewer@example.com")
    answer = await client.get("/probe/broken", headers={"accept": accept})
    assert answer.status_code == 500
    assert "the secret of the log" not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert "the secret of the log" in capsys.readouterr().out
    logging.getLogger().handlers.clear()


async def test_the_log_of_requests_holds_no_query_no_token_and_no_address(
    client: Client, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    await someone(database)
    await sign_in(client, "csm@example.com", "wrong-password")
    await client.get("/sign-in/link/very-secret-token?mail=ada@example.com")
    logged = capsys.readouterr().out
    assert "/sign-in/link/{token" in logged
    for secret in ("very-secret-token", "ada@example.com", "csm@example.com", "wrong-password"):
        assert secret not in logged


async def test_health_is_told_to_everyone_without_an_address(client: Client) -> None:
    answer = await client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["database"] == "ok"
    assert set(answer.json()) == {"healthy", "version", "database", "temporal"}


async def test_it_is_not_ready_without_temporal(database_url: str) -> None:
    async with web_client(web_settings(database_url, temporal_address="127.0.0.1:1")) as client:
        assert (await client.get("/healthz")).status_code == 200
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["temporal"]) == (503, "unreachable")


async def test_a_body_that_is_too_long_is_refused(client: Client) -> None:
    answer = await client.post("/sign-in", data={"password": "x" * 2_000_000})
    assert answer.status_code == 413


async def test_the_description_of_the_api_is_complete_and_says_how_to_get_in(client: Client) -> None:
    described = (await client.get("/openapi.json")).json()
    assert "/api/customers/{customer_id}/decisions" in described["paths"]
    assert described["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    missing = [
        f"{method} {path}"
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        if not operation.get("description")
    ]
    assert missing == []


async def test_the_reference_shows_every_operation(client: Client) -> None:
    described = (await client.get("/openapi.json")).json()
    page = (await client.get("/reference")).text
    assert [path for path in described["paths"] if f" {path}</code>" not in page] == []
