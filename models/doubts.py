"""What a person is asked about an effect in doubt. The question stays until somebody knows the answer.

It outlives the run or the case that asked for the effect: what may have happened in the world did so whether
or not anybody still waits for it.
"""

from sqlalchemy import ColumnElement, func, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import TaskState
from models.tables.work import TaskRow

_ENDS_WITH = "/uncertain"
CONFIRMED = "The provider has confirmed since that it took it."


def question_about(effect_key: str) -> str:
    """Return the key of the question about an effect, or about what has this origin: asked once."""
    return effect_key.rpartition("/")[0] + _ENDS_WITH


def is_question() -> ColumnElement[bool]:
    """Tell whether a task asks about an effect in doubt."""
    return func.coalesce(TaskRow.effect_key, "").endswith(_ENDS_WITH, autoescape=True)


async def close_question(
    session: AsyncSession, effect_key: str, now: BusinessInstant, note: str = CONFIRMED
) -> None:
    """Close what was asked about an effect of which a provider has told by now."""
    mine = (
        TaskRow.effect_key == question_about(effect_key),
        TaskRow.state.in_([TaskState.OPEN, TaskState.SNOOZED]),
    )
    closed = {"state": TaskState.CANCELLED, "closed_at": now, "note": note}
    await session.execute(update(TaskRow).where(*mine).values(closed))
