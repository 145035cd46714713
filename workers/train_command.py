"""What `everstay train` does: the same training as the workflow's, in this process and at once."""

from typing import Any

from activities.training_run import gather_dates, plan_dates, train_filed
from activities.training_trial import judge_filed
from domain.progress import Progress, part_of
from domain.trained_model import ModelTarget
from ml.adapters import CatBoostLearner
from models.clock import open_clock
from models.database import Database
from models.model_registry import named_by_training, show_model
from models.trainings import free_key, load_training
from settings import Settings


async def run_training(settings: Settings, target: ModelTarget, tell: Progress) -> dict[str, Any]:
    """Train and judge one model; return its card and where it stands, or what is missing."""
    database = Database(settings.database_url or "", pool_size=2)
    try:
        return await train_now(database, target, tell)
    finally:
        await database.close()


async def train_now(database: Database, target: ModelTarget, tell: Progress) -> dict[str, Any]:
    """Go through a training's parts in order."""
    clock = await open_clock(database)
    async with database.transaction() as session:
        key = await free_key(session, target, clock.now().date())
    learner = CatBoostLearner()
    dates = await plan_dates(database, clock, target, key)
    if dates:
        await gather_dates(database, learner, key, dates, part_of(tell, 0.0, 0.5))
        if await train_filed(database, clock, learner, key, part_of(tell, 0.5, 0.95)) is not None:
            await judge_filed(database, clock, learner, key)
    tell("done", 1.0)
    async with database.transaction() as session:
        training = await load_training(session, key)
        name = await named_by_training(session, key)
        model = await show_model(session, name) if name is not None else None
    return {"target": target.value, "training": key, "outcome": training.outcome, "model": model}


def shown(document: dict[str, Any]) -> str:
    """Return the same for people."""
    model = document["model"]
    if model is None:
        return f"No model of {document['target']}: {document['outcome']}."
    card, metrics = model["card"], model["card"]["metrics"]
    learned, judged = card["learned_from"], card["judged_on"]
    lines = [
        f"{document['outcome']}.",
        f"  learned from {_extent(learned)}; {learned['churners']} customers with the event",
        f"  judged on {_extent(judged)}",
        f"  AUC {_number(metrics['auc'])}, lift {_number(metrics['lift_top_decile'])}",
        f"  log-loss {_number(metrics['log_loss'])}, base rate alone {_number(metrics['constant_log_loss'])}",
        "  tiers " + ", ".join(f"{tier} {share:.1%}" for tier, share in card["tiers"].items()),
    ]
    if card["empty_tiers"]:
        lines.append(f"  ALARM: nobody would be in {', '.join(card['empty_tiers'])}")
    return "\n".join(lines)


def _extent(part: dict[str, Any]) -> str:
    return f"{part['rows']} rows, {part['positives']} with the event, {part['from']} to {part['to']}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
