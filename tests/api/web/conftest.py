import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.postgres import create_database, drop_database
from tests.support.sample_rows import Sample
from tests.support.sample_template import TEMPLATE, make_template
from tests.support.web import Client, web_client, web_settings


@pytest.fixture(scope="package")
def sample(postgres_url: str, migrated_template: str) -> Iterator[Sample]:
    """What stands in each test's own copy of a small company's database."""
    yield make_template(postgres_url, migrated_template)
    drop_database(postgres_url, TEMPLATE)


@pytest.fixture
def database_url(postgres_url: str, sample: Sample) -> Iterator[str]:
    """A copy of this test alone."""
    name = f"test_{uuid.uuid4().hex}"
    yield create_database(postgres_url, name, TEMPLATE)
    drop_database(postgres_url, name)


@pytest.fixture
async def browser(database_url: str) -> AsyncIterator[Client]:
    """A browser on the installation of the sample; nobody has signed in."""
    async with web_client(web_settings(database_url)) as opened:
        opened.headers["accept"] = "text/html"
        yield opened
