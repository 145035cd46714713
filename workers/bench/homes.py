"""A home of its own for each benchmark, gone afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settings import Settings
from workers.embedded.ports import free_ports, port_fields


@contextmanager
def bench_home(settings: Settings) -> Iterator[Settings]:
    """Yield the settings with an empty temporary home and embedded services."""
    folder = Path(tempfile.mkdtemp(prefix="everstay-bench-"))
    folder.chmod(0o711)  # the embedded Postgres is another user when we are root
    try:
        alone = settings.model_copy(
            update={"home": folder / "home", "database_url": None, "temporal_address": None}
        )
        fields = port_fields(alone)  # ports of its own, too: two benchmarks may begin in the same instant
        yield alone.model_copy(update=dict(zip(fields, free_ports(len(fields)), strict=True)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
