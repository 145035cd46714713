"""The trial of a challenger: held against what is in use, and followed by what the gate says."""

import asyncio

from activities.training_rows import load_gathered, open_sampled_world
from domain.learning_port import Learner, Ruling
from domain.ports import Clock
from domain.scoring_policy import RiskPolicy
from domain.trained_model import GATE, ModelDecision, ModelState
from models.changes import announce_change
from models.database import Database
from models.model_registry import decide, load_filed, load_twin, promote
from models.scores import load_policy
from models.trainings import end_training, load_training


async def judge_filed(database: Database, clock: Clock, learner: Learner, key: str) -> ModelState | None:
    """Hold the challenger of a training against what is in use, and write down who won and why."""
    async with database.transaction() as session:
        training, filed = await load_training(session, key), await load_filed(session, key)
        policy = (await load_policy(session)).risk
    if filed is None or training.ended_at is not None:
        return None if filed is None else filed.model.state
    world = await open_sampled_world(database, training.known_until)
    gathered = await load_gathered(database, world, key)
    async with database.transaction() as session:
        champion = await load_twin(session, training.target)
    ruling = await asyncio.to_thread(learner.judge, filed, champion, gathered, policy)
    return await _follow(database, clock, key, filed.model.name, ruling, policy)


async def _follow(
    database: Database, clock: Clock, key: str, name: str, ruling: Ruling, policy: RiskPolicy
) -> ModelState:
    """Write the verdict down, and end the training with it."""
    now = clock.now()
    state = ModelState.SHADOW if ruling.is_won else ModelState.REJECTED
    if ruling.needs_review:
        state = ModelState.CHALLENGER
    async with database.transaction() as session:
        await decide(session, name, ModelDecision(state, GATE, ruling.why, now, ruling.figures))
        if state is ModelState.SHADOW and not policy.shadow_nights:
            await promote(session, name, GATE, "no nights in shadow are asked for", now)
            state = ModelState.CHAMPION
        await announce_change(session)
        await end_training(session, key, now, f"{name} is {state.value}: {ruling.why}")
    return state
