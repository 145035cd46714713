"""One night's scoring of everyone, in parts that run side by side and are each repeated until done."""

import asyncio

from temporalio import workflow

from workflows import policies

with workflow.unsafe.imports_passed_through():
    from activities.contracts_scoring import (
        FinishScoringInput,
        PlanShardsInput,
        ScoreShardInput,
        ScoreShardResult,
        ScoringContract,
        ScoringProgress,
        Shard,
    )
    from domain.time import BusinessInstant

AT_ONCE = 8
"""Parts under way at a time, so that a large portfolio does not fill the queue."""


def workflow_id(business_date: object) -> str:
    """Return the id of the scoring of one business date: there is one, however often it is asked for."""
    return f"score/{business_date}"


@workflow.defn(name="PortfolioScoringWorkflow")
class PortfolioScoringWorkflow:
    """Plan, score in parts, add up."""

    @workflow.init
    def __init__(self, request: PlanShardsInput) -> None:
        """Begin with nothing done."""
        self._progress = ScoringProgress(request.business_date)
        self._slots = asyncio.Semaphore(AT_ONCE)

    @workflow.query
    def progress(self) -> ScoringProgress:
        """Return how many parts are done, and what they found."""
        return self._progress

    @workflow.run
    async def run(self, request: PlanShardsInput) -> ScoreShardResult:
        """Score everyone as of one instant."""
        plan = await workflow.execute_activity_method(
            ScoringContract.plan_shards,
            request,
            start_to_close_timeout=policies.SCORING_STEP.start_to_close,
            retry_policy=policies.SCORING_STEP.retry,
        )
        self._progress.shards = len(plan.shards)
        await asyncio.gather(*(self._score(shard, plan.as_of) for shard in plan.shards))
        await workflow.execute_activity_method(
            ScoringContract.finish_scoring,
            FinishScoringInput(request.business_date, self._progress.total),
            start_to_close_timeout=policies.SCORING_STEP.start_to_close,
            retry_policy=policies.SCORING_STEP.retry,
        )
        return self._progress.total

    async def _score(self, shard: Shard, as_of: BusinessInstant) -> None:
        async with self._slots:
            found = await workflow.execute_activity_method(
                ScoringContract.score_shard,
                ScoreShardInput(shard, as_of),
                start_to_close_timeout=policies.SCORING_SHARD.start_to_close,
                heartbeat_timeout=policies.SCORING_SHARD.heartbeat,
                retry_policy=policies.SCORING_SHARD.retry,
            )
        self._progress.total = self._progress.total.plus(found)
        self._progress.done += 1
