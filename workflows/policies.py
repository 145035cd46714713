"""Every timeout and retry policy, by name. Nothing retries for ever by accident."""

from dataclasses import dataclass
from datetime import timedelta

from temporalio.common import RetryPolicy


@dataclass(frozen=True)
class ActivityPolicy:
    """How long one attempt may take, and how attempts follow each other."""

    start_to_close: timedelta
    retry: RetryPolicy
    heartbeat: timedelta | None = None


DECISION = ActivityPolicy(
    timedelta(seconds=10),
    RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1), maximum_attempts=0
    ),
)
"""Decisions touch only our database: they are retried until it answers; oversleeping is monitored."""

SEND = ActivityPolicy(
    timedelta(seconds=10),
    RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1), maximum_attempts=50
    ),
)
"""Effects: the ledger makes a repeated attempt safe; providers' own waits come as next_retry_delay."""

CONTINUE_AS_NEW_AFTER = timedelta(days=90)
"""The longest life of one run of an entity, so that patches can retire."""

LIFECYCLE_QUEUE = "lifecycle"
DECISIONS_QUEUE = "decisions"
EMAIL_QUEUE = "email"

WORKFLOW_TASK = timedelta(seconds=5)
"""How soon a workflow task that a killed worker held is given to another."""
