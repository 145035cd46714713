import asyncio
import datetime as dt

import pytest

from domain.time import WallInstant
from domain.vocabulary import Role
from models.clock import wall_now
from models.database import Database
from models.sessions import IDLE, session_user_id, start_session
from models.sign_in_attempts import PER_ACCOUNT
from models.users import disable_user, set_password_hash
from tests.support.probes import stored_text
from tests.support.web import PASSWORD, SESSION, Client, csrf_in, sign_in, someone

pytestmark = pytest.mark.integration

PRIVATE = "/probe/signed-in"


async def test_the_right_password_opens_a_session_and_goes_on_where_it_was_asked(
    client: Client, database: Database
) -> None:
    await someone(database)
    answer = await sign_in(client, "CSM@example.com", next="/inbox?owner=me")
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox?owner=me")
    assert (await client.get(PRIVATE)).status_code == 200


async def test_sign_in_never_leads_to_another_site(client: Client, database: Database) -> None:
    await someone(database)
    for place in ("https://evil.example", "//evil.example", "/\\evil.example", "/a\nb", "x"):
        assert (await sign_in(client, "csm@example.com", next=place)).headers["location"] == "/", place
        client.cookies.clear()


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    client: Client, database: Database
) -> None:
    await someone(database)
    cookies = (await sign_in(client, "csm@example.com")).headers.get_list("set-cookie")
    session = next(each for each in cookies if each.startswith(f"{SESSION}="))
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in session.split(";")}


@pytest.mark.parametrize(
    ("email", "password"),
    [
        pytest.param("csm@example.com", "wrong", id="wrong password"),
        pytest.param("nobody@example.com", PASSWORD, id="unknown account"),
        pytest.param("csm@example.com", "", id="empty password"),
    ],
)
async def test_a_failed_sign_in_says_the_same_whatever_was_wrong(
    client: Client, database: Database, email: str, password: str
) -> None:
    await someone(database)
    answer = await sign_in(client, email, password)
    assert answer.status_code == 401
    assert "The e-mail address or the password is wrong." in answer.text
    assert (await client.get(PRIVATE)).status_code == 401


async def test_a_disabled_user_with_the_right_password_is_told_the_same(
    client: Client, database: Database
) -> None:
    user = await someone(database)
    async with database.transaction() as session:
        await disable_user(session, user.email, wall_now())
    assert (await sign_in(client, user.email)).status_code == 401


async def test_after_too_many_attempts_not_even_the_right_password_helps(
    client: Client, database: Database
) -> None:
    await someone(database)
    for _ in range(PER_ACCOUNT):
        assert (await sign_in(client, "csm@example.com", "wrong")).status_code == 401
    locked = await sign_in(client, "csm@example.com")
    assert locked.status_code == 429
    assert "Too many attempts" in locked.text


async def test_parallel_guesses_do_not_slip_past_the_limit(client: Client, database: Database) -> None:
    await someone(database)
    token = csrf_in(await client.get("/sign-in"))
    form = {"email": "csm@example.com", "password": "wrong", "_csrf_token": token}
    guesses = [client.post("/sign-in", data=form) for _ in range(PER_ACCOUNT + 5)]
    statuses = [answer.status_code for answer in await asyncio.gather(*guesses)]
    assert statuses.count(401) <= PER_ACCOUNT
    assert set(statuses) == {401, 429}


async def test_a_lockout_of_one_account_leaves_the_others_alone(client: Client, database: Database) -> None:
    await someone(database)
    await someone(database, Role.MANAGER)
    for _ in range(PER_ACCOUNT + 1):
        await sign_in(client, "csm@example.com", "wrong")
    assert (await sign_in(client, "manager@example.com")).status_code == 303


async def test_success_starts_the_count_anew(client: Client, database: Database) -> None:
    await someone(database)
    for _ in range(3):
        for _ in range(PER_ACCOUNT - 1):
            await sign_in(client, "csm@example.com", "wrong")
        assert (await sign_in(client, "csm@example.com")).status_code == 303
        client.cookies.clear()


