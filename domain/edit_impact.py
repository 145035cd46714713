"""What a new version of a playbook means for each open run, and where it puts a run that takes it up.

Pure. Asked twice: for the table that people see before they publish, and again, with the customer's row
locked, when the edit reaches each run, since runs go on in between.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from domain.calendar import spread
from domain.documents import END
from domain.errors import InvalidInputError
from domain.playbook import Playbook
from domain.playbook_diff import RULES, Kind, compared, timeless
from domain.playbook_steps import Step
from domain.playbook_words import name_of
from domain.run_state import Position
from domain.time import BusinessInstant, after
from domain.vocabulary import StepState

HERD = 25
"""So many waits may end at once; more than that are spread."""
HERD_SPAN = timedelta(hours=4)


class Effect(StrEnum):
    """What an edit means for one run."""

    UNAFFECTED = "unaffected"
    RETIMED = "retimed"
    CHANGED = "changed"
    STRANDED = "stranded"


class OnOpen(StrEnum):
    """What becomes of a run that is open."""

    PIN = "pin"
    MIGRATE = "migrate"
    RESTART = "restart"


@dataclass(frozen=True)
class Choices:
    """What a publisher has chosen for open runs, overall and where it differs by what the edit means."""

    overall: OnOpen = OnOpen.PIN
    by_effect: Mapping[Effect, OnOpen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        if self.by_effect.get(Effect.STRANDED) is OnOpen.MIGRATE:
            reason = "a run whose step is gone has nowhere to go on: choose pin or restart"
            raise InvalidInputError(field="stranded", reason=reason)

    def of(self, found: "Impact") -> OnOpen:
        """Return what becomes of a run for which the edit means this; stranded ones stay if nobody chose."""
        if found.must_stay:
            return OnOpen.PIN
        if found.effect is Effect.STRANDED:
            return self.by_effect.get(found.effect, OnOpen.PIN)
        return self.by_effect.get(found.effect, self.overall)


@dataclass(frozen=True)
class RunAt:
    """Where one open run stands."""

    run_id: uuid.UUID
    position: Position
    row_state: StepState | None = None
    """The record of its current visit."""


@dataclass(frozen=True)
class Impact:
    """What an edit means for one run, in words and in time."""

    effect: Effect
    sentence: str
    was_due: BusinessInstant | None = None
    will_be_due: BusinessInstant | None = None
    must_stay: bool = False
    """It is in the middle of a step that the new version lacks: whoever carries it out must find it."""

    def is_due_at_once(self, now: BusinessInstant) -> bool:
        """Whether taking the edit up ends a wait now that would have gone on."""
        was, will = self.was_due, self.will_be_due
        return was is not None and will is not None and will <= now < was


def impact(old: Playbook, new: Playbook, at: RunAt) -> Impact:
    """Return what going on in the new version would mean for a run of the old one."""
    current = at.position.step
    stranded = _stranded(old, new, at)
    if stranded is not None:
        return Impact(Effect.STRANDED, stranded, must_stay=_must_stay(old, new, at))
    ahead = _ahead(old, current) | _ahead(new, current)
    kinds = {name: kind for name in sorted(ahead) if (kind := _kind(old, new, name)) is not None}
    rules = {name: kind for name in RULES if (kind := _rule(old, new, name)) is not None}
    was, will = due_of(old, at.position), _new_due(old, new, at.position)
    found = {**kinds, **rules}
    if not found:
        return Impact(Effect.UNAFFECTED, "Nothing ahead of it changes.", was, will)
    if all(kind == "retimed" for kind in found.values()):
        return Impact(Effect.RETIMED, f"Times change: {_listed(found)}.", was, will)
    return Impact(Effect.CHANGED, f"What is ahead changes: {_listed(found)}.", was, will)


def _listed(names: Mapping[str, Kind]) -> str:
    most = 5
    said = [name.replace("_", " ") for name in names]
    return ", ".join(said[:most]) + (f" and {len(said) - most} more" if len(said) > most else "")


def _stranded(old: Playbook, new: Playbook, at: RunAt) -> str | None:
    """Say why a run cannot go on where it stands, None where it can."""
    current = at.position.step
    if at.position.answering_since is not None and old.steps[0].id != new.steps[0].id:
        return "It rests until an answer is dealt with, and the first step has changed."
    before, now = _step_at(old, current), _step_at(new, current)
    if before is None:
        return None
    if now is None:
        return f"Its current step {name_of(current)} is gone."
    changes = {
        f"Its current step {name_of(current)} does something else now.": before.kind != now.kind,
        f"It is in the middle of {name_of(current)}, which has changed.": (
            at.row_state is StepState.STARTED and before != now
        ),
        f"Its wait {name_of(current)} is for something else now.": not _same_wait(before, now, at.position),
    }
    return next((sentence for sentence, is_so in changes.items() if is_so), None)


def _must_stay(old: Playbook, new: Playbook, at: RunAt) -> bool:
    before, now = _step_at(old, at.position.step), _step_at(new, at.position.step)
    is_known = before is not None and now is not None and before.kind == now.kind
    return at.row_state is StepState.STARTED and not is_known


def _same_wait(before: Step, now: Step, position: Position) -> bool:
    old, new = before.wait, now.wait
    if old is None or new is None:
        return True
    names = ("duration", "until_date", "until_window", "event", "condition")
    same_kind = all((getattr(old, name) is None) == (getattr(new, name) is None) for name in names)
    awaited = new.step is None or new.step == old.step or new.step in position.visits
    return same_kind and old.event == new.event and awaited


def _ahead(playbook: Playbook, current: str | None) -> set[str]:
    """Return the steps that a run may still come by: also where a change of its cause may turn it."""
    if current == END:
        starts: set[str] = set()
    else:
        starts = {current or playbook.steps[0].id}
    rules = playbook.recalibration
    turns = {name for name in (rules.step_down, rules.step_up) if name is not None}
    known = {step.id for step in playbook.steps}
    reached = {name for start in (starts | turns) & known for name in playbook.ahead_of(start)}
    return (starts | turns | reached) & known


def _kind(old: Playbook, new: Playbook, name: str) -> Kind | None:
    before = next((step for step in old.steps if step.id == name), None)
    now = next((step for step in new.steps if step.id == name), None)
    if before is None or now is None:
        return "added" if before is None else "removed"
    if old.after(before) != new.after(now) or timeless(before) != timeless(now):
        return "changed"
    return compared(before, now)


def _rule(old: Playbook, new: Playbook, name: str) -> Kind | None:
    before, now = getattr(old, name), getattr(new, name)
    if name == "exits":
        return None if before == now else "changed"
    return compared(before, now)


def due_of(playbook: Playbook, position: Position) -> BusinessInstant | None:
    """Return when the current wait is over by time in this version of it."""
    length = span_of(playbook, position)
    if length is not None and position.entered_at is not None:
        return after(position.entered_at, length)
    return position.due_at


def _new_due(old: Playbook, new: Playbook, position: Position) -> BusinessInstant | None:
    """Return when it would be over in the new version; what counts from a date moves by the difference."""
    due = due_of(new, position)
    before, now = _step_at(old, position.step), _step_at(new, position.step)
    was, becomes = (one.wait.until_date if one is not None and one.wait else None for one in (before, now))
    if due is None or was is None or becomes is None:
        return due
    return after(due, becomes.offset - was.offset) if was.date is becomes.date else None


def _step_at(playbook: Playbook, step_id: str | None) -> Step | None:
    return next((step for step in playbook.steps if step.id == step_id), None)


def span_of(playbook: Playbook, position: Position) -> timedelta | None:
    """Return how long the current step waits from when it was entered, where it waits by a span."""
    step = _step_at(playbook, position.step)
    if step is None:
        return None
    if step.wait is not None:
        return step.wait.duration or step.wait.timeout
    if step.schedule_meeting is not None and position.is_invited:
        return step.schedule_meeting.timeout
    if step.offer is not None:
        return step.offer.decide_in
    return None


def move(
    choice: OnOpen,
    new: Playbook,
    at: RunAt,
    started_at: BusinessInstant,
    now: BusinessInstant,
    *,
    spreads: bool,
) -> Position:
    """Return where a run stands in the new version.

    Visits go on counting, so that an effect of the new version never has the key of an old one. A wait that
    is over at once is, where many are, moved apart by a delay that is always the same for a run.
    """
    if choice is OnOpen.RESTART:
        return _from_the_start(at.position, started_at, now)
    length = span_of(new, at.position)
    due = due_of(new, at.position)
    if not spreads or length is None or due is None or due > now:
        return at.position
    apart = after(now, spread(str(at.run_id), HERD_SPAN))
    return at.position.model_copy(update={"entered_at": after(apart, -length), "due_at": apart})


def _from_the_start(position: Position, started_at: BusinessInstant, now: BusinessInstant) -> Position:
    """Begin again: what was heard stays heard, counts go on, and the goal gets its whole window again."""
    return Position(
        visits=position.visits,
        replies=position.replies,
        reply_heard_at=position.reply_heard_at,
        touch_heard_at=position.touch_heard_at,
        reversed_since=position.reversed_since,
        paused_since=position.paused_since,
        paused_for=now - started_at,
    )
