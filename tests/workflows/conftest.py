"""The decision loop on a time-skipping server, with one customer in it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from models.database import Database
from tests.support.devserver import DevServer, running_dev_server
from tests.support.loop import Loop, running_loop
from tests.support.scenario import Scenario


@pytest.fixture
async def loop(database: Database) -> AsyncIterator[Loop]:
    """The loop with the shipped playbooks released, on a Monday at eight."""
    async with running_loop(database) as started:
        yield started


@pytest.fixture
async def scene(loop: Loop) -> Scenario:
    """A managed customer with a champion, a CSM and a manager, known to its workflow."""
    return await begin(loop)


async def begin(loop: Loop, **values: object) -> Scenario:
    """Let a customer come into being, and its workflow decide for the first time."""
    started = await Scenario(loop.database, loop.clock.now()).begin(**values)  # type: ignore[arg-type]  # values are the test's
    await loop.ring()
    await loop.decided(started.customer_id)
    return started


@pytest.fixture(scope="session")
def temporal_server() -> Iterator[DevServer]:
    """One dev server for the whole run; each test takes a namespace of its own."""
    with running_dev_server() as server:
        yield server
