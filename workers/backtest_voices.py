"""Who may speak in a backtest: the scorecard, a filed model, or models trained as they would have been."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from activities.backtest import begun_on
from activities.training_data import month_starts, sample_of, snapshots
from domain.backtest import Said, Voice
from domain.errors import InvalidInputError
from domain.features import CustomerFeatures
from domain.labels import GRACE
from domain.learning_rows import World, outcome_of
from domain.progress import Progress, part_of
from domain.risk import SCORECARD_VERSION, Scorecard
from domain.scoring_policy import RiskPolicy
from domain.trained_model import ModelTarget
from ml.recipes import RECIPES, Recipe
from ml.samples import Samples, joined, samples_of
from ml.trained import read_model
from ml.trained_risk import TrainedRisk
from ml.walk_forward import HORIZON, Past, Stage, learn_as_of
from models.database import Database
from models.model_registry import load_both

SCORECARD, CHAMPION, RETRAIN = "scorecard", "champion", "retrain"
QUARTER = (1, 4, 7, 10)


@dataclass(frozen=True)
class CardVoice:
    """The scorecard alone."""

    card: Scorecard
    name: str = SCORECARD_VERSION

    def say(self, features: Sequence[CustomerFeatures]) -> list[Said]:
        """Return what it says of each."""
        return [Said(one.churn_probability, one.churn_risk_score) for one in self.card.assess_all(features)]


@dataclass(frozen=True)
class ModelVoice:
    """A model with the scorecard, as customers would have been scored."""

    model: TrainedRisk

    @property
    def name(self) -> str:
        """Return the version under which its scores would have been filed."""
        return self.model.version

    def say(self, features: Sequence[CustomerFeatures]) -> list[Said]:
        """Return what both say of each together; without reasons, which nobody reads here."""
        if not features:
            return []
        return [Said(one.probability, one.score) for one in self.model.chances(features)]


@dataclass(frozen=True)
class Cast:
    """Who speaks from which day on, and what must be said about that."""

    voices: Sequence[tuple[dt.date, Voice]]
    stages: Sequence[dict[str, Any]]
    has_seen: bool = False
    """The model has learned from outcomes of the replayed days: its figures prove nothing."""
    note: str = ""

    def on(self, day: dt.date) -> Voice:
        """Return who speaks on a day."""
        return next(voice for since, voice in reversed(self.voices) if since <= day)


def card_cast(policy: RiskPolicy, first: dt.date) -> Cast:
    """Let the scorecard speak: it has learned from nobody."""
    stage = {
        "since": first.isoformat(),
        "model": SCORECARD_VERSION,
        "churners": 0,
        "why": "no model was asked for",
    }
    return Cast([(first, CardVoice(Scorecard(policy)))], [stage])


async def filed_cast(
    database: Database, name: str | None, policy: RiskPolicy, first: dt.date, *, allow_seen: bool
) -> Cast:
    """Let a filed model speak, or its twin that was judged where only that one has not seen the days.

    Raises InvalidInputError where both have, unless that is allowed; then the result says so.
    """
    async with database.transaction() as session:
        filed = await load_both(session, name, ModelTarget.CHURN)
    if filed.used.target is not ModelTarget.CHURN:
        raise InvalidInputError(field="model", reason=f"{filed.used.name} does not foretell churn")
    seen = filed.trained_until + dt.timedelta(days=filed.used.horizon_days)
    twin = f"its twin that was judged, which had learned from outcomes up to {filed.judged_until}"
    if first > seen:
        stored, note = filed.used, f"had learned from outcomes up to {seen}"
    elif first > filed.judged_until:
        stored, note = filed.judged, twin
    else:
        note = (
            f"{filed.used.name} has learned from snapshots up to {filed.trained_until} and from outcomes up "
            f"to {seen}, and its judged twin from outcomes up to {filed.judged_until}"
        )
        if not allow_seen:
            raise InvalidInputError(
                field="from",
                reason=f"{note}: start after {filed.judged_until}, use --model retrain, or --allow-seen "
                "to look all the same",
            )
        stored = filed.used
    model = TrainedRisk(policy, read_model(stored))
    stage = {"since": first.isoformat(), "model": model.version, "churners": stored.churners, "why": note}
    return Cast([(first, ModelVoice(model))], [stage], has_seen=first <= filed.judged_until, note=note)


async def retrained_cast(
    database: Database,
    world: World,
    policy: RiskPolicy,
    days: tuple[dt.date, dt.date],
    tell: Progress,
    recipes: Sequence[Recipe] = RECIPES,
) -> Cast:
    """Train at the start and at every quarter, as it would have been: from what was known on that day."""
    dates = training_days(*days)
    past = await _past(database, world, dates[-1], part_of(tell, 0.0, 0.5))
    card, voices, told = CardVoice(Scorecard(policy)), list[tuple[dt.date, Voice]](), []
    for place, day in enumerate(dates):
        low, high = (0.5 + 0.5 * (place + more) / len(dates) for more in (0, 1))
        stage = _stage(past, day, policy, recipes, part_of(tell, low, high))
        voice = card if stage.model is None else ModelVoice(stage.model)
        voices.append((day, voice))
        told.append(
            {"since": day.isoformat(), "model": voice.name, "churners": stage.churners, "why": stage.why}
        )
    return Cast(voices, told)


def training_days(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the first day and the beginnings of quarters after it."""
    quarters = (dt.date(year, month, 1) for year in range(first.year, last.year + 1) for month in QUARTER)
    return [first, *(one for one in quarters if first < one <= last)]


def _stage(
    past: Past | None, day: dt.date, policy: RiskPolicy, recipes: Sequence[Recipe], tell: Progress
) -> Stage:
    if past is None:
        return Stage(day, None, 0, "nobody had been a customer for long enough")

    def step(what: str, share: float) -> None:
        tell(f"as of {day.isoformat()}: {what}", share)

    return learn_as_of(past, day, policy, recipes, step)


async def _past(database: Database, world: World, last: dt.date, tell: Progress) -> Past | None:
    """Look at everybody as of each month that could have been learned from on the last day."""
    newest = last - GRACE - dt.timedelta(days=HORIZON)
    dates = [one for one in await month_starts(database, newest) if one > begun_on(world)]
    parts: dict[ModelTarget, list[Samples]] = {ModelTarget.CHURN: [], ModelTarget.INVOLUNTARY: []}
    for place, date in enumerate(dates):
        async for rows in snapshots(database, world, date):
            for target, found in parts.items():
                found.append(_samples(world, target, rows))
        tell(f"looked back at {date.isoformat()}", (place + 1) / len(dates))
    if not any(len(one) for one in parts[ModelTarget.CHURN]):
        return None
    return Past(joined(parts[ModelTarget.CHURN]), joined(parts[ModelTarget.INVOLUNTARY]))


def _samples(world: World, target: ModelTarget, rows: Sequence[CustomerFeatures]) -> Samples:
    found = []
    for one in rows:
        relation = world.relations[one.customer_id]
        outcome = outcome_of(relation, target, one.as_of, world.known_until)
        found.append(sample_of(world, one, outcome))
    return samples_of([column.name for column in world.columns], found)
