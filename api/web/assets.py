"""Which scripts and styles a page loads: the built bundle where there is one, else the plain sources."""

import json
from pathlib import Path

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

from api.guards import PUBLIC

STATIC = Path(__file__).parents[1] / "static"
STYLES = (
    "tokens",
    "base",
    "layout",
    "components",
    "lists",
    "charts",
    "pages",
    "work",
    "cases",
    "data",
    "graph",
    "print",
)
"""The sources in the order of their layers, as they are loaded when nothing was built."""


class Assets:
    """Addresses of scripts and styles. A built name holds its content's hash: browsers keep it for ever."""

    def __init__(self, static: Path = STATIC) -> None:
        manifest = static / "dist" / "manifest.json"
        found = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
        self._built: dict[str, str] = {name: f"/static/dist/{file}" for name, file in found.items()}

    def styles(self) -> list[str]:
        """Return the stylesheets; without a build these are the sources themselves."""
        built = self._built.get("everstay.css")
        return [built] if built else [f"/static/css/{name}.css" for name in STYLES]

    def scripts(self) -> list[str]:
        """Return the scripts; without a build there are none, and every page works so."""
        return [self._built[name] for name in ("everstay.js",) if name in self._built]


def static_routers() -> list[Router]:
    """Serve the files, open to everyone: built ones for ever, sources and icons for a minute."""
    kept = CacheControlHeader(max_age=31_536_000, public=True, immutable=True)
    folders = {"dist": kept, "css": CacheControlHeader(max_age=60), "icons": CacheControlHeader(max_age=3600)}
    return [
        create_static_files_router(
            path=f"/static/{folder}",
            directories=[STATIC / folder],
            name=f"static-{folder}",
            cache_control=cache,
            include_in_schema=False,
            opt=PUBLIC,
        )
        for folder, cache in folders.items()
    ]
