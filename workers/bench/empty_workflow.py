"""A workflow that does nothing: what any workflow costs on this server, at least."""

from temporalio import workflow


@workflow.defn
class EmptyWorkflow:
    """Begins and ends."""

    @workflow.run
    async def run(self) -> None:
        """Do nothing."""
