"""A newcomer's afternoon: three accounts are connected to a running stack, read, and push what comes next."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from integrations.simulators.hubspot.account import HUBSPOT_TOKEN
from integrations.simulators.stripe.account import STRIPE_KEY
from integrations.simulators.zendesk.account import ZENDESK_TOKEN, ZENDESK_USER
from models.database import Database
from settings import Settings
from tests.support.aside import aside
from tests.support.stack import everstay
from tests.support.webhooks import SECRET, Sender, hubspot_events, json_body, stripe_event
from tests.workers.embedded.support import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TOKENS = {"hubspot": HUBSPOT_TOKEN, "zendesk": ZENDESK_TOKEN, "stripe": STRIPE_KEY}
MORE = {"zendesk": ("--user", ZENDESK_USER)}
CUSTOMERS = 12


def connect(settings: Settings, provider: str) -> None:
    words = ["connect", provider, "--token-env", "TOKEN", "--webhook-secret-env", "PUSHED", "--every", "1h"]
    words += [
        "--base-url",
        f"http://127.0.0.1:{settings.simulators_port}/{provider}",
        *MORE.get(provider, ()),
    ]
    said = everstay(settings, *words, TOKEN=TOKENS[provider], PUSHED=SECRET)
    assert f"Webhooks go to {settings.local_url}/webhooks/{provider}." in said
    assert TOKENS[provider] not in said


def at_once(act: Callable[[str], object], *providers: str) -> None:
    """Type several commands side by side: most of each is Python's start."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(act, providers))


def standing(settings: Settings) -> dict[str, Any]:
    return {one["id"]: one for one in json.loads(everstay(settings, "connections", "--json"))}


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    async def ask() -> list[tuple[Any, ...]]:
        database = Database(settings.database_url or "")
        try:
            async with database.transaction() as session:
                return [tuple(row) for row in await session.execute(text(query))]
        finally:
            await database.close()

    return aside(ask)


def passes(settings: Settings) -> Mapping[str, int]:
    """Whole passes so far: each ends with its last stream."""
    query = """SELECT source_id, count(*) FROM pull_runs
               WHERE state = 'done' AND stream IN ('notes', 'ratings', 'invoices') GROUP BY 1"""
    return dict(rows(settings, query))


def stored(settings: Settings) -> int:
    return int(rows(settings, "SELECT coalesce(sum(stored), 0) FROM pull_runs")[0][0])


def all_have_a_status(settings: Settings) -> bool:
    [(customers, without)] = rows(
        settings,
        "SELECT count(*), count(*) FILTER (WHERE health_status IS NULL) FROM customers "
        "WHERE source_id = 'hubspot'",
    )
    return bool(customers == CUSTOMERS and without == 0)


def post(settings: Settings, sender: Sender) -> int:
    answer = httpx.post(settings.local_url + sender.url, content=sender.body, headers=sender.headers())
    return answer.status_code


def pushed(settings: Settings) -> dict[str, tuple[str, int]]:
    told = json.loads(everstay(settings, "webhooks", "list", "--json"))
    return {one["source_id"]: (one["state"], one["stored"]) for one in told}


def test_connected_accounts_are_read_once_scored_and_heard(stack: Settings) -> None:
    connect(stack, "hubspot")
    wait_until(lambda: passes(stack).get("hubspot") == 1, "the customers are read")
    at_once(lambda provider: connect(stack, provider), "zendesk", "stripe")
    wait_until(lambda: len(passes(stack)) == len(TOKENS), "everything is read")
    wait_until(lambda: all_have_a_status(stack), "everybody has a status")
    assert rows(stack, "SELECT count(*) FROM quarantined_rows") == [(0,)]
    assert rows(stack, "SELECT count(DISTINCT customer_id) FROM tickets") == [(CUSTOMERS,)]
    assert rows(stack, "SELECT count(DISTINCT customer_id) FROM invoices") == [(CUSTOMERS,)]
    assert rows(stack, "SELECT count(*) FROM touchpoints WHERE effect_key IS NOT NULL") == [(0,)]
    assert {one["state"] for one in standing(stack).values()} == {"on"}

    before = stored(stack)
    at_once(lambda provider: everstay(stack, "connections", "pull-now", provider), *TOKENS)
    wait_until(lambda: passes(stack) == dict.fromkeys(TOKENS, 2), "everything is read again")
    assert stored(stack) == before

    # What providers push. HubSpot signs the address, so it must be the one that we call ourselves.
    invoice = json_body(stripe_event(customer="cus_0001", id="in_pushed"))
    company = rows(stack, "SELECT min(external_id) FROM customers WHERE source_id = 'hubspot'")[0][0]
    senders = [
        Sender("stripe", invoice),
        Sender("zendesk", json_body({"ticket_id": "101"})),
        Sender("hubspot", json_body(hubspot_events(int(company))), origin=stack.local_url),
    ]
    assert [post(stack, sender) for sender in senders] == [200, 200, 200]
    assert post(stack, Sender("stripe", invoice, secret="another")) == httpx.codes.UNAUTHORIZED
    wait_until(
        lambda: rows(stack, "SELECT DISTINCT state FROM webhook_deliveries") == [("processed",)],
        "all is read",
    )
    assert pushed(stack) == {
        "stripe": ("processed", 1),
        "zendesk": ("processed", 0),
        "hubspot": ("processed", 0),
    }
    assert rows(stack, "SELECT status FROM invoices WHERE external_id = 'in_pushed'") == [("open",)]
    asked = (
        "SELECT source_id, sum(read) FROM pull_runs WHERE stream = 'asked' GROUP BY 1 HAVING sum(read) > 0"
    )
    wait_until(
        lambda: dict(rows(stack, asked)) == {"hubspot": 1, "zendesk": 1}, "what was named is asked for"
    )
