"""One stack per home: an advisory lock that the kernel lets go of when its holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.embedded.errors import StackRunningError
from workers.embedded.runtime import run_folder


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the home for as long as the block runs; refuse if another process holds it."""
    path = run_folder(home) / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackRunningError(home=home, pid=file.read().strip() or "unknown") from None
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
