from collections.abc import Iterator

import pytest

from settings import Settings
from tests.support.stack import running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Settings]:
    """One stack for all tests of whole stacks: to start it costs half a minute."""
    with running_stack() as settings:
        yield settings
