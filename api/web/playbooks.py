"""Playbooks, read-only: what they say, and how their runs ended."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template

from api.guards import needs
from api.web import sentences
from api.web.desk import DESK, Desk
from api.web.query import text
from domain.permissions import Permission
from models.resting import rests_now
from models.views.playbooks import load_playbook, load_playbooks


class PlaybookController(Controller):
    """The library as it stands in the database."""

    path = "/playbooks"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_PLAYBOOKS)

    @get("/")
    async def show_all(self, desk: NamedDependency[Desk]) -> Template:
        """List playbooks with their runs by outcome."""
        async with desk.reading() as session:
            playbooks = await load_playbooks(session)
        return desk.page("playbooks.html", playbooks=playbooks)

    @get("/{key:str}")
    async def show(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Template:
        """Show one document."""
        async with desk.reading() as session:
            playbook = await load_playbook(session, key)
            resting = [one for one in await rests_now(session, desk.now) if one.key == key]
        said, problem = text(desk.query, "said", 200), text(desk.query, "problem", 300)
        return desk.page(
            "playbook.html",
            playbook=playbook,
            sentences=sentences,
            resting=resting,
            flash=said,
            problem=problem,
        )
