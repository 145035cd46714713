"""Suppression lists from the simulator over HTTP into a real Postgres: pages, faults, repeats, lifting."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update

from domain.errors import ConflictError, NotFoundError
from domain.suppressions import SuppressionList
from domain.vocabulary import Purpose
from integrations import sendgrid_suppressions
from integrations.sendgrid_suppressions import SendGridSuppressions
from integrations.simulators.account import SIMULATOR_API_KEY
from integrations.simulators.server import SimulatorOptions
from models.clock import open_clock
from models.database import Database
from models.opt_outs import consents_of
from models.resources.suppressions import list_suppressions, load_pulls
from models.suppressions import lift
from models.tables.customers import ContactRow
from models.tables.mail import ProviderSuppressionRow, SuppressionPullRow
from tests.support.letters import suppression
from tests.support.sample_rows import NOW, Sample, fill
from tests.support.simulators import running_simulators
from tests.support.suppressed import GLOBAL, GROUP, KEY, bounce
from workers.suppression_keeper import import_suppressions

pytestmark = pytest.mark.integration
HANNA = "hanna@customer1.example"


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=3)


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running_simulators(SimulatorOptions(home=tmp_path, port=0)) as url,
        httpx.AsyncClient(base_url=url, headers=KEY, trust_env=False) as client,
    ):
        yield client


async def pull(database: Database, http: httpx.AsyncClient) -> dict[SuppressionList, int | str]:
    reader = SendGridSuppressions(SIMULATOR_API_KEY, str(http.base_url))
    return await import_suppressions(database, await open_clock(database), reader)


def hanna(sample: Sample) -> uuid.UUID:
    return sample.contacts[sample.customers[1]][0]


async def test_a_bounce_that_no_webhook_told_ends_mail_once_however_often_it_is_read(
    database: Database, sample: Sample, http: httpx.AsyncClient
) -> None:
    await bounce(http, HANNA, "nobody@elsewhere.example")
    first, second = await pull(database, http), await pull(database, http)
    assert (first[SuppressionList.BOUNCES], second[SuppressionList.BOUNCES]) == (2, 0)
    assert await suppression(database, hanna(sample)) == "bounces"
    async with database.transaction() as session:
        rows = {row["email"]: row["people"] for row in (await list_suppressions(session)).rows}
    assert rows == {HANNA: 1, "nobody@elsewhere.example": 0}


@pytest.mark.parametrize("path", [GLOBAL, GROUP])
async def test_who_left_at_the_provider_gets_nothing_optional_any_more(
    database: Database, sample: Sample, http: httpx.AsyncClient, path: str
) -> None:
    assert (await http.post(path, json={"recipient_emails": [HANNA.upper()]})).status_code == 201
    await pull(database, http)
    async with database.transaction() as session:
        assert await consents_of(session, hanna(sample)) == {
            Purpose.LIFECYCLE: False,
            Purpose.MARKETING: False,
        }
    assert await suppression(database, hanna(sample)) is None


async def test_a_list_of_several_pages_is_read_to_its_end(
    database: Database, sample: Sample, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sendgrid_suppressions, "PAGE", 2)
    await bounce(http, HANNA, *(f"b{number}@elsewhere.example" for number in range(4)))
    assert (await pull(database, http))[SuppressionList.BOUNCES] == 5
    assert await suppression(database, hanna(sample)) == "bounces"


@pytest.mark.parametrize("fault", ["rate_limit", "server_error", "unavailable", "forbidden", "unauthorized"])
async def test_a_list_that_cannot_be_read_says_so_holds_up_no_other_and_is_read_later(
    database: Database, sample: Sample, http: httpx.AsyncClient, fault: str
) -> None:
    await bounce(http, HANNA)
    await http.post(GLOBAL, json={"recipient_emails": [HANNA]})
    await http.put("/_control/faults", json={"fault": fault, "prefix": "list:bounces", "times": 1})
    first = await pull(database, http)
    assert "SendGrid" in str(first[SuppressionList.BOUNCES])
    assert first[SuppressionList.UNSUBSCRIBES] == 1
    async with database.transaction() as session:
        (problem,) = [row for row in await load_pulls(session) if row["problem"]]
    assert (problem["list"], problem["cursor"]) == (SuppressionList.BOUNCES, None)
    assert (await pull(database, http))[SuppressionList.BOUNCES] == 1
    async with database.transaction() as session:
        assert [row["problem"] for row in await load_pulls(session)] == [None] * len(SuppressionList)


async def test_a_pull_begins_where_the_last_whole_one_began(
    database: Database, sample: Sample, http: httpx.AsyncClient
) -> None:
    await bounce(http, HANNA)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    async with database.transaction() as session:
        row = SuppressionPullRow(
            provider="sendgrid", list=SuppressionList.BOUNCES, cursor=later, pulled_at=later, problem=None
        )
        session.add(row)
    assert (await pull(database, http))[SuppressionList.BOUNCES] == 0
    async with database.transaction() as session:
        cursor = select(SuppressionPullRow.cursor).where(SuppressionPullRow.list == SuppressionList.BOUNCES)
        assert await session.scalar(cursor) == later


async def one(database: Database) -> uuid.UUID:
    async with database.transaction() as session:
        return (await session.execute(select(ProviderSuppressionRow.id))).scalar_one()


async def test_a_lifted_address_stays_lifted_until_it_is_listed_anew(
    database: Database, sample: Sample, http: httpx.AsyncClient
) -> None:
    await bounce(http, HANNA)
    await pull(database, http)
    async with database.transaction() as session:
        await lift(session, await one(database), "she has a new mailbox", sample.users["jonas"], NOW)
    assert await suppression(database, hanna(sample)) is None
    await pull(database, http)
    assert await suppression(database, hanna(sample)) is None
    async with database.transaction() as session:
        earlier = ProviderSuppressionRow.listed_at - dt.timedelta(hours=1)
        await session.execute(update(ProviderSuppressionRow).values(listed_at=earlier))
    await pull(database, http)
    assert await suppression(database, hanna(sample)) == "bounces"


async def test_what_people_said_themselves_is_not_ours_to_lift(
    database: Database, sample: Sample, http: httpx.AsyncClient
) -> None:
    await http.post(GLOBAL, json={"recipient_emails": [HANNA]})
    await pull(database, http)
    async with database.transaction() as session:
        with pytest.raises(ConflictError, match="keeps no address"):
            await lift(session, await one(database), "we would like to", None, NOW)
        with pytest.raises(NotFoundError):
            await lift(session, uuid.uuid4(), "it is not there", None, NOW)


async def test_search_is_a_part_of_the_address_and_takes_no_pattern(
    database: Database, sample: Sample, http: httpx.AsyncClient
) -> None:
    await bounce(http, HANNA, "b_1@elsewhere.example")
    await pull(database, http)
    async with database.transaction() as session:
        assert len((await list_suppressions(session, search="HANNA")).rows) == 1
        assert [row["email"] for row in (await list_suppressions(session, search="_")).rows] == [
            "b_1@elsewhere.example"
        ]
        assert (await list_suppressions(session, [SuppressionList.BLOCKS])).rows == ()
        known = select(ContactRow.id).where(ContactRow.email == HANNA)
        assert await session.scalar(known) == hanna(sample)
