"""Dunning: unpaid invoices as a board by stage or as a list, and one of them."""

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
from api.web.query import ListAddress, Query, chosen, key, number, text
from api.web.sorting import Sorting, Sorts
from domain.case_vocabulary import CaseKind, CaseOutcome, CaseState
from domain.permissions import Permission
from models.cases import kind_of
from models.views.cases import load_dunning_case
from models.views.dunning import DunningFilter, load_dunning_board, load_dunning_list
from models.views.dunning_totals import load_dunning_totals
from models.views.portfolio_summary import load_owners

SORTS: Sorts = {
    "customer": ("Customer", False),
    "amount": ("Owed", True),
    "due": ("Due", False),
    "next": ("Next", False),
    "opened": ("Opened", True),
}
LONGEST_STAGE = 40
LATE = (1, 7, 14, 30, 60)
OUTCOMES = (
    CaseOutcome.RECOVERED,
    CaseOutcome.EXHAUSTED,
    CaseOutcome.WRITTEN_OFF,
    CaseOutcome.ESCALATED,
    CaseOutcome.STOPPED,
)


@dataclass(frozen=True)
class DunningView:
    """What the address asks for, and links that change one thing of it."""

    filter: DunningFilter
    address: ListAddress
    as_list: bool
    mine: bool

    @property
    def sorting(self) -> Sorting:
        """The order of the list."""
        return Sorting(SORTS, self.address, self.filter.sort, self.filter.descending)


def read_view(query: Query, me: uuid.UUID) -> DunningView:
    """Return what the address asks for; `owner=me` is whoever looks."""
    mine, sort = text(query, "owner") == "me", text(query, "sort")
    sort = sort if sort in SORTS else "amount"
    order = text(query, "order")
    filter_ = DunningFilter(
        stages=_stages(query),
        states=chosen(query, "state", CaseState),
        outcomes=chosen(query, "outcome", CaseOutcome),
        owner=me if mine else key(query, "owner"),
        currency=text(query, "currency", 3).upper(),
        least=number(query, "least", high=100_000_000),
        late_days=number(query, "late", high=3650),
        search=text(query, "q"),
        sort=sort,
        descending=order == "desc" if order else SORTS[sort][1],
        cursor=text(query, "cursor", 500) or None,
    )
    as_list = text(query, "view") == "list"
    return DunningView(filter_, _address(filter_, as_list=as_list, mine=mine, order=order), as_list, mine)


def _stages(query: Query) -> tuple[str, ...]:
    """Return stages by name: which there are is for the motion to say."""
    given = dict.fromkeys(str(value) for value in query.getall("stage", []))
    return tuple(name for name in given if name.isidentifier() and len(name) <= LONGEST_STAGE)


def _address(filter_: DunningFilter, *, as_list: bool, mine: bool, order: str) -> ListAddress:
    state: dict[str, list[str] | str] = {
        "view": "list" if as_list else "",
        "stage": list(filter_.stages),
        "state": [each.value for each in filter_.states],
        "outcome": [each.value for each in filter_.outcomes],
        "owner": "me" if mine else str(filter_.owner or ""),
        "currency": filter_.currency,
        "least": str(filter_.least or ""),
        "late": str(filter_.late_days or ""),
        "q": filter_.search,
        "sort": "" if filter_.sort == "amount" else filter_.sort,
        "order": order if order in {"asc", "desc"} else "",
    }
    return ListAddress("/dunning", state)


class DunningController(Controller):
    """Unpaid invoices."""

    path = "/dunning"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)
    guards = [also(Permission.READ_RUNS)]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show the board, or with `view=list` the list."""
        view = read_view(desk.query, desk.user.id)
        async with desk.reading() as session:
            totals = await load_dunning_totals(session, desk.now)
            page = await load_dunning_list(session, view.filter, desk.now) if view.as_list else None
            board = [] if page else await load_dunning_board(session, view.filter, desk.now)
            owners = await load_owners(session)
        return desk.page(
            "dunning.html",
            view=view,
            totals=totals,
            page=page,
            stages=case_words.in_order(board),
            owners=owners,
            cases=case_words,
            sorts=SORTS,
            lates=LATE,
            outcomes=OUTCOMES,
            states=CaseState,
            currencies=sorted(totals.open.minor | totals.ever.total.minor),
        )

    @get("/{case_id:uuid}")
    async def show_one(
        self, desk: NamedDependency[Desk], case_id: FromPath[uuid.UUID]
    ) -> Response[None] | Template:
        """Show one unpaid invoice: what was tried, what was written, what comes next and why."""
        async with desk.reading() as session:
            if await kind_of(session, case_id) is not CaseKind.DUNNING:
                return desk.go(f"/cases/{case_id}")
            card, invoice, attempts = await load_dunning_case(session, case_id)
            shared = await case_context(desk, session, case_id)
        return desk.page("dunning_case.html", line=card, invoice=invoice, attempts=attempts, **shared)
