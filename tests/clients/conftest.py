import asyncio
import fcntl
import os
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from settings import PREFIX
from tests.house.repository import ROOT
from tests.support.postgres import create_database, drop_database, free_port
from tests.workers.embedded.support import wait_until

START_SECONDS = 120.0


@dataclass(frozen=True)
class Running:
    """An API in a process of its own, and its database."""

    url: str
    database_url: str

    def new_key(self) -> tuple[str, str]:
        """A write key, and the source that its messages belong to."""
        return asyncio.run(_new_key(self.database_url))

    def counted(self, source_id: str) -> tuple[int, int, int]:
        """Messages stored, different ones, and repeats."""
        with psycopg.connect(self.database_url) as connection:
            stored = connection.execute(
                "SELECT count(*), count(DISTINCT message_id) FROM tracked_events WHERE source_id = %s",
                [source_id],
            ).fetchone()
            repeats = connection.execute(
                "SELECT coalesce(sum(duplicates), 0)::int FROM source_days WHERE source_id = %s", [source_id]
            ).fetchone()
        assert stored is not None
        assert repeats is not None
        return stored[0], stored[1], repeats[0]


async def _new_key(url: str) -> tuple[str, str]:
    database = Database(url, pool_size=1)
    try:
        async with database.transaction() as session:
            secret, key = await create_key(session, KeyKind.WRITE, wall_now(), name="client")
    finally:
        await database.close()
    assert key.source_id is not None
    return secret, key.source_id


@pytest.fixture(scope="module")
def running(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    name = f"test_{uuid.uuid4().hex}"
    database_url, port = create_database(postgres_url, name, migrated_template), free_port()
    given = {
        "HOME": str(tmp_path_factory.mktemp("home")),
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
        "SECRET_KEY": "0" * 32,
        "API_PORT": str(port),
        "LOG_LEVEL": "warning",
    }
    environment = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    environment |= {PREFIX + key: value for key, value in given.items()}
    command = [sys.executable, "-m", "cli", "serve", "api"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: process.poll() is not None or _answers(url), "the API answers", START_SECONDS)
        assert process.poll() is None
        yield Running(url, database_url)
    finally:
        process.terminate()
        process.wait(30)
        drop_database(postgres_url, name)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="session")
def node_clients() -> Path:
    """The folder of the Node clients, installed on first use from the lock beside it."""
    folder = Path(__file__).parent / "node"
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".installed"
    with lock.open() as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)  # each core has a session of its own, and one installs for all
        if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
            command = [str(ROOT / "tools" / "with_node"), "npm", "ci", "--ignore-scripts", "--silent"]
            subprocess.run([*command, "--prefix", str(folder)], cwd=folder, check=True)
            installed.touch()
    return folder
