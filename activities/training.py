"""The activities of a training, and when one is due."""

import contextlib
import datetime as dt

import structlog
from temporalio import activity
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.beats import beating
from activities.contracts_training import (
    GatherSamplesInput,
    GatherSamplesResult,
    JudgeModelResult,
    PlanTrainingResult,
    TrainingContract,
    TrainingInput,
    TrainModelInput,
    TrainModelResult,
)
from activities.training_run import gather_dates, plan_dates, train_filed
from activities.training_trial import judge_filed
from domain.learning_port import Learner
from domain.ports import Clock
from domain.trained_model import ModelState, ModelTarget
from domain.training_calendar import is_due
from models.changes import announce_change
from models.database import Database
from models.model_registry import load_in_use, promote
from models.scores import load_policy
from models.shadow_scores import shadow_nights, shadow_shares
from models.trainings import count_departures, last_training, newest_start

WORKFLOW = "ModelTrainingWorkflow"
QUEUE = "scoring"
log = structlog.get_logger()


class TrainingActivities(TrainingContract):
    """Trains models in parts. Task queue `scoring`."""

    def __init__(self, database: Database, clock: Clock, learner: Learner) -> None:
        """Take the system of record, the clock, and who learns."""
        self._database = database
        self._clock = clock
        self._learner = learner

    @activity.defn(name="plan_training")
    async def plan_training(self, request: TrainingInput) -> PlanTrainingResult:
        """Note that a training begins, and choose the dates to look back at."""
        return PlanTrainingResult(await plan_dates(self._database, self._clock, request.target, request.key))

    @activity.defn(name="gather_samples")
    async def gather_samples(self, request: GatherSamplesInput) -> GatherSamplesResult:
        """Look at everyone as of each date that is not kept yet."""
        async with beating():
            dates, rows = await gather_dates(self._database, self._learner, request.key, request.dates)
        return GatherSamplesResult(dates, rows)

    @activity.defn(name="train_model")
    async def train_model(self, request: TrainModelInput) -> TrainModelResult:
        """Learn in a thread, so that heartbeats go on, and file a challenger."""
        async with beating():
            model = await train_filed(self._database, self._clock, self._learner, request.key)
        return TrainModelResult(model)

    @activity.defn(name="judge_model")
    async def judge_model(self, request: TrainModelInput) -> JudgeModelResult:
        """Hold the challenger against what is in use."""
        async with beating():
            state = await judge_filed(self._database, self._clock, self._learner, request.key)
        log.info("training finished", training=request.key, state=state.value if state else None)
        return JudgeModelResult(state)


async def promote_shadows(database: Database, clock: Clock) -> list[str]:
    """Make champions of the models that have scored enough nights in shadow; return their names."""
    promoted = []
    async with database.transaction() as session:
        nights = (await load_policy(session)).risk.shadow_nights
        for one in await load_in_use(session, (ModelState.SHADOW,)):
            seen = await shadow_nights(session, one.name)
            if seen >= nights:
                shares = await shadow_shares(session, one.name)
                why = f"won its trial and scored {seen} nights in shadow{_told(shares)}"
                await promote(session, one.name, "shadow", why, clock.now())
                promoted.append(one.name)
        if promoted:
            await announce_change(session)
    return promoted


def _told(shares: dict[str, float]) -> str:
    return "; " + ", ".join(f"{tier} {share:.1%}" for tier, share in shares.items()) if shares else ""


async def due_training(database: Database, clock: Clock) -> ModelTarget | None:
    """Return what is to be trained now, one at a time; None where nothing is due."""
    async with database.transaction() as session:
        departures, newest = await count_departures(session, clock.now()), await newest_start(session)
        for target in ModelTarget:
            last = await last_training(session, target)
            if is_due(last, newest, departures, clock.now(), clock.wall_now()):
                return target
    return None


async def start_due_training(database: Database, clock: Clock, date: dt.date) -> None:
    """Start the training that is due, if any: its id keeps a date from being trained twice."""
    target = await due_training(database, clock)
    if target is None:
        return
    request = TrainingInput(target, date)
    with contextlib.suppress(WorkflowAlreadyStartedError):
        await activity.client().start_workflow(
            WORKFLOW,
            request,
            id=f"train/{request.key}",
            task_queue=QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
