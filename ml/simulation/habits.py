"""What people of the sample portfolio do with what lands on their desk: when, and with what outcome."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from domain.time import BusinessInstant
from domain.vocabulary import TaskOutcome

LEFT_OPEN = 0.08
"""Share of tasks that ours never get to."""
TASK_HOURS = (3.0, 44.0)
MAIL_HOURS = (1.0, 26.0)
WORK_HOURS = range(7, 18)
FRIDAY = 4
OUTCOMES = {
    TaskOutcome.REACHED: 0.6,
    TaskOutcome.RESOLVED: 0.15,
    TaskOutcome.NO_ANSWER: 0.2,
    TaskOutcome.NOT_NEEDED: 0.05,
    TaskOutcome.APPROVED: 0.85,
    TaskOutcome.REJECTED: 0.15,
}
"""How often each, among those that a task may end with: a question ends with one of the last two."""
SPOKE = frozenset({TaskOutcome.REACHED, TaskOutcome.RESOLVED})
NOTES = {
    TaskOutcome.REACHED: "Spoke with them; they know what to do next.",
    TaskOutcome.RESOLVED: "Solved it together on a call.",
    TaskOutcome.NO_ANSWER: "Nobody answered; left a message.",
    TaskOutcome.NOT_NEEDED: "They had sorted it out already.",
    TaskOutcome.APPROVED: "Fine as it is.",
    TaskOutcome.REJECTED: "Not now, please.",
}


@dataclass(frozen=True)
class TaskHabit:
    """What one of ours does with one task."""

    finishes_at: BusinessInstant | None
    outcome: TaskOutcome

    @property
    def note(self) -> str:
        """What they write down."""
        return NOTES[self.outcome]

    @property
    def spoke(self) -> bool:
        """They spoke with the customer."""
        return self.outcome in SPOKE


def task_habit(
    seed: int, key: str, created_at: BusinessInstant, allowed: Collection[TaskOutcome]
) -> TaskHabit:
    """Return what becomes of a task, by its key and by what it may end with."""
    random = Random(f"{seed}/{key}")
    is_left, hours = random.random() < LEFT_OPEN, random.uniform(*TASK_HOURS)
    shares = {outcome: share for outcome, share in OUTCOMES.items() if outcome in allowed}
    outcome = random.choices(list(shares), list(shares.values()))[0]
    finishes = BusinessInstant(created_at + dt.timedelta(hours=hours))
    return TaskHabit(None if is_left else finishes, outcome)


@dataclass(frozen=True)
class MailHabit:
    """What a customer's person does with one message."""

    read_at: BusinessInstant
    opens: bool
    clicks: bool
    answers: bool


def mail_habit(seed: int, key: str, arrived_at: BusinessInstant, engagement: float) -> MailHabit:
    """Return what becomes of a message, by its key: engaged people read more of their mail."""
    random = Random(f"{seed}/{key}")
    read_at = BusinessInstant(arrived_at + dt.timedelta(hours=random.uniform(*MAIL_HOURS)))
    opens = random.random() < 0.35 + 0.4 * min(1.0, engagement)
    clicks, answers = random.random() < 0.35, random.random() < 0.12  # noqa: PLR2004 - a third, few
    return MailHabit(read_at, opens, opens and clicks, opens and answers)


def is_working_time(now: BusinessInstant) -> bool:
    """Tell whether ours are at work."""
    return now.weekday() <= FRIDAY and now.hour in WORK_HOURS
