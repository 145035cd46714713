"""What outcomes proposed as weights of health, once a quarter, and what people made of it."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError, NotFoundError
from domain.time import BusinessInstant
from models.changes import announce_change
from models.hands import Hand
from models.tables.judgement import WeightProposalRow

SHOWN = 12
Document = dict[str, dict[str, float]]
"""Weights by segment and component."""


@dataclass(frozen=True)
class WeightProposal:
    """One proposal, or one change that a person made without one."""

    id: uuid.UUID
    quarter: str | None
    proposed_at: BusinessInstant
    present: Document
    proposed: Document
    evidence: dict[str, dict[str, Any]]
    answer: str | None
    is_open: bool
    answered_at: BusinessInstant | None
    answered_by: str | None
    note: str | None


COLUMNS = (
    WeightProposalRow.id,
    WeightProposalRow.quarter,
    WeightProposalRow.proposed_at,
    WeightProposalRow.present,
    WeightProposalRow.proposed,
    WeightProposalRow.evidence,
    WeightProposalRow.answer,
    WeightProposalRow.is_open,
    WeightProposalRow.answered_at,
    WeightProposalRow.answered_by,
    WeightProposalRow.note,
)


async def is_proposed(session: AsyncSession, quarter: str) -> bool:
    """Tell whether outcomes were asked in this quarter already."""
    query = select(WeightProposalRow.id).where(WeightProposalRow.quarter == quarter)
    return await session.scalar(query) is not None


async def keep_proposal(
    session: AsyncSession,
    quarter: str,
    present: Document,
    proposed: Document,
    evidence: dict[str, Any],
    now: BusinessInstant,
) -> None:
    """Keep what outcomes propose; one that still waited gives way. A quarter's second changes nothing."""
    row = WeightProposalRow
    statement = upsert(row).values(
        id=uuid.uuid4(),
        quarter=quarter,
        proposed_at=now,
        present=present,
        proposed=proposed,
        evidence=evidence,
        is_open=present != proposed,
    )
    fresh = await session.scalar(
        statement.on_conflict_do_nothing(index_elements=["quarter"]).returning(row.id)
    )
    if fresh is not None:
        older = update(row).where(row.is_open, row.id != fresh)
        await session.execute(older.values(is_open=False, answer="superseded", answered_at=now))
        await announce_change(session)


async def load_proposals(session: AsyncSession) -> list[WeightProposal]:
    """Return the newest proposals and changes, the newest first."""
    row = WeightProposalRow
    query = select(*COLUMNS).order_by(row.proposed_at.desc(), row.id).limit(SHOWN)
    return [WeightProposal(*one) for one in await session.execute(query)]


async def load_proposal(session: AsyncSession, proposal_id: uuid.UUID) -> WeightProposal:
    """Return one, or raise NotFoundError."""
    query = select(*COLUMNS).where(WeightProposalRow.id == proposal_id)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFoundError(what="proposal", key=proposal_id)
    return WeightProposal(*found)


async def decline_proposal(session: AsyncSession, proposal_id: uuid.UUID, note: str, by: Hand) -> None:
    """Keep the weights in force; raises NotFoundError, and ConflictError where it was answered already."""
    await _answer(session, proposal_id, "declined", note, by)
    await announce_change(session)


async def close_proposal(
    session: AsyncSession, proposal_id: uuid.UUID, saved: Document, note: str, by: Hand
) -> None:
    """Note that a proposal was put in force, as it was or edited; raises as declining does."""
    proposal = await load_proposal(session, proposal_id)
    await _answer(session, proposal_id, "accepted" if saved == proposal.proposed else "edited", note, by)
    if saved != proposal.proposed:
        await note_weights(session, proposal.present, saved, note, by)


async def note_weights(
    session: AsyncSession, present: Document, saved: Document, note: str, by: Hand
) -> None:
    """Note weights that a person set."""
    await session.execute(
        insert(WeightProposalRow).values(
            id=uuid.uuid4(),
            proposed_at=by.now,
            present=present,
            proposed=saved,
            evidence={},
            answer="set",
            is_open=False,
            answered_at=by.now,
            answered_by=by.name,
            answered_by_id=by.user_id,
            note=note.strip() or None,
        )
    )


async def _answer(session: AsyncSession, proposal_id: uuid.UUID, answer: str, note: str, by: Hand) -> None:
    row = WeightProposalRow
    values = {"answer": answer, "is_open": False, "answered_at": by.now, "answered_by": by.name}
    statement = update(row).where(row.id == proposal_id, row.is_open)
    done = await session.scalar(
        statement.values(**values, answered_by_id=by.user_id, note=note.strip() or None).returning(row.id)
    )
    if done is None:
        await load_proposal(session, proposal_id)
        raise ConflictError(what="The proposal", reason="it was answered in the meantime")
