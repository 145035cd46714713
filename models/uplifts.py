"""What playbooks were measured to save, by segment: kept each night, read with every decision and message."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from domain.impact import ImpactReport
from domain.time import BusinessInstant
from domain.uplift import Uplift, Uplifts
from domain.vocabulary import Segment
from models.digests import keep_digest, read_digest

UPLIFTS = "measured_uplifts"


async def keep_uplifts(session: AsyncSession, report: ImpactReport, now: BusinessInstant) -> None:
    """Put a night's figures in the place of those before; what is not measured any more is declared again."""
    found = {
        one.playbook: {
            part.segment: part.uplift.model_dump(mode="json")
            for part in one.segments
            if part.uplift is not None
        }
        for one in report.playbooks
    }
    await keep_digest(session, UPLIFTS, now, {key: parts for key, parts in found.items() if parts})


async def load_uplifts(session: AsyncSession) -> Uplifts:
    """Return them, none before the first night."""
    kept = await read_digest(session, UPLIFTS)
    return read_uplifts(kept.document if kept is not None else None)


def read_uplifts(document: dict[str, Any] | None) -> Uplifts:
    """Return what a digest says."""
    return {
        (key, Segment(segment)): Uplift.model_validate(told)
        for key, parts in (document or {}).items()
        for segment, told in parts.items()
    }
