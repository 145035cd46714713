"""What scenes of the replay corpus have in common: a life begins, declines, and is fetched as a history."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from temporalio.client import Client, WorkflowHistory

from domain.vocabulary import RiskTier, SignalKind
from models.database import Database
from tests.support.loop import Loop
from tests.support.scenario import Scenario


@dataclass(frozen=True)
class Recorded:
    """One history under the name of its file."""

    name: str
    history: WorkflowHistory


Scene = Callable[[Database], AsyncIterator[Recorded]]


async def begin_life(loop: Loop) -> Scenario:
    """Let a customer come into being, and its workflow decide for the first time."""
    scene = await Scenario(loop.database, loop.clock.now()).begin()
    await loop.ring()
    await loop.decided(scene.customer_id)
    return scene


async def decline(loop: Loop, scene: Scenario) -> None:
    """Let its use fall, and the tier with it."""
    await scene.open_signal(SignalKind.USAGE_DROP, loop.clock.now())
    await scene.set_tier(RiskTier.HIGH, now=loop.clock.now())
    await loop.ring()


async def record(client: Client, name: str, workflow_id: str, run_id: str | None = None) -> Recorded:
    """Fetch one history, of one run of the workflow where that is named."""
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    return Recorded(name, await handle.fetch_history())


async def record_run(loop: Loop, scene: Scenario, name: str, place: int = 0) -> Recorded:
    """Fetch the history of one of its runs."""
    run = (await scene.runs())[place]
    return await record(loop.client, name, f"intervention/{run.id}")


async def record_customer(loop: Loop, scene: Scenario, name: str) -> Recorded:
    """Fetch the history of its own workflow."""
    return await record(loop.client, name, f"customer/{scene.customer_id}")
