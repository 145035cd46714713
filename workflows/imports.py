"""One import: plan, file after file, finish, then score everyone. It decides when; activities do the work."""

import uuid

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError
from temporalio.workflow import ParentClosePolicy

from workflows import policies

with workflow.unsafe.imports_passed_through():
    from activities.contracts_imports import (
        FinishImportInput,
        FinishImportResult,
        ImportContract,
        ImportFileInput,
        PlanImportInput,
    )
    from activities.contracts_scoring import PlanShardsInput

SCORING = "PortfolioScoringWorkflow"


@workflow.defn(name="ImportWorkflow")
class ImportWorkflow:
    """Ends with the run recorded as done or failed, whatever happens in between."""

    def __init__(self) -> None:
        """Begin before the first file."""
        self._files, self._done = 0, 0

    @workflow.query
    def progress(self) -> tuple[int, int]:
        """Return how many files are done, of how many."""
        return self._done, self._files

    @workflow.run
    async def run(self, request: PlanImportInput) -> FinishImportResult:
        """Import everything and return what is to be scored."""
        error = await self._import(request)
        result = await workflow.execute_activity_method(
            ImportContract.finish_import,
            FinishImportInput(request.import_id, error),
            task_queue=policies.BULK_QUEUE,
            start_to_close_timeout=policies.IMPORT_STEP.start_to_close,
            heartbeat_timeout=policies.IMPORT_STEP.heartbeat,
            retry_policy=policies.IMPORT_STEP.retry,
        )
        if error is None:
            await self._score(request, result)
        return result

    async def _import(self, request: PlanImportInput) -> str | None:
        """Return None, or the sentence that says why the import ended before its time."""
        try:
            plan = await workflow.execute_activity_method(
                ImportContract.plan_import,
                request,
                task_queue=policies.BULK_QUEUE,
                start_to_close_timeout=policies.IMPORT_STEP.start_to_close,
                heartbeat_timeout=policies.IMPORT_STEP.heartbeat,
                retry_policy=policies.IMPORT_STEP.retry,
            )
            self._files = plan.files
            for file in range(plan.files):
                await self._import_file(ImportFileInput(request.import_id, file))
                self._done = file + 1
        except ActivityError as error:
            return _sentence(error)
        return None

    async def _import_file(self, request: ImportFileInput) -> None:
        await workflow.execute_activity_method(
            ImportContract.import_file,
            request,
            task_queue=policies.BULK_QUEUE,
            start_to_close_timeout=policies.IMPORT_FILE.start_to_close,
            heartbeat_timeout=policies.IMPORT_FILE.heartbeat,
            retry_policy=policies.IMPORT_FILE.retry,
        )

    async def _score(self, request: PlanImportInput, result: FinishImportResult) -> None:
        """Start the scoring of everyone; it lives on by itself."""
        if result.score_date is None:
            return
        await workflow.start_child_workflow(
            SCORING,
            PlanShardsInput(result.score_date),
            id=f"score/{result.score_date}/{workflow_id(request.import_id)}",
            task_queue=policies.SCORING_QUEUE,
            parent_close_policy=ParentClosePolicy.ABANDON,
        )


def _sentence(error: ActivityError) -> str:
    if isinstance(error.cause, CancelledError):
        return "It was stopped by a person."
    if isinstance(error.cause, ApplicationError):
        return error.cause.message
    return f"{error.activity_type} did not succeed: {error.cause or error}"


def workflow_id(import_id: uuid.UUID) -> str:
    """Return the id of an import's workflow."""
    return f"import/{import_id}"
