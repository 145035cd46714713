"""The portfolio: every customer in one list, worst first, and the figures above it."""

import uuid
from dataclasses import dataclass

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Response, Template

from api.guards import SIGNED_IN
from api.web import charts, words
from api.web.charts import Part
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, Query, chosen, key, number, text
from api.web.sorting import Sorting, Sorts
from api.web.tones import TIER_TONES
from domain.permissions import NotAllowedError, Permission
from domain.vocabulary import Attention, HealthStatus, RiskTier, Segment, TouchTier
from models.attention import load_attention
from models.views.portfolio import PortfolioPage, load_portfolio
from models.views.portfolio_filter import PortfolioFilter
from models.views.portfolio_summary import PortfolioSummary, load_owners, load_summary

SORTS: Sorts = {
    "name": ("Customer", False),
    "health": ("Health", True),
    "risk": ("Churn risk", True),
    "arr": ("ARR", True),
    "renewal": ("Renewal", False),
    "touch": ("Last contact", False),
    "owner": ("Owner", False),
    "attention": ("Attention", False),
}
RENEWALS = (30, 60, 90, 180)


@dataclass(frozen=True)
class PortfolioView:
    """Everything that the template shows."""

    filter: PortfolioFilter
    address: ListAddress
    page: PortfolioPage
    summary: PortfolioSummary
    owners: list[tuple[uuid.UUID, str]]
    mine: bool

    @property
    def sorting(self) -> Sorting:
        """The order of the list."""
        return Sorting(SORTS, self.address, self.filter.sort, self.filter.descending)

    @property
    def tier_bar(self) -> str:
        """The tier mix as a bar."""
        parts = [
            Part(TIER_TONES[share.tier], share.customers, f"{words.words(share.tier)}: {share.customers}")
            for share in self.summary.tiers
        ]
        said = ", ".join(part.label for part in parts if part.size)
        return charts.stacked_bar(parts, f"Customers by churn risk tier (high is bad): {said}")


def read_filter(query: Query, me: uuid.UUID) -> PortfolioFilter:
    """Return what the address asks for; `owner=me` is whoever looks."""
    sort = text(query, "sort")
    moved = text(query, "moved")
    mine = text(query, "owner") == "me"
    return PortfolioFilter(
        search=text(query, "q"),
        tiers=chosen(query, "tier", RiskTier),
        health=chosen(query, "health", HealthStatus),
        segments=chosen(query, "segment", Segment),
        touch_tiers=chosen(query, "touch", TouchTier),
        attention=chosen(query, "attention", Attention),
        owner=me if mine else key(query, "owner"),
        renewal_days=number(query, "renewal", high=730),
        moved=moved if moved in {"worse", "better"} else None,
        churned=text(query, "show") == "churned",
        sort=sort if sort in SORTS else "attention",
        descending=text(query, "order") == "desc",
        page=number(query, "page") or 1,
    )


def address_of(filter_: PortfolioFilter, *, mine: bool) -> ListAddress:
    """Return the list's address, defaults left out."""
    state: dict[str, list[str] | str] = {
        "q": filter_.search,
        "tier": [each.value for each in filter_.tiers],
        "health": [each.value for each in filter_.health],
        "segment": [each.value for each in filter_.segments],
        "touch": [each.value for each in filter_.touch_tiers],
        "attention": [each.value for each in filter_.attention],
        "owner": "me" if mine else str(filter_.owner or ""),
        "renewal": str(filter_.renewal_days or ""),
        "moved": filter_.moved or "",
        "show": "churned" if filter_.churned else "",
        "sort": "" if filter_.sort == "attention" else filter_.sort,
        "order": "desc" if filter_.descending else "",
    }
    return ListAddress("/", state)


class PortfolioController(Controller):
    """The home page."""

    path = "/"
    dependencies = DESK
    include_in_schema = False

    @get("/", opt=SIGNED_IN)
    async def show(self, desk: NamedDependency[Desk]) -> Response[None] | Template:
        """Show the list that the address describes; who may not see customers starts with the runs."""
        if not desk.may(Permission.READ_CUSTOMERS):
            return _elsewhere(desk)
        mine = text(desk.query, "owner") == "me"
        filter_ = read_filter(desk.query, desk.user.id)
        async with desk.reading() as session:
            policy = await load_attention(session)
            view = PortfolioView(
                filter=filter_,
                address=address_of(filter_, mine=mine),
                page=await load_portfolio(session, filter_, policy, desk.now),
                summary=await load_summary(session, desk.now),
                owners=await load_owners(session),
                mine=mine,
            )
        return desk.page("portfolio.html", view=view, sorts=SORTS, renewals=RENEWALS)


def _elsewhere(desk: Desk) -> Response[None]:
    if desk.may(Permission.READ_RUNS):
        return desk.go("/runs")
    raise NotAllowedError(who=f"the role {desk.user.role}", needed=Permission.READ_CUSTOMERS)
