"""Offers: everything that costs us, what it cost, what margin is left, and what it brought."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template

from api.guards import also, needs
from api.web import case_words, sentences
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, chosen, text
from domain.case_vocabulary import OfferState
from domain.permissions import Permission
from models.views.offers import OfferFilter, OfferOrigin, load_offer_totals, load_offers


class OfferController(Controller):
    """Offers of runs and of cases."""

    path = "/offers"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)
    guards = [also(Permission.READ_RUNS)]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show what offers cost and brought, and the list that the address describes."""
        query = desk.query
        filter_ = OfferFilter(
            states=chosen(query, "state", OfferState),
            origins=chosen(query, "of", OfferOrigin),
            kind=text(query, "kind"),
            search=text(query, "q"),
            cursor=text(query, "cursor", 500) or None,
        )
        state: dict[str, list[str] | str] = {
            "state": [each.value for each in filter_.states],
            "of": [each.value for each in filter_.origins],
            "kind": filter_.kind,
            "q": filter_.search,
        }
        async with desk.reading() as session:
            totals = await load_offer_totals(session)
            page = await load_offers(session, filter_)
        return desk.page(
            "offers.html",
            filter=filter_,
            address=ListAddress("/offers", state),
            totals=totals,
            page=page,
            states=OfferState,
            origins=OfferOrigin,
            cases=case_words,
            sentences=sentences,
        )
