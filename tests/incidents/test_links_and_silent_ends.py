"""What programs do to links in mail, and runs that end without a word: neither passes unnoticed."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from domain.links import LinkMaker
from domain.monitoring import Trouble, late_since
from domain.vocabulary import InterventionState, Purpose
from models.clock import wall_now
from models.database import Database
from models.monitor import load_monitor
from models.opt_outs import consents_of, record_consent
from models.tables.playbooks import InterventionRow
from tests.support.sample_rows import NOW, Sample, fill
from tests.support.web import SIGNING_KEY, Client, web_client, web_settings

pytestmark = pytest.mark.integration
LINKS = LinkMaker("", SIGNING_KEY)


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=3)


@pytest.fixture
async def client(sample: Sample, database_url: str) -> AsyncIterator[Client]:
    async with web_client(web_settings(database_url)) as opened:
        yield opened


@pytest.mark.parametrize("method", ["HEAD", "GET", "OPTIONS"])
async def test_a_scanner_that_asks_for_a_link_opts_nobody_out(
    client: Client, database: Database, sample: Sample, method: str
) -> None:
    person = sample.contacts[sample.customers[1]][0]

    async def consents() -> dict[Purpose, bool]:
        async with database.transaction() as session:
            return await consents_of(session, person)

    async with database.transaction() as session:
        wished = [(Purpose.LIFECYCLE, True), (Purpose.MARKETING, True)]
        await record_consent(session, person, wished, "link", NOW, NOW, wall_now())
    before = await consents()
    for link in (LINKS.unsubscribe(person), LINKS.preferences(person)):
        await client.request(method, link)
    assert await consents() == before
    assert all(before.values())


async def test_a_run_that_ended_without_an_outcome_is_found_at_the_next_look(
    database: Database, sample: Sample
) -> None:
    async def found() -> set[str]:
        async with database.transaction() as session:
            monitor = await load_monitor(session, late_since(NOW, 1.0), wall_now())
        return {one.key for one in monitor.findings if one.trouble is Trouble.NO_OUTCOME}

    assert await found() == set()
    async with database.transaction() as session:
        run = InterventionRow
        silent = update(run).values(state=InterventionState.ENDED, ended_at=NOW, outcome=None)
        ended = (await session.execute(silent.returning(run.id))).all()
    assert {f"no_outcome:{one.id}" for one in ended} == await found() != set()
