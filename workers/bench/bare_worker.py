"""A worker process of the empty workflows, beside the real ones."""

import asyncio
import os
import sys

from temporalio.worker import Worker

from settings import load_settings
from workers.bench.empty_workflow import EmptyEntity, EmptyWorkflow
from workers.embedded.connection import connect_temporal
from workers.embedded.runtime import locate
from workers.main import sandbox

QUEUE = "bench-bare"


async def work() -> None:
    """Poll until killed."""
    client = await connect_temporal(locate(load_settings()))
    flows = [EmptyWorkflow, EmptyEntity]
    async with Worker(client, task_queue=QUEUE, workflows=flows, workflow_runner=sandbox()):
        await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(work())
    finally:
        sys.stderr.flush()
        os._exit(0)  # as the command line itself does
