"""Addresses that the mail provider holds back: a list with search, and taking mail to one up again."""

import datetime as dt
import uuid
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, chosen, text
from domain.errors import ConflictError
from domain.permissions import Permission
from domain.suppressions import LIST_RULES, SuppressionList
from domain.time import WallInstant, wall
from models.changes import announce_change
from models.resources.suppressions import count_by_list, list_suppressions, load_pulls
from models.suppressions import lift

PLACE = "/suppressions"
PAGE_SIZE = 50
SHORTEST_REASON = 3


class SuppressionPage(Controller):
    """Whom the provider holds back, and why."""

    path = PLACE
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """List the addresses of the chosen lists, the latest first."""
        lists, search = chosen(desk.query, "list", SuppressionList), text(desk.query, "q", 200)
        since = text(desk.query, "since", 10)
        cursor = text(desk.query, "after", 400) or None
        async with desk.reading() as session:
            page = await list_suppressions(
                session, lists, search, _since(since), cursor=cursor, limit=PAGE_SIZE
            )
            counts, pulls = await count_by_list(session), await load_pulls(session)
        told = {"list": [each.value for each in lists], "q": search, "since": since}
        return desk.page(
            "suppressions.html",
            rows=page.rows,
            next=page.next,
            counts=counts,
            pulls=pulls,
            rules=LIST_RULES,
            address=ListAddress(PLACE, told),
            search=search,
            since=since,
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 300),
        )

    @post("/{suppression_id:uuid}/lift", opt=needs(Permission.EDIT_POLICIES))
    async def lift(self, desk: NamedDependency[Desk], suppression_id: FromPath[uuid.UUID]) -> Response[None]:
        """Take mail to the address up again here, with the reason."""
        because = str((await desk.request.form()).get("because") or "").strip()
        if len(because) < SHORTEST_REASON:
            return desk.go(f"{PLACE}?{urlencode({'problem': 'Say why mail is taken up again.'})}")
        try:
            async with desk.database.transaction() as session:
                await lift(session, suppression_id, because, desk.user.id, desk.now)
                await announce_change(session)
        except ConflictError as error:
            return desk.go(f"{PLACE}?{urlencode({'problem': str(error)})}")
        said = "Mail to the address is taken up again here. Take it off the provider's list too."
        return desk.go(f"{PLACE}?{urlencode({'said': said})}")


def _since(given: str) -> WallInstant | None:
    """Return the beginning of a day, None where it is no date."""
    try:
        return wall(dt.datetime.combine(dt.date.fromisoformat(given), dt.time(), dt.UTC)) if given else None
    except ValueError:
        return None
