"""Who polls which task queue: the one proof that a worker works."""

from datetime import UTC, datetime

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from settings import Settings
from workers.embedded.children import Probe
from workers.embedded.connection import connect_temporal

KINDS = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)


def queues_are_polled(settings: Settings, queues: tuple[str, ...]) -> Probe:
    """Return a probe that wants a poller of this very process (by its identity, pid@host) on every queue."""
    clients: list[Client] = []

    async def probe(pid: int) -> bool:
        if not clients:
            clients.append(await connect_temporal(settings))
        return all([await last_poll(clients[0], queue, f"{pid}@") for queue in queues])

    return probe


async def last_poll(client: Client, queue: str, identity: str = "") -> datetime | None:
    """Return when a worker whose identity starts so last asked for work; the server forgets after minutes."""
    found = []
    for kind in KINDS:
        request = DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )
        answer = await client.workflow_service.describe_task_queue(request)
        found += [p.last_access_time for p in answer.pollers if p.identity.startswith(identity)]
    return max((stamp.ToDatetime(tzinfo=UTC) for stamp in found), default=None)