async def test_sign_in_without_the_form_token_is_refused(client: Client, database: Database) -> None:
    await someone(database)
    form = {"email": "csm@example.com", "password": PASSWORD}
    assert (await client.post("/sign-in", data=form)).status_code == 403


async def test_the_token_of_another_browser_is_refused(client: Client, database: Database) -> None:
    await someone(database)
    foreign = csrf_in(await client.get("/sign-in"))
    client.cookies.clear()
    await client.get("/sign-in")
    assert (await sign_in(client, "csm@example.com", _csrf_token=foreign)).status_code == 403


async def test_signing_out_ends_the_session_for_a_stolen_cookie_too(
    client: Client, database: Database
) -> None:
    await someone(database)
    await sign_in(client, "csm@example.com")
    stolen, token = client.cookies[SESSION], (await client.get("/probe/token")).text
    answer = await client.post("/sign-out", data={"_csrf_token": token}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    client.cookies.clear()
    assert (await client.get(PRIVATE, headers={"Cookie": f"{SESSION}={stolen}"})).status_code == 401


async def test_signing_out_needs_the_token(client: Client, database: Database) -> None:
    await someone(database)
    await sign_in(client, "csm@example.com")
    assert (await client.post("/sign-out")).status_code == 403
    assert (await client.get(PRIVATE)).status_code == 200


async def test_signing_in_again_changes_the_session_and_ends_the_old_one(
    client: Client, database: Database
) -> None:
    await someone(database)
    await sign_in(client, "csm@example.com")
    old, token = client.cookies[SESSION], (await client.get("/probe/token")).text
    form = {"email": "csm@example.com", "password": PASSWORD, "_csrf_token": token}
    await client.post("/sign-in", data=form, follow_redirects=False)
    assert client.cookies[SESSION] != old
    client.cookies.clear()
    assert (await client.get(PRIVATE, headers={"Cookie": f"{SESSION}={old}"})).status_code == 401


async def test_disabling_a_user_ends_their_session_at_once(client: Client, database: Database) -> None:
    user = await someone(database)
    await sign_in(client, user.email)
    async with database.transaction() as session:
        await disable_user(session, user.email, wall_now())
    assert (await client.get(PRIVATE)).status_code == 401


async def test_a_new_password_ends_the_sessions_of_the_old_one(client: Client, database: Database) -> None:
    user = await someone(database)
    await sign_in(client, user.email)
    async with database.transaction() as session:
        await set_password_hash(session, user.id, "another")
    assert (await client.get(PRIVATE)).status_code == 401


@pytest.mark.parametrize(
    ("visits", "alive"),
    [
        pytest.param([IDLE - dt.timedelta(minutes=1)], True, id="back before the idle limit"),
        pytest.param([IDLE + dt.timedelta(minutes=1)], False, id="back after it"),
        pytest.param([IDLE / 2, IDLE, IDLE * 1.4], True, id="visits keep it alive"),
        pytest.param([IDLE / 2 * n for n in range(1, 29)], False, id="but not past the absolute limit"),
    ],
)
async def test_sessions_end_when_idle_or_old(
    database: Database, visits: list[dt.timedelta], alive: object
) -> None:
    user, start = await someone(database), wall_now()
    async with database.transaction() as session:
        token = await start_session(session, user.id, start)
    seen = None
    for after in visits:
        async with database.transaction() as session:
            seen = await session_user_id(session, token, WallInstant(start + after))
    assert (seen == user.id) is alive


async def test_a_copy_of_the_database_opens_nothing(client: Client, database: Database) -> None:
    await someone(database)
    await sign_in(client, "csm@example.com")
    kept = await stored_text(database, "sessions", "users", "sign_in_links", "sign_in_attempts")
    assert client.cookies[SESSION] not in kept
    assert PASSWORD not in kept
    assert "$argon2id$" in kept
