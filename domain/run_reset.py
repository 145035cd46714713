"""Where a run stands after a person has sent it back: nothing that it did is ever done a second time."""

from domain.run_state import Position
from domain.time import BusinessInstant


def sent_back(position: Position, step_id: str, now: BusinessInstant) -> Position:
    """Return the position at a new visit of a step.

    Visits are kept and counted on, so that effects and tasks get new keys; so are the answers and contacts
    that were dealt with, and the time that the run has rested.
    """
    return Position(
        step=step_id,
        entered_at=now,
        visits=position.visits | {step_id: position.visits.get(step_id, 0) + 1},
        paused_since=position.paused_since,
        paused_for=position.paused_for,
        replies=position.replies,
        reply_heard_at=position.reply_heard_at,
        touch_heard_at=position.touch_heard_at,
    )
