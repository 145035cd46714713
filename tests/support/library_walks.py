"""Takes a shipped playbook through a run in memory, at one kind of customer, among one kind of people."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from domain.playbook import Playbook
from domain.run_state import Ending, MeetingRow, StepRow
from domain.time import BusinessInstant
from domain.vocabulary import CustomerDate, HealthStatus, StepState, TaskOutcome, TouchTier
from tests.support.walks import DAY, HOUR, START, Run

LONGEST = 300
"""So many looks at a run, before it is one that does not end."""
SPOKEN = {TaskOutcome.REACHED, TaskOutcome.RESOLVED}


@dataclass(frozen=True)
class World:
    """What a customer is."""

    touch_tier: TouchTier = TouchTier.MANAGED
    has_owner: bool = True
    health: HealthStatus | None = HealthStatus.NEUTRAL
    tier_rank: int = 1
    past_due_days: int = 0
    expected_loss: float = 0.0
    customer: int = 0


@dataclass(frozen=True)
class Behaviour:
    """What people do in a run: each is off unless it is named."""

    tasks: TaskOutcome | None = None
    """How our people finish what they are given, an hour later."""
    answers: TaskOutcome | None = None
    """How they answer where they are asked for a yes."""
    replies_to: int | None = None
    """Which message the customer answers, a day later."""
    meeting: str | None = None
    """What the customer says to an invitation; held means that the meeting takes place, too."""
    unreachable: bool = False
    reverses_after: timedelta | None = None
    worsens_after: timedelta | None = None
    renews_after: timedelta | None = None


@dataclass
class Life:
    """One run from its opening to its end, and what was seen of it."""

    playbook: Playbook
    world: World = field(default_factory=World)
    behaviour: Behaviour = field(default_factory=Behaviour)
    sends: list[tuple[str, timedelta]] = field(default_factory=list)
    first_send_was_seen_by_a_person: bool = True
    replied_after: timedelta | None = None
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        """Live it."""
        self.run = Run(self.playbook)
        self.run.view = replace(
            self.run.view,
            customer_id=uuid.UUID(int=self.world.customer),
            touch_tier=self.world.touch_tier,
            expected_loss=self.world.expected_loss,
            dates={CustomerDate.RENEWAL: BusinessInstant(START + 30 * DAY)},
        )
        self._live()

    @property
    def ending(self) -> Ending:
        """How it ended."""
        assert self.run.last.ending is not None
        return self.run.last.ending

    @property
    def visited(self) -> set[str]:
        """Every step that it came to."""
        return set(self.run.view.position.visits) - {"end"}

    @property
    def age(self) -> timedelta:
        """How long it has run."""
        return self.run.now - START

    def _live(self) -> None:
        progress = self.run.advance(facts=self._facts())
        for _ in range(LONGEST):
            if progress.ending is not None:
                return
            if progress.send is not None or progress.perform is not None:
                self._perform()
                progress = self.run.advance(facts=self._facts())
                continue
            changes = self._changes()
            if changes:
                progress = self.run.advance(HOUR, **changes)
                continue
            assert progress.wake_at is not None
            left = max(progress.wake_at - self.run.now, timedelta())
            step = min(left, DAY) if self._something_may_happen() else left
            progress = self.run.advance(step, facts=self._facts())
        raise AssertionError("the run did not end")

    def _perform(self) -> None:
        """Record what became of what was asked for, as its activity does."""
        order = self.run.last.send or self.run.last.perform
        assert order is not None
        key = (order.step_id, order.occurrence)
        if self.run.playbook.step(order.step_id).offer is None:  # a code reaches nobody
            if not self.sends:
                self.first_send_was_seen_by_a_person = bool(self.run.orders or self.run.warnings)
            self.sends.append((order.step_id, self.age))
        state = StepState.SKIPPED if self.behaviour.unreachable else StepState.DONE
        row = StepRow(*key, state, None, "no_recipient" if self.behaviour.unreachable else None)
        others = tuple(one for one in self.run.view.steps if (one.step_id, one.occurrence) != key)
        self.run.view = replace(self.run.view, steps=(*others, row))

    def _facts(self) -> dict[str, Any]:
        view, world = self.run.view, self.world
        done = [one.outcome for one in view.tasks if one.outcome is not None]
        return {
            "tier_rank": world.tier_rank,
            "past_due_days": world.past_due_days,
            "touch_tier": world.touch_tier.value,
            "has_owner": world.has_owner,
            "health_status": world.health.value if world.health else None,
            "causes_open": view.causes_hold,
            "replied": view.replied_at is not None,
            "last_task_outcome": done[-1].value if done else None,
        }

    def _changes(self) -> dict[str, Any]:
        """Return what happens now, once each; nothing for most of the time."""
        found = self._of_time() or self._of_the_customer() or self._of_our_people()
        if not found:
            return {}
        self.run.view = replace(self.run.view, **found)
        return {"facts": self._facts()}

    def _of_time(self) -> dict[str, Any]:
        does, view = self.behaviour, self.run.view
        if does.reverses_after is not None and view.causes_hold and self.age >= does.reverses_after:
            return {"causes_hold": False}
        if does.worsens_after is not None and not view.causes_are_worse and self.age >= does.worsens_after:
            return {"causes_are_worse": True}
        if does.renews_after is not None and not view.renewed and self.age >= does.renews_after:
            return {"renewed": True}
        return {}

    def _of_the_customer(self) -> dict[str, Any]:
        does, view, now = self.behaviour, self.run.view, self.run.now
        if view.replied_at is None and self._is_answered():
            self.replied_after = self.age
            return {"replied_at": now, "touched_at": now}
        asked = view.position.is_invited and not view.meetings
        if does.meeting is not None and asked:
            step = view.position.step or ""
            answer = "declined" if does.meeting == "declined" else "accepted"
            return {"meetings": (MeetingRow(step, view.position.visits[step], answer),)}
        if does.meeting == "held" and view.meetings and view.met_at is None:
            return {"met_at": now}
        return {}

    def _is_answered(self) -> bool:
        number = self.behaviour.replies_to
        return (
            number is not None and len(self.sends) >= number and self.age >= self.sends[number - 1][1] + DAY
        )

    def _something_may_happen(self) -> bool:
        """Tell whether a day may bring what the run does not wait for."""
        does, view = self.behaviour, self.run.view
        return (
            (does.reverses_after is not None and view.causes_hold)
            or (does.worsens_after is not None and not view.causes_are_worse)
            or (does.renews_after is not None and not view.renewed)
            or (does.replies_to is not None and view.replied_at is None)
        )

    def _of_our_people(self) -> dict[str, Any]:
        open_tasks = [one for one in self.run.view.tasks if one.is_open]
        asked = any(one.purpose in {"approval", "offer"} for one in open_tasks)
        outcome = self.behaviour.answers if asked else self.behaviour.tasks
        if not open_tasks or outcome is None:
            return {}
        self.run.finish_tasks(outcome)
        spoke = outcome in SPOKEN and any(
            order.kind in {"call", "meeting"} and order.purpose == "task" for order in self.run.orders[-1:]
        )
        return {"touched_at": self.run.now} if spoke else {"touched_at": self.run.view.touched_at}
