from collections.abc import AsyncIterator

import pytest

from models.database import Database
from tests.support.sample_rows import Sample, fill
from tests.support.web import Client, web_client, web_settings


@pytest.fixture
async def sample(database: Database) -> Sample:
    """A small company's database."""
    async with database.transaction() as session:
        return await fill(session)


@pytest.fixture
async def browser(database_url: str, sample: Sample) -> AsyncIterator[Client]:
    """A browser on the installation of the sample; nobody has signed in."""
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["accept"] = "text/html"
        yield opened
