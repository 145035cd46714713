import asyncio
import datetime as dt

import pytest

from domain.time import WallInstant
from models.clock import wall_now
from models.database import Database
from models.sign_in_links import LIFETIME
from models.users import create_sign_in_link, disable_user
from tests.support.web import Client, csrf_in, someone

pytestmark = pytest.mark.integration

PRIVATE = "/probe/signed-in"


async def link(database: Database, *, local_only: bool = True, age: dt.timedelta = dt.timedelta()) -> str:
    user = await someone(database)
    async with database.transaction() as session:
        made_at = WallInstant(wall_now() - age)
        return await create_sign_in_link(session, user.id, made_at, local_only=local_only)


async def test_a_link_signs_in_after_one_question(client: Client, database: Database) -> None:
    path = await link(database)
    page = await client.get(path)
    assert "This link signs you in as Csm" in page.text
    answer = await client.post(path, data={"_csrf_token": csrf_in(page)}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await client.get(PRIVATE)).status_code == 200


async def test_looking_at_a_link_does_not_use_it_up(client: Client, database: Database) -> None:
    path = await link(database)
    assert [(await client.get(path)).status_code for _ in range(3)] == [200, 200, 200]


async def test_a_link_works_once_even_for_two_at_the_same_time(client: Client, database: Database) -> None:
    path = await link(database)
    form = {"_csrf_token": csrf_in(await client.get(path))}
    both = [client.post(path, data=form, follow_redirects=False) for _ in range(4)]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*both))
    assert statuses == [303, 403, 403, 403]


async def test_a_link_needs_the_form_of_this_browser(client: Client, database: Database) -> None:
    assert (await client.post(await link(database))).status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_a_local_link_is_worth_nothing_through_a_proxy(
    client: Client, database: Database, header: str
) -> None:
    path = await link(database)
    assert (await client.get(path, headers={header: "127.0.0.1"})).status_code == 403


@pytest.mark.parametrize(
    ("address", "local_only", "status"),
    [
        ("203.0.113.9", True, 403),
        ("203.0.113.9", False, 200),
        ("127.0.0.1", True, 200),
        ("::1", True, 200),
        ("not an address", True, 403),
    ],
)
async def test_a_local_link_is_for_this_machine(
    client: Client, database: Database, address: str, local_only: object, status: int
) -> None:
    path = await link(database, local_only=bool(local_only))
    client.app.state.address = address
    answer = await client.get(path)
    assert answer.status_code == status


async def test_an_old_link_is_refused(client: Client, database: Database) -> None:
    path = await link(database, age=LIFETIME + dt.timedelta(minutes=1))
    assert (await client.get(path)).status_code == 403


async def test_a_disabled_user_has_no_link(client: Client, database: Database) -> None:
    path = await link(database)
    async with database.transaction() as session:
        await disable_user(session, "csm@example.com", wall_now())
    assert (await client.get(path)).status_code == 403
