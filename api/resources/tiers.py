"""`/api/tiers`, and what scores said of one customer over time: as stored, nothing is computed anew."""

import datetime as dt
import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.params import FromPath, FromQuery, QueryParameter

from api.guards import needs
from api.resources.customers import Owner, person
from api.resources.pages import ApiRequest, Cursor, Limit, Page, page_of
from api.resources.shapes import Shape
from domain.permissions import Permission
from domain.tier_moves import MoveState
from domain.time import start_of_day
from domain.vocabulary import CustomerStatus, HealthStatus, RiskTier, Segment
from models.clock import StoredClock
from models.database import Database
from models.resources.customers import check_customer
from models.resources.tier_moves import MoveFilter, read_moves
from models.views.score_history import load_known_then, load_score_history
from models.views.tier_mix import ACTED, RANGES, SCORED, load_tier_mix

Days = Annotated[int, QueryParameter(description=f"One of {', '.join(map(str, RANGES))}.")]
LONGEST = 731


class WhichTier(StrEnum):
    """The tier that is acted on, or the one that each score alone would give."""

    ACTED = "acted"
    SCORED = "scored"


class Direction(StrEnum):
    """Where a move went."""

    WORSE = "worse"
    BETTER = "better"


class WhichMoves(StrEnum):
    """Moves that were acted on, or that only the score made."""

    ACTED = "acted"
    HELD = "held"


class MixDayShape(Shape):
    """A day's end: customers by tier, and monthly revenue in minor units by currency and tier."""

    date: dt.date
    customers: dict[RiskTier, int]
    mrr_minor: dict[str, dict[RiskTier, int]]


class TierMove(Shape):
    """Who moved, when, from where to where, why, and whether it was acted on."""

    customer_id: uuid.UUID
    customer: str
    segment: Segment
    csm: str | None
    arr_minor: int
    currency: str
    status: CustomerStatus
    at: dt.datetime
    tier_before: RiskTier
    tier: RiskTier
    state: MoveState
    scored_since: dt.datetime | None
    until: dt.datetime | None
    why: str


class ScoreDayShape(Shape):
    """One stored score."""

    date: dt.date
    churn_probability: float
    churn_risk_score: int
    churn_risk_tier: RiskTier
    health_score: int
    model_version: str


class KnownThenShape(Shape):
    """What was thought of a customer when a day ended, as it was written then."""

    date: dt.date
    score: dict[str, Any] | None
    acted_tier: RiskTier | None
    acted_since: dt.datetime | None
    health_status: HealthStatus | None
    assessment: dict[str, Any] | None


class TierController(Controller):
    """The mix of tiers over time, and its moves."""

    path = "/tiers"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Tiers"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def mix(
        self,
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
        days: Days = 30,
        tier: FromQuery[WhichTier] = WhichTier.ACTED,
    ) -> list[MixDayShape]:
        """Return customers and monthly revenue by tier at the end of each day; of a year, of each week."""
        if days not in RANGES:
            raise ValidationException(f"days: one of {', '.join(map(str, RANGES))}")
        field = ACTED if tier is WhichTier.ACTED else SCORED
        async with database.transaction() as session:
            found = await load_tier_mix(session, days, field, clock.now())
        return [MixDayShape.model_validate(one, from_attributes=True) for one in found.days]

    @get("/moves")
    async def moves(  # noqa: PLR0913, PLR0917  each filter is a parameter of the address
        self,
        request: ApiRequest,
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
        days: Annotated[int, QueryParameter(ge=1, le=LONGEST, description="How far back.")] = 30,
        direction: FromQuery[Direction | None] = None,
        which: FromQuery[WhichMoves | None] = None,
        segment: FromQuery[Segment | None] = None,
        owner: Owner = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[TierMove]:
        """List moves, the newest first; without `which`, those that were acted on and those that were not."""
        chosen = MoveFilter(
            since=start_of_day(clock.now().date() - dt.timedelta(days=days)),
            direction=direction.value if direction else "",
            state=which.value if which else "",
            segment=segment,
            owner=person(request, owner),
        )
        async with database.transaction() as session:
            return page_of(TierMove, await read_moves(session, chosen, cursor, limit))


class ScoreHistoryController(Controller):
    """One customer's scores as they were stored."""

    path = "/customers/{customer_id:uuid}"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Customers"]  # noqa: RUF012  as Litestar declares it

    @get("/scores")
    async def scores(
        self,
        customer_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
        days: Annotated[int, QueryParameter(ge=1, le=LONGEST, description="How far back.")] = 90,
    ) -> list[ScoreDayShape]:
        """Return the score of each day, oldest first."""
        since = clock.now().date() - dt.timedelta(days=days)
        async with database.transaction() as session:
            found = await load_score_history(session, customer_id, since)
        return [ScoreDayShape.model_validate(one, from_attributes=True) for one in found.days]

    @get("/known")
    async def known(
        self,
        customer_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
        on: Annotated[dt.date, QueryParameter(description="A business day.")],
    ) -> KnownThenShape:
        """Return score, tier, reasons and assessment as they were stored when a day ended."""
        async with database.transaction() as session:
            await check_customer(session, customer_id)
            found = await load_known_then(session, customer_id, min(on, clock.now().date()))
        said = {**vars(found), "score": _plain(found.score), "assessment": _plain(found.assessment)}
        return KnownThenShape.model_validate(said)


def _plain(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a stored row without the id of its customer, which the address has."""
    return None if row is None else {name: value for name, value in row.items() if name != "customer_id"}
