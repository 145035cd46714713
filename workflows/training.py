"""One training of one model: gather, learn, judge. Each part is repeated until done."""

from temporalio import workflow

from workflows import policies

with workflow.unsafe.imports_passed_through():
    from activities.contracts_training import (
        GatherSamplesInput,
        JudgeModelResult,
        TrainingContract,
        TrainingInput,
        TrainModelInput,
    )


@workflow.defn(name="ModelTrainingWorkflow")
class ModelTrainingWorkflow:
    """Plan, gather date after date, train, judge. Its id is `train/<target>/<date>`."""

    @workflow.run
    async def run(self, request: TrainingInput) -> JudgeModelResult:
        """Train one model and say where it stands."""
        plan = await workflow.execute_activity_method(
            TrainingContract.plan_training,
            request,
            start_to_close_timeout=policies.SCORING_STEP.start_to_close,
            retry_policy=policies.SCORING_STEP.retry,
        )
        if not plan.dates:
            return JudgeModelResult(None)
        await workflow.execute_activity_method(
            TrainingContract.gather_samples,
            GatherSamplesInput(request.key, plan.dates),
            start_to_close_timeout=policies.TRAINING.start_to_close,
            heartbeat_timeout=policies.TRAINING.heartbeat,
            retry_policy=policies.TRAINING.retry,
        )
        trained = await workflow.execute_activity_method(
            TrainingContract.train_model,
            TrainModelInput(request.key),
            start_to_close_timeout=policies.TRAINING.start_to_close,
            heartbeat_timeout=policies.TRAINING.heartbeat,
            retry_policy=policies.TRAINING.retry,
        )
        if trained.model is None:
            return JudgeModelResult(None)
        return await workflow.execute_activity_method(
            TrainingContract.judge_model,
            TrainModelInput(request.key),
            start_to_close_timeout=policies.TRAINING.start_to_close,
            heartbeat_timeout=policies.TRAINING.heartbeat,
            retry_policy=policies.TRAINING.retry,
        )
