"""Where facts come from: sources, imports, and rows that could not be stored."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, number, text
from domain.permissions import Permission
from models.views.data import load_imports, load_quarantine, load_sources


class DataController(Controller):
    """Imports and quarantine."""

    path = "/"
    dependencies = DESK
    include_in_schema = False

    @get("/imports", opt=needs(Permission.READ_IMPORTS))
    async def show_imports(self, desk: NamedDependency[Desk]) -> Template:
        """List sources with their freshness, and imports with their counts."""
        async with desk.reading() as session:
            sources = await load_sources(session)
            imports = await load_imports(session)
        return desk.page("imports.html", sources=sources, imports=imports)

    @get("/quarantine", opt=needs(Permission.READ_IMPORTS))
    async def show_quarantine(self, desk: NamedDependency[Desk]) -> Template:
        """List rows with where they stood and why; the cells only for those who may see them."""
        settled = text(desk.query, "show") == "settled"
        async with desk.reading() as session:
            page = await load_quarantine(session, number(desk.query, "page") or 1, settled=settled)
        address = ListAddress("/quarantine", {"show": "settled" if settled else ""})
        return desk.page("quarantine.html", page=page, settled=settled, address=address)
