"""Workflows changed as a careless hand would change them: each must fail on the recorded histories."""

import asyncio
import datetime as dt

from temporalio import workflow

from activities.contracts import (
    DecideResult,
    InterventionRunState,
    LifecycleState,
    SendEmailInput,
    SendEmailResult,
)
from activities.contracts_imports import FinishImportResult, ImportFileInput, PlanImportInput
from activities.contracts_scoring import CalendarState, PlanShardsInput, ScoreShardResult
from activities.contracts_training import (
    JudgeModelResult,
    TrainingContract,
    TrainingInput,
    TrainModelInput,
)
from domain.vocabulary import Outcome
from workflows.calendar import CalendarWorkflow
from workflows.imports import ImportWorkflow
from workflows.intervention import InterventionWorkflow
from workflows.lifecycle import CustomerLifecycleWorkflow
from workflows.scoring import PortfolioScoringWorkflow
from workflows.training import ModelTrainingWorkflow


@workflow.defn(name="CustomerLifecycleWorkflow")
class ShowsAfterItActs(CustomerLifecycleWorkflow):
    """Search attributes are published after the starts, not before."""

    @workflow.init
    def __init__(self, state: LifecycleState) -> None:
        super().__init__(state)
        self._kept: DecideResult | None = None

    @workflow.run
    async def run(self, state: LifecycleState) -> None:
        await super().run(state)

    def _show(self, result: DecideResult) -> None:
        self._kept = result

    async def _carry_out(self, result: DecideResult) -> None:
        await super()._carry_out(result)
        if self._kept is not None:
            super()._show(self._kept)


@workflow.defn(name="CustomerLifecycleWorkflow")
class RingsBeforeItStarts(CustomerLifecycleWorkflow):
    """Open runs are rung before new ones are started."""

    @workflow.init
    def __init__(self, state: LifecycleState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: LifecycleState) -> None:
        await super().run(state)

    async def _carry_out(self, result: DecideResult) -> None:
        for intervention_id in result.rings:
            await self._ring(intervention_id)
        for start in result.starts:
            await self._start(start)


@workflow.defn(name="InterventionWorkflow")
class RestsBeforeItSends(InterventionWorkflow):
    """A moment passes before each message."""

    @workflow.init
    def __init__(self, state: InterventionRunState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: InterventionRunState) -> Outcome:
        return await super().run(state)

    async def _deliver(self, order: SendEmailInput) -> SendEmailResult | None:
        await asyncio.sleep(1)
        return await super()._deliver(order)


@workflow.defn(name="PortfolioScoringWorkflow")
class RestsBeforeItPlans(PortfolioScoringWorkflow):
    """A timer before the plan."""

    @workflow.init
    def __init__(self, request: PlanShardsInput) -> None:
        super().__init__(request)

    @workflow.run
    async def run(self, request: PlanShardsInput) -> ScoreShardResult:
        await asyncio.sleep(1)
        return await super().run(request)


@workflow.defn(name="CalendarWorkflow")
class ScoresFirst(CalendarWorkflow):
    """A night is scored before the clock is asked."""

    @workflow.init
    def __init__(self, state: CalendarState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CalendarState) -> None:
        await self._score(dt.date(2026, 3, 1))
        await super().run(state)


@workflow.defn(name="ImportWorkflow")
class RestsBeforeItReads(ImportWorkflow):
    """A moment passes before each file."""

    @workflow.run
    async def run(self, request: PlanImportInput) -> FinishImportResult:
        return await super().run(request)

    async def _import_file(self, request: ImportFileInput) -> None:
        await asyncio.sleep(1)
        await super()._import_file(request)


@workflow.defn(name="ModelTrainingWorkflow")
class LearnsBeforeItGathers(ModelTrainingWorkflow):
    """A model is asked for before anybody has looked at the customers."""

    @workflow.run
    async def run(self, request: TrainingInput) -> JudgeModelResult:
        await workflow.execute_activity_method(
            TrainingContract.train_model,
            TrainModelInput(request.key),
            start_to_close_timeout=dt.timedelta(hours=1),
        )
        return await super().run(request)


MUTANTS = (
    ShowsAfterItActs,
    RingsBeforeItStarts,
    RestsBeforeItSends,
    RestsBeforeItPlans,
    ScoresFirst,
    RestsBeforeItReads,
    LearnsBeforeItGathers,
)
