"""Prove that a queue is served: the doctor asks every queue, and a queue without other work answers too."""

from temporalio import activity


@activity.defn(name="ping")
async def ping() -> str:
    """Return the task queue that answered."""
    return activity.info().task_queue
