from collections.abc import AsyncIterator

import pytest

from tests.support.web import Client, web_client, web_settings


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[Client]:
    """A browser that has never been here, on an empty installation."""
    async with web_client(web_settings(database_url)) as opened:
        yield opened
