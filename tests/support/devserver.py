"""The Temporal dev server as a child of the test run: one server, one namespace per test."""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.support.binaries import dev_server
from tests.support.postgres import free_port
from workers.embedded.temporal import SEARCH_ATTRIBUTES

NAMESPACES = 24
SOON = 40
"""Events after which this server suggests to continue as new; a real one waits for thousands."""


@dataclass
class DevServer:
    """Where the server listens, and the namespaces that no test has had yet."""

    address: str
    unused: list[str] = field(default_factory=lambda: [f"test-{number}" for number in range(NAMESPACES)])

    async def client(self) -> Client:
        """Return a client of a namespace of its own, with our search attributes."""
        namespace = self.unused.pop(0)
        return await Client.connect(self.address, namespace=namespace, data_converter=pydantic_data_converter)


@contextmanager
def running_dev_server(port: int | None = None, database: str | None = None) -> Iterator[DevServer]:
    """Run a server; with a `database` file and a fixed port it can be stopped and started again."""
    chosen = port or free_port()
    server = DevServer(f"127.0.0.1:{chosen}")
    command = [dev_server(), "server", "start-dev", "--headless", "--port", str(chosen)]
    command += [
        "--log-level",
        "never",
        "--dynamic-config-value",
        f"limit.historyCount.suggestContinueAsNew={SOON}",
    ]
    command += [word for name in server.unused for word in ("--namespace", name)]
    command += [
        word for name, kind in SEARCH_ATTRIBUTES.items() for word in ("--search-attribute", f"{name}={kind}")
    ]
    command += ["--db-filename", database, "--sqlite-pragma", "journal_mode=WAL"] if database else []
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait_until_it_listens(process, chosen)
            yield server
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, "the dev server ended at once"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the dev server never listened"
            time.sleep(0.1)
        else:
            return
