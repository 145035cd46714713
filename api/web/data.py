"""Where facts come from: sources with their rhythm, imports, and the events that clients send."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template

from api.guards import needs
from api.web import data_words
from api.web.day_bars import day_bars
from api.web.desk import DESK, Desk
from api.web.query import text
from domain.permissions import Permission
from models.uploads import MAPPING, PREVIEWED, list_uploads
from models.views.data import (
    load_imports,
    load_newest_pulls,
    load_sources,
    load_waiting,
    load_write_keys,
)
from models.views.seen_events import load_seen_events

READ = needs(Permission.READ_IMPORTS)
EVENTS_BESIDE = 6


class DataController(Controller):
    """Sources, imports and schemas."""

    path = "/"
    dependencies = DESK
    include_in_schema = False

    @get("/data", opt=READ)
    async def show_data(self, desk: NamedDependency[Desk]) -> Template:
        """Show every source with state, lag and rows per day, and what waits for a person."""
        async with desk.reading() as session:
            context = {
                "sources": await load_sources(session, desk.clock.timeline, desk.wall),
                "waiting": await load_waiting(session),
                "pulls": await load_newest_pulls(session),
                "keys": await load_write_keys(session),
                "events": await load_seen_events(session, limit=EVENTS_BESIDE),
                "imports": (await load_imports(session))[:3],
            }
        return desk.page(
            "data.html", day_bars=day_bars, said=data_words, base_url=desk.settings.base_url, **context
        )

    @get("/data/events", opt=READ)
    async def show_events(self, desk: NamedDependency[Desk]) -> Template:
        """List the names of events with properties and types."""
        search = text(desk.query, "q")
        async with desk.reading() as session:
            events = await load_seen_events(session, search)
        return desk.page(
            "seen_events.html", events=events, search=search, said=data_words, base_url=desk.settings.base_url
        )

    @get("/imports", opt=READ)
    async def show_imports(self, desk: NamedDependency[Desk]) -> Template:
        """List imports with their counts, and files that wait to be imported."""
        async with desk.reading() as session:
            imports = await load_imports(session)
            uploads = await list_uploads(session, [MAPPING, PREVIEWED])
        return desk.page("imports.html", imports=imports, uploads=uploads, said=data_words)
