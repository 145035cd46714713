"""The dunning policy, as the API has it."""

from collections.abc import AsyncIterator

import pytest

from domain.dunning_policy import DunningPolicy
from domain.permissions import Permission
from models.clock import wall_now
from models.database import Database
from models.dunning_policies import load_dunning_policy
from models.keys import KeyKind, create_key
from tests.support.web import Client, web_client, web_settings

pytestmark = pytest.mark.integration
PATH = "/api/policies/dunning"


@pytest.fixture
async def client(database: Database, database_url: str) -> AsyncIterator[Client]:
    """A program with a key for everything."""
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=[*Permission])
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


async def policy_of(database: Database) -> DunningPolicy:
    async with database.transaction() as session:
        return await load_dunning_policy(session)


async def test_the_policy_comes_back_as_it_was_put(client: Client, database: Database) -> None:
    policy = (await client.get(PATH)).json()
    assert (policy["retries"]["attempts"], policy["final_action"]) == (8, "keep")
    policy |= {"grace_days": 3, "final_action": "pause", "escalate_from": {"EUR": 500_000}}
    policy["retries"] |= {"hours": {"weekdays": ["mon"], "from": "08:00", "to": "10:00"}}
    put = await client.put(PATH, json=policy)
    assert put.status_code == 200, put.text
    assert put.json() == (await client.get(PATH)).json()
    stored = await policy_of(database)
    assert (stored.grace_days, stored.escalate_from) == (3, {"EUR": 500_000})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"grace_days": -1}, "grace_days"),
        ({"final_action": "sue"}, "final_action"),
        ({"retries": {"attempts": 99}}, "attempts"),
        ({"retries": {"hours": {"from": "late"}}}, "from"),
        ({"notices": {"gentle_below": 0.9}}, "gentle_below"),
        ({"escalate_from": {"dollars": 1}}, "escalate_from"),
        ({"escalate_from": {"USD": 1}, "write_off_below": {"USD": 2}}, "escalate_from"),
        ({"harassment": True}, "harassment"),
    ],
)
async def test_a_bad_value_is_named_and_changes_nothing(
    client: Client, database: Database, change: dict[str, object], named: str
) -> None:
    policy = (await client.get(PATH)).json()
    answer = await client.put(PATH, json=policy | change)
    assert answer.status_code == 400, answer.text
    assert named in answer.text
    assert await policy_of(database) == DunningPolicy()
