"""The lives that the replay corpus is recorded from: one per path through a workflow's code.

Whoever adds a path adds a scene. Workflows and servers are real, and so are Postgres and the activities of
the decision loop; nights and imports have activities that only answer.
"""

import datetime as dt
import uuid
from collections.abc import AsyncIterator

from temporalio import activity
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.contracts import Wake
from activities.contracts_imports import (
    FinishImportInput,
    FinishImportResult,
    ImportContract,
    ImportFileInput,
    ImportFileResult,
    PlanImportInput,
    PlanImportResult,
)
from activities.contracts_scoring import (
    CalendarContract,
    CalendarState,
    FinishScoringInput,
    NextNightInput,
    NextNightResult,
    PlanShardsInput,
    PlanShardsResult,
    ScoreShardInput,
    ScoreShardResult,
    ScoringContract,
    Shard,
)
from domain.nights import next_night
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import CustomerStatus, NoticeKind, RiskTier, SignalKind, TaskOutcome
from integrations.fake_email import FakeEmailSender
from integrations.faults import Fault, FaultRule
from models.database import Database
from models.installation import start_effects, stop_effects
from models.playbooks import load_library
from tests.replay import scenes_cases, scenes_touches
from tests.replay.recording import Recorded, Scene, begin_life, decline, record, record_customer, record_run
from tests.replay.scenes_pulls import pull_history
from tests.replay.scenes_training import trainings
from tests.support.binaries import time_skipping_server
from tests.support.devserver import running_dev_server
from tests.support.loop import LIBRARY, running_loop
from tests.support.runs import one_letter, open_run, start_run
from tests.support.scenario import Scenario
from tests.workflows.kills import MONDAY_AT_TEN, Site, heard
from workers.main import sandbox
from workflows.calendar import CALENDAR_ID, CalendarWorkflow
from workflows.imports import ImportWorkflow
from workflows.scoring import PortfolioScoringWorkflow

HOUR = dt.timedelta(hours=1)
WHOLE, BROKEN = uuid.UUID(int=7), uuid.UUID(int=8)


async def saved(database: Database) -> AsyncIterator[Recorded]:
    """A decline, a letter, a return: the run ends as saved, and the customer's workflow hears of it."""
    async with running_loop(database) as loop:
        scene = await begin_life(loop)
        await decline(loop, scene)
        await loop.live(3)
        await scene.resolve_signal(SignalKind.USAGE_DROP, loop.clock.now())
        await loop.live(3)
        yield await record_run(loop, scene, "intervention-saved-after-a-letter")
        yield await record_customer(loop, scene, "customer-decline-and-return")


async def unanswered(database: Database) -> AsyncIterator[Recorded]:
    """Nobody answers: letters, a task, its timeout, and the window's end."""
    async with running_loop(database) as loop:
        scene = await begin_life(loop)
        await decline(loop, scene)
        await loop.live(32)
        yield await record_run(loop, scene, "intervention-without-an-answer")


async def replaced(database: Database) -> AsyncIterator[Recorded]:
    """A high risk becomes critical: one run is ended from outside, another starts; the customer leaves."""
    async with running_loop(database) as loop:
        scene = await begin_life(loop)
        await decline(loop, scene)
        await loop.live(1)
        await scene.set_tier(RiskTier.CRITICAL, now=loop.clock.now())
        await loop.live(1)
        await scene.finish("Today: call", TaskOutcome.REACHED, loop.clock.now())
        await loop.live(2)
        await scene.change(status=CustomerStatus.CHURNED)
        await scene.tell(NoticeKind.CUSTOMER_CHURNED, {}, loop.clock.now())
        await loop.live(1)
        yield await record_run(loop, scene, "intervention-replaced", 0)
        yield await record_run(loop, scene, "intervention-churned", 1)
        yield await record_customer(loop, scene, "customer-escalated-and-gone")


async def put_off(database: Database) -> AsyncIterator[Recorded]:
    """A stopped installation puts letters off; the switch lets them go by a ring."""
    async with running_loop(database) as loop:
        scene = await begin_life(loop)
        async with database.transaction() as session:
            await stop_effects(session, loop.clock.now())
        await decline(loop, scene)
        await loop.live(2.5)
        async with database.transaction() as session:
            await start_effects(session, loop.clock.now(), loop.clock.wall_now())
        await loop.live(2)
        yield await record_run(loop, scene, "intervention-put-off-and-let-go")


async def in_doubt(database: Database) -> AsyncIterator[Recorded]:
    """A letter of which nobody can say whether it left, and one that the provider could not take at first."""
    sender = FakeEmailSender(has_look_up=False)
    async with running_loop(database, sender) as loop:
        scene = await begin_life(loop)
        await loop.pass_time(2 * HOUR)
        sender.faults.put(FaultRule("", Fault.ACCEPT_THEN_DROP, 1))
        run_id = await open_run(database, one_letter(), scene.customer_id, loop.clock.now())
        await start_run(loop.client, run_id)
        await loop.live(10)
        yield await record(loop.client, "intervention-in-doubt", f"intervention/{run_id}")
        sender.faults.put(FaultRule("", Fault.UNAVAILABLE, 5))
        document = one_letter(key="another-letter")
        run_id = await open_run(database, document, scene.customer_id, loop.clock.now())
        await start_run(loop.client, run_id)
        await loop.live(3)
        yield await record(loop.client, "intervention-tried-again", f"intervention/{run_id}")


