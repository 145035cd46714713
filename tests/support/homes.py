"""Homes of embedded stacks that tests start."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary_home() -> Iterator[Path]:
    """Yield a home that is gone afterwards.

    Not pytest's `tmp_path`: every start of pytest closes the folder above it to other users, and under root
    the embedded Postgres, which is another user, must pass through.
    """
    folder = Path(tempfile.mkdtemp(prefix="everstay-home-"))
    folder.chmod(0o711)
    try:
        yield folder / "home"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
