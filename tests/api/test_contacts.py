"""A person says which tracked user a contact is and where it belongs, and what was counted follows."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from domain.facts import Fact
from domain.permissions import Permission
from domain.time import WallInstant
from models.clock import open_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.facts_batch import StoreResult, fact_id
from models.keys import KeyKind, create_key
from tests.support.facts import CRM, WALL, connect, contact, customer, day
from tests.support.tracked import PRODUCT, message, track
from tests.support.web import Client, web_client, web_settings
from workers.tracking_stage import TrackingStage

pytestmark = pytest.mark.integration
ACME, GLOBEX = (str(fact_id(CRM, "customer", key)) for key in ("acme", "globex"))
ANN = str(fact_id(CRM, "contact", "ann"))
USER = {"source_id": PRODUCT, "key": "u9"}
USED = """
SELECT customers.external_id, contacts.external_id, count(*) FROM usage_events
JOIN customers ON customers.id = customer_id LEFT JOIN contacts ON contacts.id = contact_id
GROUP BY 1, 2 ORDER BY 1, 2
"""
HELD = "SELECT reason, count(*) FROM held_events GROUP BY 1 ORDER BY 1"
NAMED = "SELECT sum(events) FROM usage_contact_daily"
OPEN_ROLES = """
SELECT customers.external_id, role FROM contact_roles JOIN customers ON customers.id = customer_id
WHERE until IS NULL ORDER BY 1, 2
"""


async def tell(database: Database, *facts: Fact) -> StoreResult:
    async with database.transaction() as session:
        return await store_facts(session, CRM, facts, received_at=WALL)


@pytest.fixture
async def stage(database: Database) -> TrackingStage:
    """Ann at Acme, and an unknown user who acted once in Acme's group and once in none."""
    await connect(database)
    await connect(database, PRODUCT, provides=("usage",))
    await tell(database, customer(), customer("globex"), contact())
    stage = TrackingStage(database, await open_clock(database))
    received = WallInstant(wall_now())
    await track(database, message(user="u9", group="acme", at=day(3, 1)), received=received)
    await stage.run()
    async with database.transaction() as session:
        await session.execute(text("UPDATE tracked_traits SET group_key = NULL WHERE kind = 'user'"))
    await track(database, message(user="u9", at=day(3, 2)), received=WallInstant(wall_now()))
    await stage.run()
    return stage


@pytest.fixture
async def client(stage: TrackingStage, database: Database, database_url: str) -> AsyncIterator[Client]:
    """A program that may read and mend."""
    assert stage is not None
    wanted = (Permission.READ_IMPORTS, Permission.MEND_ROWS)
    async with database.transaction() as session:
        secret, _ = await create_key(session, KeyKind.API, wall_now(), scopes=wanted)
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        yield opened


async def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.transaction() as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def post(client: Client, act: str, **told: str) -> dict[str, Any]:
    answer = await client.post(f"/api/contacts/{ANN}/{act}", json=told)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_a_linked_users_events_get_the_name_and_an_unlinked_ones_wait_again(
    client: Client, database: Database, stage: TrackingStage
) -> None:
    assert await rows(database, HELD) == [("no_group", 1), ("unknown_user", 1)]
    shown = await post(client, "identities", **USER)
    assert [(one["key"], one["until"]) for one in shown["identities"]] == [("u9", None)]
    await stage.run()
    assert (await rows(database, USED), await rows(database, HELD)) == ([("acme", "ann", 2)], [])
    assert await rows(database, NAMED) == [(2,)]
    shown = await post(client, "identities/unlink", **USER)
    assert shown["identities"][0]["until"] is not None
    for _ in range(2):
        assert await rows(database, USED) == [("acme", None, 1)]
        assert await rows(database, HELD) == [("no_group", 1), ("unknown_user", 1)]
        assert await rows(database, NAMED) == [(None,)]
        await stage.run()
    await post(client, "identities", **USER)
    await stage.run()
    assert (await rows(database, USED), await rows(database, NAMED)) == ([("acme", "ann", 2)], [(2,)])


async def test_a_user_moves_from_one_contact_to_another(
    client: Client, database: Database, stage: TrackingStage
) -> None:
    await tell(database, contact("bob"))
    await post(client, "identities", **USER)
    await stage.run()
    bob = fact_id(CRM, "contact", "bob")
    assert (await client.post(f"/api/contacts/{bob}/identities", json=USER)).status_code == 200
    await stage.run()
    assert await rows(database, USED) == [("acme", "bob", 2)]
    assert (await client.post(f"/api/contacts/{ANN}/identities/unlink", json=USER)).status_code == 409


async def test_a_second_membership_makes_group_less_events_ambiguous_and_its_end_settles_them(
    client: Client, database: Database, stage: TrackingStage
) -> None:
    await post(client, "identities", **USER)
    await stage.run()
    shown = await post(
        client, "memberships", customer_id=GLOBEX, role="champion", since="2026-02-01T00:00:00Z"
    )
    assert [one["customer"] for one in shown["memberships"]] == ["Globex", "Acme"]
    await track(database, message(user="u9", at=day(3, 3)), received=WallInstant(wall_now()))
    await stage.run()
    assert (await rows(database, USED), await rows(database, HELD)) == (
        [("acme", "ann", 2)],
        [("ambiguous_group", 1)],
    )
    await post(client, "memberships/end", customer_id=ACME, until="2026-03-02T00:00:00Z")
    await stage.run()
    assert (await rows(database, USED), await rows(database, HELD)) == (
        [("acme", "ann", 1), ("globex", "ann", 2)],
        [],
    )
    windows = (
        "SELECT external_id, sum(quantity) FROM usage_daily JOIN customers ON id = customer_id GROUP BY 1"
    )
    assert sorted(await rows(database, windows)) == [("acme", 1), ("globex", 2)]


async def test_what_a_person_said_of_a_role_is_not_undone_by_a_source(
    client: Client, database: Database
) -> None:
    await post(client, "memberships", customer_id=ACME, role="champion")
    await post(client, "memberships/end", customer_id=ACME, role="end_user")
    assert await rows(database, OPEN_ROLES) == [("acme", "champion")]
    assert (await tell(database, contact())).duplicates == 1
    await tell(database, contact(roles=("end_user", "admin"), known_at=day(3, 10)))
    assert await rows(database, OPEN_ROLES) == [("acme", "admin"), ("acme", "champion")]


async def test_what_does_not_fit_is_refused_with_a_reason(client: Client) -> None:
    nobody = str(fact_id(CRM, "customer", "nobody"))
    for act, told, status in (
        ("identities", USER | {"key": "?"}, 404),
        ("identities/unlink", USER, 409),
        ("memberships", {"customer_id": nobody}, 404),
        ("memberships", {"customer_id": ACME, "since": "2999-01-01T00:00:00Z"}, 422),
        ("memberships/end", {"customer_id": GLOBEX}, 409),
        ("memberships", {"customer_id": ACME, "since": "0001-01-01T00:00:00+14:00"}, 400),
        ("memberships", {}, 400),
    ):
        answer = await client.post(f"/api/contacts/{ANN}/{act}", json=told)
        assert answer.status_code == status, (act, answer.text)
    assert (await client.get(f"/api/contacts/{nobody}")).status_code == 404