async def quiet(database: Database) -> AsyncIterator[Recorded]:
    """A customer of whom nothing is heard: the silence's deadline, twice."""
    async with running_loop(database) as loop:
        scene = await begin_life(loop)
        await loop.live(70)
        yield await record_customer(loop, scene, "customer-quiet")


async def continued(database: Database) -> AsyncIterator[Recorded]:
    """A customer of whom much is heard, on a dev server that soon suggests to continue as new."""
    with running_dev_server() as server:
        site = Site(database, await server.client(), server.address, "http://127.0.0.1:9")
        async with database.transaction() as session:
            await load_library(session, LIBRARY, MONDAY_AT_TEN)
        await site.begin()
        scene = await Scenario(database, MONDAY_AT_TEN).begin()
        await scene.open_signal(SignalKind.USAGE_DROP)
        await scene.set_tier(RiskTier.HIGH)
        name = f"customer/{scene.customer_id}"
        with site.worker():
            await heard(site, scene)
            first = await site.client.get_workflow_handle(name).describe()
            for _ in range(8):
                await scene.tell(NoticeKind.CUSTOMER_CHANGED, {})
                await heard(site, scene)
            yield await record(site.client, "customer-until-continued", name, first.run_id)
            yield await record(site.client, "customer-continued", name)


class _Nights(CalendarContract, ScoringContract, ImportContract):
    """Activities that only answer."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self._env = env

    @activity.defn(name="next_night")
    async def next_night(self, request: NextNightInput) -> NextNightResult:
        now = BusinessInstant(await self._env.get_current_time())
        night = next_night(now, request.scored)
        return NextNightResult(night.due_date, Wake(night.next_due, WallInstant(night.next_due)))

    @activity.defn(name="plan_shards")
    async def plan_shards(self, _request: PlanShardsInput) -> PlanShardsResult:
        shards = tuple(Shard(uuid.UUID(int=number), uuid.UUID(int=number + 1), 2) for number in range(10))
        return PlanShardsResult(BusinessInstant(await self._env.get_current_time()), shards)

    @activity.defn(name="score_shard")
    async def score_shard(self, request: ScoreShardInput) -> ScoreShardResult:
        return ScoreShardResult(scored=request.shard.customers)

    @activity.defn(name="finish_scoring")
    async def finish_scoring(self, _request: FinishScoringInput) -> None:
        return None

    @activity.defn(name="plan_import")
    async def plan_import(self, _request: PlanImportInput) -> PlanImportResult:
        return PlanImportResult(files=3)

    @activity.defn(name="import_file")
    async def import_file(self, request: ImportFileInput) -> ImportFileResult:
        if request.import_id == BROKEN:
            raise ApplicationError("the file is gone", non_retryable=True)
        return ImportFileResult(rows_read=3, stored=2, duplicates=1, quarantined=0)

    @activity.defn(name="finish_import")
    async def finish_import(self, _request: FinishImportInput) -> FinishImportResult:
        return FinishImportResult(dt.date(2026, 3, 1))


async def nights(_database: Database) -> AsyncIterator[Recorded]:
    """Some nights of the calendar with their scoring, and an import that ends in one."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=time_skipping_server(),
        data_converter=pydantic_data_converter,
        identity="everstay",
    ) as env:
        answers, client = _Nights(env), env.client
        flows = Worker(
            client,
            task_queue="lifecycle",
            workflows=[CalendarWorkflow, ImportWorkflow],
            workflow_runner=sandbox(),
        )
        scoring = Worker(
            client,
            task_queue="scoring",
            workflows=[PortfolioScoringWorkflow],
            activities=[answers.plan_shards, answers.score_shard, answers.finish_scoring],
            workflow_runner=sandbox(),
        )
        clock = Worker(client, task_queue="decisions", activities=[answers.next_night])
        bulk = Worker(
            client,
            task_queue="bulk",
            activities=[answers.plan_import, answers.import_file, answers.finish_import],
        )
        async with flows, scoring, clock, bulk:
            await client.start_workflow(
                CalendarWorkflow.run, CalendarState(), id=CALENDAR_ID, task_queue="lifecycle"
            )
            await env.sleep(dt.timedelta(days=3))
            await client.get_workflow_handle(CALENDAR_ID).signal("ring")
            await env.sleep(HOUR)
            yield await record(client, "calendar-three-nights", CALENDAR_ID)
            night = (await env.get_current_time()).date()
            yield await record(client, "scoring-ten-shards", f"score/{night}")
            for name, import_id in (("import-three-files", WHOLE), ("import-that-failed", BROKEN)):
                await client.execute_workflow(
                    ImportWorkflow.run,
                    PlanImportInput(import_id),
                    id=f"import/{import_id}",
                    task_queue="lifecycle",
                )
                yield await record(client, name, f"import/{import_id}")


async def pulls(_database: Database) -> AsyncIterator[Recorded]:
    """A connection that is read, refused, paused, resumed and removed."""
    async for history in pull_history():
        yield Recorded("pull-until-removed", history)


SCENES: tuple[Scene, ...] = (
    *scenes_touches.SCENES,
    *scenes_cases.SCENES,
    saved,
    unanswered,
    replaced,
    put_off,
    in_doubt,
    quiet,
    continued,
    nights,
    pulls,
    trainings,
)
