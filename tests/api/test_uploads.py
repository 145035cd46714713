import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from domain.vocabulary import Role
from models.database import Database
from models.tables.customers import CustomerRow
from models.tables.facts import UsageDailyRow
from models.uploads import DONE, UNDONE, Upload, load_upload
from tests.support.uploads import CUSTOMERS, USAGE, import_waiting, take_back
from tests.support.web import Client, csrf_in, sign_in, someone, web_client, web_settings

pytestmark = pytest.mark.integration


@pytest.fixture
async def manager(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    await someone(database, Role.ADMIN)
    async with web_client(web_settings(database_url, upload_folder=tmp_path / "uploads")) as client:
        await sign_in(client, "admin@example.com")
        yield client


async def drop(client: Client, name: str, content: str | bytes) -> str:
    """Drop a file as a browser does; return the address of its page, or the page that says what is wrong."""
    token = csrf_in(await client.get("/data/uploads"))
    body = content.encode() if isinstance(content, str) else content
    answer = await client.post(
        "/data/uploads",
        data={"_csrf_token": token},
        files={"file": (name, body, "text/csv")},
        follow_redirects=False,
    )
    return answer.headers["location"] if answer.status_code == 303 else answer.text


async def choose_as_suggested(client: Client, place: str) -> str:
    """Send the columns' form as it stands, wait for the check, and return the page."""
    page = await client.get(place + "?edit=1")
    form = {"_csrf_token": csrf_in(page)}
    form |= dict(
        re.findall(
            r'<input (?:type="hidden" |class="[^"]*" )?name="(kind|currency|time_zone)" value="([^"]*)"',
            page.text,
        )
    )
    form["kind"] = re.findall(r'<input type="hidden" name="kind" value="([^"]*)"', page.text)[0]
    for name, options in re.findall(
        r'<select class="select" name="(f(?:ield|orm)-\d+)"[^>]*>(.*?)</select>', page.text
    ):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        form[name] = chosen[1] if chosen else ""
    answer = await client.post(place + "/columns", data=form, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    deadline = time.monotonic() + 60
    while "the whole file" not in (text := (await client.get(place)).text) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    return text


async def press(client: Client, place: str, act: str, **fields: str) -> str:
    token = csrf_in(await client.get(place))
    return (await client.post(f"{place}/{act}", data={"_csrf_token": token, **fields})).text


async def upload_at(database: Database, place: str) -> Upload:
    async with database.transaction() as session:
        return await load_upload(session, uuid.UUID(place.rsplit("/", 1)[1]))


async def import_file(client: Client, database: Database, name: str, content: str) -> str:
    place = await drop(client, name, content)
    await choose_as_suggested(client, place)
    await press(client, place, "import")
    await import_waiting(database)
    return place


async def count(database: Database, row: type[object]) -> int:
    async with database.transaction() as session:
        return await session.scalar(select(func.count()).select_from(row)) or 0


async def test_a_dropped_list_of_customers_is_understood_checked_imported_and_taken_back(
    manager: Client, database: Database
) -> None:
    place = await drop(manager, "customers.csv", CUSTOMERS)
    columns = (await manager.get(place)).text
    assert "we think: customers, sure" in columns
    assert "“" not in columns.split("What a row is")[0]
    checked = await choose_as_suggested(manager, place)
    assert "every row is understood" in checked
    assert "Northwind Traders" in checked
    assert "$12,000" in checked
    assert "3 new" in checked
    await press(manager, place, "import")
    assert await import_waiting(database) == 1
    assert (await upload_at(database, place)).state == DONE
    done = (await manager.get(place)).text
    assert "Imported" in done
    async with database.transaction() as session:
        rows = dict((await session.execute(select(CustomerRow.name, CustomerRow.arr_minor))).all())
    assert rows == {"Northwind Traders": 1_200_050, "Fabrikam": 360_000, "Contoso": 9_800_000}
    await press(manager, place, "undo")
    upload = await take_back(database, (await upload_at(database, place)).id)
    assert upload.state == UNDONE
    assert upload.undo is not None
    assert upload.undo["customers_gone"] == 3
    assert await count(database, CustomerRow) == 0
    assert "gone again" in (await manager.get(place)).text


async def test_usage_finds_its_customers_by_id_domain_and_name_and_shows_what_it_cannot_take(
    manager: Client, database: Database
) -> None:
    await import_file(manager, database, "customers.csv", CUSTOMERS)
    place = await drop(manager, "usage.csv", USAGE)
    checked = await choose_as_suggested(manager, place)
    assert "by id" in checked
    assert "by domain" in checked
    assert "no customer is known by this" in checked
    await press(manager, place, "import")
    await import_waiting(database)
    assert await count(database, CustomerRow) == 3
    assert await count(database, UsageDailyRow) == 3
    quarantine = (await manager.get("/quarantine")).text
    assert "usage.csv" in quarantine
    await press(manager, place, "undo")
    await take_back(database, (await upload_at(database, place)).id)
    assert await count(database, UsageDailyRow) == 0
    assert await count(database, CustomerRow) == 3
