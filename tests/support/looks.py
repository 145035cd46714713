"""What axe and a narrow window find wrong with a page."""

from collections.abc import Iterator
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
OF_COLOURS = ["color-contrast", "link-in-text-block"]
SIZES = {"narrow": (390, 844), "wide": (1280, 900)}


def violations(page: Page, only: list[str] | None = None) -> list[dict[str, Any]]:
    """Return what axe finds on the page as it is now."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only is not None:
        options["runOnly"] = only
    found: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return found


def faults(page: Page) -> Iterator[str]:
    """Look at one page narrow and wide, in light and in dark, which differs in colours alone."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            yield f"{size}: wider than the window"
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for each in violations(page, OF_COLOURS if scheme == "dark" else None):
                yield f"{size}, {scheme}: {each['id']} at {each['nodes'][0]['target']}"
