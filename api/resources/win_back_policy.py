"""The win-back policy on the wire, and what offers cost."""

from typing import Any

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from api.guards import needs
from api.resources.pages import ApiRequest, write_once
from api.resources.shapes import Shape
from domain.case_vocabulary import OfferState
from domain.permissions import Permission
from domain.win_back_policy import WinBackPolicy
from models.clock import StoredClock
from models.database import Database, Session
from models.offers import offer_figures
from models.win_back_policy import load_win_back_policy, save_win_back_policy


class OfferTotals(Shape):
    """Offers of one state in one currency: revenue forgone in minor units, and what is left of the margin."""

    state: OfferState
    currency: str
    offers: int
    cost_minor: int
    least_margin: float
    mean_margin: float


@get("/offers/totals", opt=needs(Permission.READ_CUSTOMERS), tags=["Offers"])
async def offer_totals(database: NamedDependency[Database]) -> list[OfferTotals]:
    """Say what offers cost, or would cost if they are used, and what they leave of the gross margin."""
    async with database.transaction() as session:
        found: list[Any] = await offer_figures(session)
        return [OfferTotals.model_validate(vars(one)) for one in found]


class WinBackPolicyController(Controller):
    """Whom we try to win back, when, and what it may cost."""

    path = "/policies/win-back"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Policies"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, database: NamedDependency[Database]) -> WinBackPolicy:
        """Return the policy in force."""
        async with database.transaction() as session:
            return await load_win_back_policy(session)

    @put("/", opt=needs(Permission.EDIT_POLICIES))
    async def replace(
        self,
        request: ApiRequest,
        data: JSONBody[WinBackPolicy],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> WinBackPolicy:
        """Put a whole new policy in force for departures to come; open cases keep theirs."""
        user = request.user.user_id

        async def write(session: Session) -> WinBackPolicy:
            await save_win_back_policy(session, data, user, clock.now())
            return data

        return await write_once(request, database, clock, WinBackPolicy, write)
