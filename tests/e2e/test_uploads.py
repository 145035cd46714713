"""A file on its way in Chromium: dropped, mapped, checked, imported, taken back; with axe at every stop."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from models.database import Database
from tests.support.aside import aside
from tests.support.browser import chromium, serving, session_of
from tests.support.postgres import create_database, drop_database
from tests.support.sample_template import make_template
from tests.support.uploads import CUSTOMERS, import_waiting, take_back
from tests.support.web import SESSION

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
PATIENCE = 30_000
SIZES = {"narrow": (390, 844), "wide": (1280, 900)}
TEMPLATE = "everstay_uploads"
MORE = 'A-4,Alder & Finch,,"$5,000",Pro,03/15/2024,2027-01-01\nA-5,Broken,,many,Pro,03/15/2024,2027-01-01\n'


@pytest.fixture
def place(
    postgres_url: str, migrated_template: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Page, str]]:
    sample = make_template(postgres_url, migrated_template, TEMPLATE)
    name = f"test_{uuid.uuid4().hex}"
    url = create_database(postgres_url, name, TEMPLATE)
    with chromium() as browser, serving(url, upload_folder=tmp_path / "uploads") as address:
        context = browser.new_context(base_url=address, java_script_enabled=request.param)
        context.set_default_timeout(PATIENCE)
        token = session_of(url, sample.users["ada"])
        context.add_cookies([{"name": SESSION, "value": token, "url": address}])
        yield context.new_page(), url
        context.close()
    for each in (name, TEMPLATE):
        drop_database(postgres_url, each)


def look(page: Page, name: str, *, scripted: bool) -> None:
    """Find nothing to object to, narrow and wide, in light and in dark."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        if scripted:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name}, {size}: too wide"
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            if scripted:
                found = [
                    (one["id"], one["nodes"][0]["target"])
                    for one in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
                ]
                assert found == [], f"{name}, {size}, {scheme}"


def with_database(url: str, act: Any) -> None:
    """Do what a worker would do."""

    async def run() -> None:
        database = Database(url)
        try:
            await act(database)
        finally:
            await database.close()

    aside(run)


@pytest.mark.parametrize("place", [True, False], ids=["with JavaScript", "without JavaScript"], indirect=True)
def test_a_file_is_dropped_mapped_checked_imported_and_taken_back(
    place: tuple[Page, str], request: pytest.FixtureRequest
) -> None:
    page, url = place
    expect.set_options(timeout=PATIENCE)
    scripted = "without" not in request.node.name
    page.goto("/data")
    look(page, "data", scripted=scripted)
    page.get_by_role("link", name="Upload a file").first.click()
    look(page, "upload", scripted=scripted)
    content = (CUSTOMERS + MORE).encode()
    page.locator("input[type=file]").set_input_files(
        {"name": "customers.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="What the columns mean")).to_be_visible()
    look(page, "columns", scripted=scripted)
    page.get_by_role("button", name="Check the whole file").click()
    settled = page.get_by_text("the whole file")
    deadline = time.monotonic() + 60
    while not settled.count() and time.monotonic() < deadline:
        page.wait_for_timeout(300)
        if not scripted:
            page.reload()
    expect(settled).to_be_visible()
    expect(page.get_by_role("link", name="Alder & Finch")).to_be_visible()
    for summary in page.locator("details.fold > summary").all():
        summary.click()
    look(page, "check", scripted=scripted)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", name="Importing")).to_be_visible()
    look(page, "importing", scripted=scripted)
    with_database(url, import_waiting)
    if not scripted:
        page.reload()
    expect(page.get_by_role("heading", name="Imported")).to_be_visible()
    look(page, "imported", scripted=scripted)
    page.goto("/quarantine")
    look(page, "quarantine", scripted=scripted)
    page.go_back()
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_role("heading", name="Being undone")).to_be_visible()
    upload = uuid.UUID(page.url.split("/uploads/")[1].split("?")[0])
    with_database(url, lambda database: take_back(database, upload))
    if not scripted:
        page.reload()
    expect(page.get_by_text("gone again")).to_be_visible()
    look(page, "undone", scripted=scripted)
