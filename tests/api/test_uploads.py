import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.upload_checks import UploadChecks
from api.uploads import UploadDesk
from domain.time import BusinessInstant
from domain.vocabulary import Role
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from models.tables.customers import ContactRow, CustomerRow
from models.tables.facts import UsageDailyRow
from models.uploads import DONE, UNDONE, Upload, change_upload, load_upload
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
    while "the whole file" not in (text := (await client.get(place)).text):
        assert time.monotonic() < deadline, text
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


async def test_a_check_that_ends_while_its_page_is_made_is_not_said_to_have_stopped(
    manager: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, read, checks = UploadDesk.load, UploadChecks._read, manager.app.state.upload_checks
    place = await drop(manager, "customers.csv", CUSTOMERS)
    page_is_made: list[uuid.UUID] = []
    await choose_as_suggested(manager, place)
    async with database.transaction() as session:
        await change_upload(session, uuid.UUID(place.rsplit("/", 1)[1]), checked=None)

    async def read_once_the_page_is_made(self: UploadChecks, upload: Upload, now: BusinessInstant) -> None:
        while not page_is_made:  # noqa: ASYNC110  the two share no event loop
            await asyncio.sleep(0.01)
        await read(self, upload, now)

    async def load_and_let_the_check_end(self: UploadDesk, wanted: uuid.UUID) -> Upload:
        upload = await load(self, wanted)
        while checks.is_under_way(wanted):
            page_is_made.append(wanted)
            await asyncio.sleep(0.01)
        return upload

    monkeypatch.setattr(UploadChecks, "_read", read_once_the_page_is_made)
    monkeypatch.setattr(UploadDesk, "load", load_and_let_the_check_end)
    page = await press(manager, place, "check")
    assert page_is_made
    assert 'http-equiv="refresh"' in page
    assert "the whole file" in (await manager.get(place)).text


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


PEOPLE = "contact id,company,name,email,role\n1,A-1,Ann Able,ann@northwind.example,champion\n"
MORE_PEOPLE = PEOPLE + "2,A-1,Bea Best,bea@northwind.example,champion\n"


async def test_people_whom_another_source_told_of_stay_one(manager: Client, database: Database) -> None:
    await import_file(manager, database, "customers.csv", CUSTOMERS)
    await import_file(manager, database, "people.csv", PEOPLE)
    place = await import_file(manager, database, "people again.csv", MORE_PEOPLE.replace("ann@", "Ann@"))
    assert await names_of_people(database) == ["Ann Able", "Bea Best"]
    upload = await upload_at(database, place)
    await press(manager, place, "undo")
    await take_back(database, upload.id)
    assert await names_of_people(database) == ["Ann Able"]


async def names_of_people(database: Database) -> list[str]:
    async with database.transaction() as session:
        return sorted(await session.scalars(select(ContactRow.name)))


CHANGED = "id,company,plan,arr\nB-9,Fabrikam,Enterprise,7200\n"


async def test_a_known_customer_is_updated_and_gets_its_old_values_back_with_the_undo(
    manager: Client, database: Database
) -> None:
    await import_file(manager, database, "customers.csv", CUSTOMERS)
    place = await drop(manager, "customers again.csv", CHANGED)
    checked = await choose_as_suggested(manager, place)
    assert "by name" in checked
    assert "0 new" in checked
    await press(manager, place, "import")
    await import_waiting(database)
    assert await fabrikam(database) == [("Enterprise", 720_000)]
    await press(manager, place, "undo")
    undone = await take_back(database, (await upload_at(database, place)).id)
    assert await fabrikam(database) == [("Basic", 360_000)]
    assert undone.undo is not None
    assert undone.undo["deleted"] == {"edits": 1}


async def fabrikam(database: Database) -> list[tuple[str | None, int]]:
    async with database.transaction() as session:
        query = select(CustomerRow.plan, CustomerRow.arr_minor).where(CustomerRow.name == "Fabrikam")
        return [(plan, arr) for plan, arr in await session.execute(query)]


async def test_customers_that_another_upload_speaks_of_stay_and_the_page_says_why(
    manager: Client, database: Database
) -> None:
    place = await import_file(manager, database, "customers.csv", CUSTOMERS)
    await import_file(manager, database, "usage.csv", USAGE)
    await press(manager, place, "undo")
    undone = await take_back(database, (await upload_at(database, place)).id)
    assert undone.undo is not None
    assert (undone.undo["customers_gone"], undone.undo["customers_stay"]) == (1, 2)
    page = (await manager.get(place)).text
    assert "What stays, and why" in page
    assert "a key of another source, usage told by others" in page


async def test_the_same_file_twice_is_refused_unless_asked_again(manager: Client, database: Database) -> None:
    await import_file(manager, database, "customers.csv", CUSTOMERS)
    place = await drop(manager, "copy.csv", CUSTOMERS)
    assert "The same file was imported already" in await choose_as_suggested(manager, place)
    assert "counted twice" in await press(manager, place, "import")
    assert (await upload_at(database, place)).state == "previewed"


async def test_saved_columns_are_used_for_the_next_file_like_it(manager: Client, database: Database) -> None:
    place = await drop(manager, "a.csv", CHANGED)
    await choose_as_suggested(manager, place)
    assert "Saved as" in await press(manager, place, "save", name="Our CRM")
    again = await drop(manager, "b.csv", CHANGED.replace("7200", "9000"))
    assert "mapped as last time: Our CRM" in (await manager.get(again)).text
    yaml = (await manager.get(place + "/mapping.yaml")).text
    assert yaml.startswith("source:")
    assert "scale: 100" in yaml
    assert (await upload_at(database, again)).choices == (await upload_at(database, place)).choices


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02\x03" * 500, "no text"),
        (b"1,2\n3,4\n", "has no header"),
        (b"id,id\n1,2\n", "names a column twice"),
        (b"PK\x03\x04 sheet", "save the sheet as CSV"),
    ],
)
async def test_what_cannot_be_read_is_said_where_it_was_dropped(
    manager: Client, content: bytes, said: str
) -> None:
    page = await drop(manager, "file.csv", content)
    assert said in page
    assert 'role="alert"' in page


