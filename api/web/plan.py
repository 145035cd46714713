"""The plan while observing: what would be carried out, its release, and the switch that stops all effects."""

from collections.abc import Mapping

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.response import Response, Template

from api.guards import needs
from api.web import sentences
from api.web.desk import DESK, Desk
from api.web.query import text
from domain.errors import InvalidInputError
from domain.permissions import Permission
from domain.vocabulary import Segment
from models.changes import announce_change
from models.installation import observe_again, release, start_effects, stop_effects
from models.resting import rests_before, rests_now
from models.views.plan import load_plan

FASTEST = 10_000


class PlanController(Controller):
    """What waits for a person."""

    path = "/plan"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_RUNS)

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show planned runs by playbook, with their messages and tasks."""
        async with desk.reading() as session:
            plan = await load_plan(session)
            resting = await rests_now(session, desk.now)
            rested = await rests_before(session, desk.now)
        said = text(desk.query, "said", 200)
        rests = {"resting": resting, "rested": rested, "segments": Segment}
        rests["problem"] = text(desk.query, "problem", 300)
        return desk.page("plan.html", plan=plan, sentences=sentences, flash=said, **rests)

    @post("/release", opt=needs(Permission.RELEASE))
    async def release(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Let everything, or one playbook, act from now on, at a rate or all at once."""
        form = await desk.request.form()
        playbook = str(form.get("playbook") or "") or None
        async with desk.database.transaction() as session:
            await release(session, desk.now, desk.wall, playbook_key=playbook, per_day=_per_day(form))
            await announce_change(session)
        return desk.go("/plan?said=Released.")

    @post("/observe", opt=needs(Permission.RELEASE))
    async def observe(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Take a release back: new runs are only planned."""
        form = await desk.request.form()
        playbook = str(form.get("playbook") or "") or None
        async with desk.database.transaction() as session:
            await observe_again(session, playbook_key=playbook)
            await announce_change(session)
        return desk.go("/plan?said=Observing+again.")

    @post("/stop-effects", opt=needs(Permission.STOP_EFFECTS))
    async def stop(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Stop every outward effect at once."""
        async with desk.database.transaction() as session:
            await stop_effects(session, desk.now, desk.user.id)
            await announce_change(session)
        return desk.go("/plan?said=Effects+are+stopped.")

    @post("/start-effects", opt=needs(Permission.START_EFFECTS))
    async def start(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Allow effects again."""
        async with desk.database.transaction() as session:
            await start_effects(session, desk.now, desk.wall)
            await announce_change(session)
        return desk.go("/plan?said=Effects+are+on+again.")


def _per_day(form: Mapping[str, object]) -> int | None:
    """Return the rate, None for all at once; raises InvalidInputError for what is no rate."""
    given = str(form.get("per_day") or "").strip()
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or not 1 <= int(given[:9]) <= FASTEST:
        raise InvalidInputError(field="per_day", reason=f"a whole number from 1 to {FASTEST:,}, or nothing")
    return int(given)
