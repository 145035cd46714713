"""The decision loop on a time-skipping server, with one customer in it."""

from collections.abc import AsyncIterator

import pytest

from models.database import Database
from tests.support.loop import Loop, running_loop
from tests.support.scenario import Scenario
from tests.workflows.conftest import begin


@pytest.fixture
async def loop(database: Database) -> AsyncIterator[Loop]:
    """The loop with the shipped playbooks released, on a Monday at eight."""
    async with running_loop(database) as started:
        yield started


@pytest.fixture
async def scene(loop: Loop) -> Scenario:
    """A managed customer with a champion, a CSM and a manager, known to its workflow."""
    return await begin(loop)