async def test_a_file_over_the_limit_is_refused(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await someone(database, Role.ADMIN)
    async with web_client(web_settings(database_url, upload_folder=tmp_path, upload_megabytes=1)) as client:
        await sign_in(client, "admin@example.com")
        page = await drop(client, "large.csv", b"id,name\n" + b"A-1,Acme\n" * 150_000)
    assert "is larger than 1 MB" in page
    assert files_in(tmp_path) == []


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_a_row_in_quarantine_is_mended_on_the_page(manager: Client, database: Database) -> None:
    await import_file(manager, database, "customers.csv", CUSTOMERS)
    await import_file(manager, database, "usage.csv", USAGE)
    page = await manager.get("/quarantine")
    rows = re.findall(r'action="/quarantine/([0-9a-f-]{36})/replay"', page.text)
    assert len(rows) == 2
    form = {"_csrf_token": csrf_in(page), "cell-count": "5", "cell-company": "A-3"}
    for row in rows:
        answer = await manager.post(f"/quarantine/{row}/replay", data=form)
        assert "is stored now" in answer.text
    assert "Nothing waits" in (await manager.get("/quarantine")).text


async def test_rows_of_a_reason_are_replayed_together_once_the_world_is_mended(
    manager: Client, database: Database
) -> None:
    place = await drop(manager, "usage.csv", USAGE)
    await choose_as_suggested(manager, place)
    await press(manager, place, "import")
    await import_waiting(database)
    await import_file(manager, database, "customers.csv", CUSTOMERS)
    token = csrf_in(await manager.get("/quarantine"))
    answer = await manager.post("/quarantine/replay", data={"_csrf_token": token, "kind": "unresolved"})
    assert "3 stored, 1 still wrong." in answer.text
    answer = await manager.post("/quarantine/dismiss", data={"_csrf_token": token, "kind": "unresolved"})
    assert "1 dismissed." in answer.text


async def test_the_api_takes_a_file_the_same_way(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with database.transaction() as session:
        scopes = ["imports:write", "imports:read"]
        key, _ = await create_key(session, KeyKind.API, wall_now(), scopes=scopes)
    async with web_client(web_settings(database_url, upload_folder=tmp_path)) as client:
        client.headers["authorization"] = f"Bearer {key}"
        sent = await client.post("/api/uploads", files={"file": ("customers.csv", CUSTOMERS.encode())})
        assert sent.status_code == 201
        upload = sent.json()
        address = f"/api/uploads/{upload['id']}"
        chosen = await client.put(f"{address}/mapping", json=upload["choices"])
        assert chosen.status_code == 200, chosen.text
        assert (await client.get(f"{address}/mapping")).text.startswith("source:")
        started = await client.post(f"{address}/import", json={})
        assert (started.status_code, started.json()["state"]) == (202, "importing")
        assert (await client.post(f"{address}/import", json={})).status_code == 409
        await import_waiting(database)
        assert (await client.get(address)).json()["state"] == "done"
        sources = (await client.get("/api/sources")).json()["items"]
        assert [(one["state"], one["days"][-1]["stored"]) for one in sources] == [("complete", 3)]
        assert (await client.post(f"{address}/undo")).status_code == 202
        await take_back(database, uuid.UUID(upload["id"]))
        assert (await client.get(address)).json()["undo"]["customers_gone"] == 3
