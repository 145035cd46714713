"""`/api/models`: trained models with their cards, and what people decide about them."""

import datetime as dt
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from pydantic import BaseModel, ConfigDict, Field

from activities.model_decisions import promote_by_hand, review_by_hand, roll_back_by_hand
from api.guards import needs
from api.resources.pages import ApiRequest, hand_of, write_once
from api.resources.shapes import Shape
from domain.permissions import Permission
from domain.trained_model import ModelState, ModelTarget
from domain.vocabulary import RiskTier
from models.clock import StoredClock
from models.database import Database, Session
from models.model_registry import list_models, show_model
from models.views.models import load_model_view, load_registry

Reason = Annotated[str, Field(min_length=1, max_length=1000)]


class TrainedModel(Shape):
    """A trained model: what it foretells, where it stands, and every decision about it."""

    name: str
    target: ModelTarget
    state: ModelState
    form: str
    horizon_days: int
    columns: list[str]
    base_rate: float
    churners: int
    data_hash: str
    trained_at: dt.datetime
    trained_until: dt.date
    judged_until: dt.date
    reviewed_at: dt.datetime | None
    replaced: str | None
    decisions: list[dict[str, Any]]


class TrainedModelDetail(TrainedModel):
    """A model with its card: metrics by segment, calibration, variants, tiers, checks."""

    card: dict[str, Any]


class ModelWord(BaseModel):
    """Why; it is kept with the model."""

    model_config = ConfigDict(extra="forbid")

    why: Reason


class ModelReview(ModelWord):
    """What a look at a model that seems too good has found."""

    is_sound: bool


class ChampionNow(Shape):
    """What is used now; none: the scorecard alone."""

    champion: str | None


class Evidence(Shape):
    """What there is to learn from, and how loud a model of leaving speaks; 0: the scorecard alone."""

    departures: int
    needed: int
    weight: float
    champions: dict[ModelTarget, str | None]
    outcomes: dict[ModelTarget, str | None]
    """How the last training of each target ended, in words."""


class ShadowShape(Shape):
    """What a model said on its newest day in shadow, beside what was acted on."""

    as_of: dt.date
    nights: int
    customers: int
    mean_difference: float
    other_tier: int
    tiers: dict[RiskTier, tuple[int, int]]
    """Customers by tier: as acted on, and by this model."""


class ModelController(Controller):
    """Models that were trained on this installation's data."""

    path = "/models"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Models"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(
        self, database: NamedDependency[Database], target: FromQuery[ModelTarget | None] = None
    ) -> list[TrainedModel]:
        """List models, the newest first."""
        async with database.transaction() as session:
            return [TrainedModel.model_validate(one) for one in await list_models(session, target)]

    @get("/evidence")
    async def evidence(
        self, database: NamedDependency[Database], clock: NamedDependency[StoredClock]
    ) -> Evidence:
        """Say which voice speaks for each target, and what a model still waits for."""
        async with database.transaction() as session:
            found = await load_registry(session, clock.now())
        champions = {one.target: one.champion for one in found.targets}
        return Evidence(
            departures=found.departures,
            needed=found.needed,
            weight=found.weight,
            champions={target: one["name"] if one else None for target, one in champions.items()},
            outcomes={one.target: one.last.outcome if one.last else None for one in found.targets},
        )

    @get("/{name:str}/shadow")
    async def shadow(self, name: FromPath[str], database: NamedDependency[Database]) -> ShadowShape | None:
        """Return what a model said on its newest day in shadow; null where it never scored there."""
        async with database.transaction() as session:
            found = (await load_model_view(session, name)).shadow
        return None if found is None else ShadowShape.model_validate(found, from_attributes=True)

    @get("/{name:str}")
    async def show(self, name: FromPath[str], database: NamedDependency[Database]) -> TrainedModelDetail:
        """Return one model with its card."""
        async with database.transaction() as session:
            return TrainedModelDetail.model_validate(await show_model(session, name))

    @post("/{name:str}/promote", opt=needs(Permission.EDIT_POLICIES), status_code=200)
    async def promote(
        self,
        request: ApiRequest,
        name: FromPath[str],
        data: JSONBody[ModelWord],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> ChampionNow:
        """Use a model from the next scoring on, whatever the gate said."""

        async def write(session: Session) -> ChampionNow:
            by = hand_of(request, clock)
            await promote_by_hand(session, name, by.name, data.why, by.now)
            return ChampionNow(champion=name)

        return await write_once(request, database, clock, ChampionNow, write)

    @post("/{name:str}/review", opt=needs(Permission.EDIT_POLICIES), status_code=200)
    async def review(
        self,
        request: ApiRequest,
        name: FromPath[str],
        data: JSONBody[ModelReview],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> TrainedModel:
        """Say what you found in a model that looks too good: sound, it goes on to its nights in shadow."""

        async def write(session: Session) -> TrainedModel:
            by = hand_of(request, clock)
            await review_by_hand(session, name, by.name, data.why, by.now, is_sound=data.is_sound)
            return TrainedModel.model_validate(await show_model(session, name))

        return await write_once(request, database, clock, TrainedModel, write)

    @post("/rollback/{target:str}", opt=needs(Permission.EDIT_POLICIES), status_code=200)
    async def rollback(
        self,
        request: ApiRequest,
        target: FromPath[ModelTarget],
        data: JSONBody[ModelWord],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> ChampionNow:
        """Go back to the champion before; behind the first one stands the scorecard."""

        async def write(session: Session) -> ChampionNow:
            by = hand_of(request, clock)
            return ChampionNow(champion=await roll_back_by_hand(session, target, by.name, data.why, by.now))

        return await write_once(request, database, clock, ChampionNow, write)
