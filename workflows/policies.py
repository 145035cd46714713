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
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1), maximum_attempts=100
    ),
)
"""Effects: the ledger makes a repeated attempt safe; providers' own waits come as next_retry_delay.

What the provider cannot do, the activity itself puts off or puts to a person after a few attempts. What is
left is our own database being away: it is waited for, since giving up would fail a run without an outcome.
"""

PERFORM = ActivityPolicy(timedelta(seconds=60), SEND.retry, heartbeat=timedelta(seconds=10))
"""Steps done elsewhere: other people's systems may take their time; a refusal ends the step, not the run.

The heartbeat tells a slow system from a worker that is gone.
"""

CASE_LOOK = ActivityPolicy(
    timedelta(seconds=30),
    RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5), maximum_attempts=0
    ),
)
"""A look at a case asks the billing provider first: what it cannot answer is asked again until it does.

Nothing is charged or sent on old evidence, so there is nothing better to do than to wait for it.
"""

CASE_DEED = ActivityPolicy(timedelta(seconds=30), SEND.retry)
"""A charge, a discount, the end of a subscription: one idempotency key makes a repeated attempt safe."""

SCORING_STEP = ActivityPolicy(
    timedelta(seconds=30),
    RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1), maximum_attempts=60
    ),
)
"""Planning and ending a night's scoring: short; a database that is away is waited for, for an hour."""

SCORING_SHARD = ActivityPolicy(
    timedelta(minutes=10),
    RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1), maximum_attempts=60
    ),
    heartbeat=timedelta(seconds=30),
)
"""One part of the portfolio: it heartbeats after each batch and goes on from there when repeated."""

TRAINING = ActivityPolicy(timedelta(hours=12), SCORING_SHARD.retry, heartbeat=timedelta(seconds=30))
"""A part of a training: gathering goes on behind the last date that was kept, learning begins anew."""

NIGHTS_PER_RUN = 90
"""Nights after which the calendar leaves its history behind."""

IMPORT_STEP = ActivityPolicy(
    timedelta(hours=1),
    RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=100
    ),
    heartbeat=timedelta(seconds=10),
)
"""Planning and finishing an import: a repeated attempt does the same again."""

IMPORT_FILE = ActivityPolicy(timedelta(hours=24), IMPORT_STEP.retry, heartbeat=timedelta(seconds=10))
"""One file of an import: a repeated attempt goes on behind the last batch that was committed."""

PULL_STREAM = ActivityPolicy(
    timedelta(hours=24),
    RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5), maximum_attempts=50
    ),
    heartbeat=timedelta(seconds=10),
)
"""One stream of a provider: a repeated attempt goes on behind the last page. What the provider asks for in
Retry-After comes as next_retry_delay; after some hours of failures the pass ends, and the next one tries."""

PASSES_PER_RUN = 50
"""Passes over a connection after which its workflow leaves its history behind."""

CONTINUE_AS_NEW_AFTER = timedelta(days=90)
"""The longest life of one run of an entity, so that patches can retire."""

LIFECYCLE_QUEUE = "lifecycle"
DECISIONS_QUEUE = "decisions"
EMAIL_QUEUE = "email"
BILLING_QUEUE = "billing"
BULK_QUEUE = "bulk"
SCORING_QUEUE = "scoring"

WORKFLOW_TASK = timedelta(seconds=5)
"""How soon a workflow task that a killed worker held is given to another."""
