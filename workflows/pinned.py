"""Sequences as workers of a versioned deployment have them: each ends with the version that started it.

A server refuses a versioning behaviour from a worker without a version, so these stand beside the others.
"""

from temporalio import workflow
from temporalio.common import VersioningBehavior

from workflows.cases import DunningWorkflow, WinBackWorkflow
from workflows.intervention import InterventionWorkflow

with workflow.unsafe.imports_passed_through():
    from activities.contracts import InterventionRunState
    from activities.contracts_cases import CaseRunState
    from domain.case_vocabulary import CaseOutcome
    from domain.vocabulary import Outcome


@workflow.defn(name="InterventionWorkflow", versioning_behavior=VersioningBehavior.PINNED)
class PinnedInterventionWorkflow(InterventionWorkflow):
    """The same run, kept by its version."""

    @workflow.init
    def __init__(self, state: InterventionRunState) -> None:
        """Take the state that was carried over."""
        super().__init__(state)

    @workflow.run
    async def run(self, _state: InterventionRunState) -> Outcome:
        """Live until the run has an outcome, and return it."""
        return await super().run(_state)


@workflow.defn(name="DunningWorkflow", versioning_behavior=VersioningBehavior.PINNED)
class PinnedDunningWorkflow(DunningWorkflow):
    """The same case, kept by its version."""

    @workflow.init
    def __init__(self, state: CaseRunState) -> None:
        """Take the state that was carried over."""
        super().__init__(state)

    @workflow.run
    async def run(self, _state: CaseRunState) -> CaseOutcome:
        """Live until the case has an outcome, and return it."""
        return await super().run(_state)


@workflow.defn(name="WinBackWorkflow", versioning_behavior=VersioningBehavior.PINNED)
class PinnedWinBackWorkflow(WinBackWorkflow):
    """The same case, kept by its version."""

    @workflow.init
    def __init__(self, state: CaseRunState) -> None:
        """Take the state that was carried over."""
        super().__init__(state)

    @workflow.run
    async def run(self, _state: CaseRunState) -> CaseOutcome:
        """Live until the case has an outcome, and return it."""
        return await super().run(_state)
