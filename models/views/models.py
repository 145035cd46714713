"""What the pages of trained models read: who speaks for each target, who is tried, and what shadows say."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.trained_model import ModelState, ModelTarget, evidence_weight, ruling_of
from domain.training_calendar import LEAST_DEPARTURES
from domain.vocabulary import RiskTier
from models.model_registry import show_model
from models.scores import load_policy
from models.tables.scoring import ScoreRow
from models.tables.trained import ModelRow, ShadowScoreRow, TrainingRow
from models.trainings import count_departures

Model = Mapping[str, Any]


@dataclass(frozen=True)
class LastTraining:
    """How the newest training of a target went, in its own words; no end: it is under way."""

    started_at: BusinessInstant
    ended_at: BusinessInstant | None
    outcome: str | None


@dataclass(frozen=True)
class TargetModels:
    """Every model of one target, the newest first."""

    target: ModelTarget
    models: tuple[Model, ...]
    last: LastTraining | None
    nights: Mapping[str, int]
    """Nights that each model in shadow has scored."""

    def in_state(self, *states: ModelState) -> list[Model]:
        """Return those that stand there."""
        return [one for one in self.models if one["state"] in states]

    @property
    def champion(self) -> Model | None:
        """Return the one that is acted on."""
        return next(iter(self.in_state(ModelState.CHAMPION)), None)


@dataclass(frozen=True)
class Registry:
    """All targets, and what there is to learn from."""

    targets: tuple[TargetModels, ...]
    departures: int
    needed: int
    shadow_nights: int
    weight: float
    """How loud the champion of leaving by choice speaks beside the scorecard, 0 without one."""


@dataclass(frozen=True)
class ShadowDay:
    """What a model in its shadow said on its newest day, beside what was acted on."""

    as_of: dt.date
    nights: int
    customers: int
    mean_difference: float
    """Mean distance of the two probabilities."""
    other_tier: int
    """Customers whose score would be in another tier."""
    tiers: Mapping[RiskTier, tuple[int, int]]
    """Customers by tier: as acted on, and as it would be."""


@dataclass(frozen=True)
class ModelView:
    """One model with everything that its page shows."""

    model: Model
    champion: str | None
    weight: float
    shadow_nights: int
    shadow: ShadowDay | None

    @property
    def is_used(self) -> bool:
        """Whether scores count it now."""
        return bool(self.model["state"] is ModelState.CHAMPION)

    @property
    def ruling(self) -> Mapping[str, Any] | None:
        """Return the gate's decision, with its figures."""
        return ruling_of(self.model["decisions"])


async def load_registry(session: AsyncSession, now: BusinessInstant) -> Registry:
    """Return every model without the heavy parts of its card."""
    row = ModelRow
    query = select(
        row.name, row.target, row.state, row.form, row.horizon_days, row.churners, row.trained_at,
        row.trained_until, row.reviewed_at, row.replaced, row.decisions, row.card["metrics"].label("metrics"),
        row.card["intervals"].label("intervals"),
    ).order_by(row.trained_at.desc(), row.name.desc())  # fmt: skip
    found = [dict(one) for one in (await session.execute(query)).mappings()]
    last = await _last_trainings(session)
    nights = await _nights(session, [one["name"] for one in found if one["state"] is ModelState.SHADOW])
    policy = (await load_policy(session)).risk
    targets = tuple(
        TargetModels(one, tuple(model for model in found if model["target"] is one), last.get(one), nights)
        for one in ModelTarget
    )
    churn = targets[list(ModelTarget).index(ModelTarget.CHURN)].champion
    weight = evidence_weight(churn["churners"], policy.even_evidence) if churn else 0.0
    departures = await count_departures(session, now)
    return Registry(targets, departures, LEAST_DEPARTURES, policy.shadow_nights, weight)


async def _last_trainings(session: AsyncSession) -> dict[ModelTarget, LastTraining]:
    one = TrainingRow
    query = (
        select(one.target, one.started_at, one.ended_at, one.outcome)
        .ext(distinct_on(one.target))
        .order_by(one.target, one.started_wall.desc(), one.started_at.desc())
    )
    return {row[0]: LastTraining(row[1], row[2], row[3]) for row in await session.execute(query)}


async def _nights(session: AsyncSession, names: list[str]) -> dict[str, int]:
    if not names:
        return {}
    row = ShadowScoreRow
    query = select(row.model, func.count(func.distinct(row.as_of))).where(row.model.in_(names))
    return {found[0]: int(found[1]) for found in await session.execute(query.group_by(row.model))}


async def load_model_view(session: AsyncSession, name: str) -> ModelView:
    """Return one model; raises NotFoundError."""
    model = await show_model(session, name)
    row = ModelRow
    champion = await session.scalar(
        select(row.name).where(row.target == model["target"], row.state == ModelState.CHAMPION)
    )
    policy = (await load_policy(session)).risk
    weight = evidence_weight(model["churners"], policy.even_evidence)
    return ModelView(model, champion, weight, policy.shadow_nights, await load_shadow_day(session, name))


async def load_shadow_day(session: AsyncSession, name: str) -> ShadowDay | None:
    """Return what a model said on the newest day in its shadow; None where it never scored there."""
    said, acted = ShadowScoreRow, ScoreRow
    mine = said.model == name
    last = select(func.max(said.as_of)).where(mine).scalar_subquery()
    query = (
        select(
            said.as_of, acted.churn_risk_tier, said.tier, func.count(),
            func.sum(func.abs(said.probability - acted.churn_probability)),
        )
        .join(acted, (acted.customer_id == said.customer_id) & (acted.as_of == said.as_of))
        .where(mine, said.as_of == last)
        .group_by(said.as_of, acted.churn_risk_tier, said.tier)
    )  # fmt: skip
    cells = (await session.execute(query)).all()
    if not cells:
        return None
    nights = (await _nights(session, [name])).get(name, 0)
    customers = sum(cell[3] for cell in cells)
    return ShadowDay(
        as_of=cells[0][0],
        nights=nights,
        customers=customers,
        mean_difference=sum(cell[4] for cell in cells) / customers,
        other_tier=sum(cell[3] for cell in cells if cell[2] is not None and cell[2] is not cell[1]),
        tiers={
            tier: (
                sum(cell[3] for cell in cells if cell[1] is tier),
                sum(cell[3] for cell in cells if cell[2] is tier),
            )
            for tier in RiskTier
        },
    )
