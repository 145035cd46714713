"""Workflows that do nothing: what any workflow costs on this server, at least."""

from temporalio import workflow


@workflow.defn
class EmptyWorkflow:
    """Begins and ends."""

    @workflow.run
    async def run(self) -> None:
        """Do nothing."""


@workflow.defn
class EmptyEntity:
    """Begins, and ends when it is rung."""

    def __init__(self) -> None:
        """Start unrung."""
        self._rung = False

    @workflow.signal
    def ring(self) -> None:
        """End."""
        self._rung = True

    @workflow.run
    async def run(self) -> None:
        """Wait for the ring."""
        await workflow.wait_condition(lambda: self._rung)
