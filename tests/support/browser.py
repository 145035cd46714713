"""Chromium, and the sample's pages on a server of their own for it."""

import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from api.server import build_server
from models.changes import announce_change
from models.clock import wall_now
from models.database import Database
from models.sessions import start_session
from tests.support.aside import aside
from tests.support.postgres import free_port
from tests.support.web import web_settings

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str:
    """Return the browser; without one the test is skipped, in CI it fails."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        reason = "no Chromium: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser that is gone afterwards."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def serving(database_url: str, **overrides: object) -> Iterator[str]:
    """Yield the address of the real server over this database, in a thread."""
    port = free_port()
    server = build_server(web_settings(database_url, api_port=port, **overrides))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


def session_of(database_url: str, user_id: uuid.UUID) -> str:
    """Sign somebody in and return the secret of the session's cookie."""
    return aside(lambda: _session_of(database_url, user_id))


async def _session_of(database_url: str, user_id: uuid.UUID) -> str:
    database = Database(database_url)
    try:
        async with database.transaction() as session:
            return await start_session(session, user_id, wall_now())
    finally:
        await database.close()


def announce(database_url: str) -> None:
    """Tell open pages that something changed, as another process would."""
    aside(lambda: _announce(database_url))


async def _announce(database_url: str) -> None:
    database = Database(database_url)
    try:
        async with database.transaction() as session:
            await announce_change(session)
    finally:
        await database.close()
