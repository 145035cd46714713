"""The win-back policy and the costs of offers, as the API has them."""

from collections.abc import AsyncIterator

import pytest

from domain.permissions import Permission
from domain.win_back_policy import WinBackPolicy
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from models.win_back_policy import load_win_back_policy
from tests.support.web import Client, web_client, web_settings

pytestmark = pytest.mark.integration
PATH = "/api/policies/win-back"


@pytest.fixture
async def client(database: Database, database_url: str) -> AsyncIterator[Client]:
    """A program with a key for everything."""
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=[*Permission])
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


async def policy_of(database: Database) -> WinBackPolicy:
    async with database.transaction() as session:
        return await load_win_back_policy(session)


async def test_the_policy_comes_back_as_it_was_put(client: Client, database: Database) -> None:
    policy = (await client.get(PATH)).json()
    assert policy["days"] == [1, 7, 21, 45, 75]
    assert policy["causes"] == ["involuntary"]
    policy |= {"causes": ["voluntary", "involuntary"], "days": [3, 10]}
    policy["offers"] |= {"margin_floor": 0.6}
    put = await client.put(PATH, json=policy)
    assert put.status_code == 200, put.text
    assert put.json() == (await client.get(PATH)).json() == policy
    stored = await policy_of(database)
    assert (stored.days, stored.offers.margin_floor) == ((3, 10), 0.6)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"days": [7, 1]}, "days"),
        ({"days": []}, "days"),
        ({"holdout_share": 0.9}, "holdout_share"),
        ({"offers": {"gross_margin": 0.4, "margin_floor": 0.5}}, "margin_floor"),
        ({"offers": {"ladder": [{"percent": 120, "months": 3}]}}, "percent"),
        ({"cadence": "weekly"}, "cadence"),
    ],
)
async def test_a_bad_value_is_named_and_changes_nothing(
    client: Client, database: Database, change: dict[str, object], named: str
) -> None:
    policy = (await client.get(PATH)).json()
    answer = await client.put(PATH, json=policy | change)
    assert answer.status_code == 400, answer.text
    assert named in answer.text
    assert await policy_of(database) == WinBackPolicy()


async def test_before_the_first_offer_there_are_no_totals(client: Client) -> None:
    answer = await client.get("/api/offers/totals")
    assert (answer.status_code, answer.json()) == (200, [])
