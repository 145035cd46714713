"""Ends the win-back of who is back, in the transaction that stores the return."""

import uuid
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseKind, CaseState
from domain.time import BusinessInstant, WallInstant
from domain.win_back import decide_win_back
from domain.win_back_policy import WinBackPolicy
from models.arrays import among_ids
from models.cases import CaseEnding, end_case, read_case, ring_case
from models.effects import abandon_claims
from models.tables.cases import CaseRow
from models.win_back_state import NOTHING_SEEN, load_win_back_state
from models.win_backs import write_decision

BACK = "they are customers again"


async def end_returned(
    session: AsyncSession, customer_ids: Collection[uuid.UUID], now: BusinessInstant, wall: WallInstant
) -> None:
    """End the cases of customers that are back, with their label, and ring their workflows.

    What could still be used, such as a discount, is taken back at the provider first: such a case is closed
    by its workflow, and sends nothing from now on. The caller holds the customers' locks.
    """
    row = CaseRow
    open_ones = (row.kind == CaseKind.WIN_BACK, row.state != CaseState.ENDED)
    query = select(row.id).where(among_ids(row.customer_id, customer_ids), *open_ones)
    for case_id in (await session.scalars(query.order_by(row.customer_id))).all():
        case = await read_case(session, case_id)
        state = await load_win_back_state(session, case, NOTHING_SEEN, now)
        decision = decide_win_back(state, WinBackPolicy.model_validate(case.policy), now)
        await write_decision(session, case, state, decision, now)
        if decision.ending is not None:
            ending = CaseEnding(decision.ending.outcome, decision.ending.sentence)
            await end_case(session, case, ending, now, wall)
        else:
            await abandon_claims(session, f"case/{case.id}/letter", BACK)
        await ring_case(session, case_id, wall)
