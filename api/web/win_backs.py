"""Win-back: customers that have left, what is done for them, and whether it brings them back."""

import uuid
from dataclasses import dataclass

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from api.guards import also, needs
from api.web import case_words
from api.web.cases import case_context
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, Query, chosen, key, text
from api.web.sorting import Sorting, Sorts
from domain.case_vocabulary import CaseKind
from domain.labels import Cause
from domain.permissions import Permission
from models.cases import kind_of
from models.views.cases import load_win_back_case
from models.views.portfolio_summary import load_owners
from models.views.win_backs import WinBackFilter, WinBackShow, load_win_back_totals, load_win_backs

SORTS: Sorts = {
    "customer": ("Customer", False),
    "arr": ("Lost ARR", True),
    "left": ("Left", True),
    "next": ("Next", False),
}


@dataclass(frozen=True)
class WinBackView:
    """What the address asks for, and links that change one thing of it."""

    filter: WinBackFilter
    address: ListAddress
    mine: bool

    @property
    def sorting(self) -> Sorting:
        """The order of the list."""
        return Sorting(SORTS, self.address, self.filter.sort, self.filter.descending)


def read_view(query: Query, me: uuid.UUID) -> WinBackView:
    """Return what the address asks for; `owner=me` is whoever looks."""
    mine, sort, order = text(query, "owner") == "me", text(query, "sort"), text(query, "order")
    sort = sort if sort in SORTS else "left"
    filter_ = WinBackFilter(
        shows=chosen(query, "show", WinBackShow),
        causes=chosen(query, "cause", Cause),
        owner=me if mine else key(query, "owner"),
        search=text(query, "q"),
        sort=sort,
        descending=order == "desc" if order else SORTS[sort][1],
        cursor=text(query, "cursor", 500) or None,
    )
    state: dict[str, list[str] | str] = {
        "show": [each.value for each in filter_.shows],
        "cause": [each.value for each in filter_.causes],
        "owner": "me" if mine else str(filter_.owner or ""),
        "q": filter_.search,
        "sort": "" if sort == "left" else sort,
        "order": order if order in {"asc", "desc"} else "",
    }
    return WinBackView(filter_, ListAddress("/win-back", state), mine)


class WinBackController(Controller):
    """Customers that have left."""

    path = "/win-back"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)
    guards = [also(Permission.READ_RUNS)]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show what win-back has come to, and the list that the address describes."""
        view = read_view(desk.query, desk.user.id)
        async with desk.reading() as session:
            totals = await load_win_back_totals(session)
            page = await load_win_backs(session, view.filter)
            owners = await load_owners(session)
        return desk.page(
            "win_back.html",
            view=view,
            totals=totals,
            effect=totals.effect,
            page=page,
            owners=owners,
            cases=case_words,
            sorts=SORTS,
            shows=WinBackShow,
            causes=Cause,
        )

    @get("/{case_id:uuid}")
    async def show_one(
        self, desk: NamedDependency[Desk], case_id: FromPath[uuid.UUID]
    ) -> Response[None] | Template:
        """Show one customer that has left: what was written, offered and decided, and what comes next."""
        async with desk.reading() as session:
            if await kind_of(session, case_id) is not CaseKind.WIN_BACK:
                return desk.go(f"/cases/{case_id}")
            line = await load_win_back_case(session, case_id)
            shared = await case_context(desk, session, case_id)
        return desk.page("win_back_case.html", line=line, **shared)
