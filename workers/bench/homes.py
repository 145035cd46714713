"""A home of its own for each benchmark, gone afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settings import Settings


@contextmanager
def bench_home(settings: Settings) -> Iterator[Settings]:
    """Yield the settings with an empty temporary home and embedded services."""
    folder = Path(tempfile.mkdtemp(prefix="everstay-bench-"))
    folder.chmod(0o711)  # the embedded Postgres is another user when we are root
    try:
        changes = {"home": folder / "home", "database_url": None, "temporal_address": None}
        yield settings.model_copy(update=changes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
