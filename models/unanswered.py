"""Letters of customers that end a run: somebody is asked to answer, since the run asks nobody any more."""

import datetime as dt
import uuid

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.directives import OpenHeadsUp
from domain.run_state import Position
from domain.time import BusinessInstant
from domain.vocabulary import Channel, Direction, Outcome, Severity, TaskState
from models.rulings import open_heads_up
from models.runs import EVERSTAY, LoadedRun
from models.tables.ledger import TouchpointRow
from models.tables.work import TaskRow

KEY = "reply"
"""One warning per customer: whoever answers the last letter has read those before it."""
IN_REPLY = "/reply"
"""How the keys of tasks end that ask for an answer."""


async def warn_of_unanswered(
    session: AsyncSession, run: LoadedRun, position: Position, outcome: Outcome, now: BusinessInstant
) -> None:
    """Warn whoever looks after the customer of a letter that came to this run and that nobody has in hand.

    Called after the run's own tasks are closed, the one that asked for an answer too.
    """
    replied = run.view.replied_at
    heard = position.reply_heard_at
    if outcome is Outcome.CHURNED or replied is None or (heard is not None and heard >= replied):
        return
    if not await _is_open(session, run.customer_id, run.view.started_at):
        return
    title = f"{run.texts['customer']} has answered: write back"
    body = (
        f"Their letter has ended the run of “{run.playbook.name}”, so that nothing else asks you to answer. "
        "It is in the mailbox that replies go to."
    )
    await open_heads_up(session, run.customer_id, OpenHeadsUp(KEY, Severity.HIGH, title, body), now)


async def _is_open(session: AsyncSession, customer_id: uuid.UUID, since: dt.datetime) -> bool:
    """Tell whether their last letter is newer than what our people did, and no task asks for an answer."""
    touch = TouchpointRow
    mine = (touch.customer_id == customer_id, touch.occurred_at >= since)
    letter = select(func.max(touch.occurred_at)).where(
        *mine, touch.direction == Direction.IN, touch.channel == Channel.EMAIL
    )
    ours = select(func.max(touch.occurred_at)).where(
        *mine, touch.direction == Direction.OUT, touch.source_id != EVERSTAY
    )
    replies = (TaskRow.customer_id == customer_id) & TaskRow.effect_key.endswith(IN_REPLY)
    done = select(func.max(TaskRow.closed_at)).where(replies & (TaskRow.state == TaskState.DONE))
    asked = select(func.count()).where(replies & TaskRow.state.in_([TaskState.OPEN, TaskState.SNOOZED]))
    columns = [one.scalar_subquery() for one in (letter, ours, done, asked)]
    written, spoken, answered, open_tasks = (await session.execute(select(*columns))).one()
    dealt_with = max((at for at in (spoken, answered) if at is not None), default=None)
    return written is not None and not open_tasks and (dealt_with is None or dealt_with < written)
