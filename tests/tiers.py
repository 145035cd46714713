"""A pytest plugin: every test belongs to one tier, and quick tiers run first.

On several cores (`-n`) the slow ones begin first instead, so that the last core is not left alone with them;
what starts a whole stack stays on one core, since two of them at once would fight for both, and tests that
share something costly stay together.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TIERS = ("unit", "integration", "cadence", "devserver", "replay", "e2e")
ON_DEMAND = ("benchmark", "proof")
STACKS = ("tests/e2e/", "tests/workers/embedded/")
TOGETHER = ("tests/workflows/test_kills.py", "tests/api/test_schema.py", "tests/clients/")
"""What is set up for several tests: once, not once per core."""


class Sharing(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    """Test by test to whichever core is free, except for what belongs on one core."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(STACKS):
            return "stacks"
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    """Share the tests out in our own order."""
    config.option.loadscopereorder = False
    return Sharing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as unit what names no tier, order by tier, and leave out what runs only when asked for by name."""
    for item in items:
        if not _tiers(item):
            item.add_marker("unit")
    on_several_cores = bool(config.getoption("numprocesses", None)) or hasattr(config, "workerinput")
    items.sort(key=lambda item: max(_rank(name) for name in _tiers(item)), reverse=on_several_cores)
    unasked = {name for name in ON_DEMAND if name not in config.option.markexpr}
    left_out = [item for item in items if unasked & set(_tiers(item))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _tiers(item: pytest.Item) -> list[str]:
    return [mark.name for mark in item.iter_markers() if mark.name in TIERS + ON_DEMAND]


def _rank(name: str) -> int:
    return (TIERS + ON_DEMAND).index(name)
