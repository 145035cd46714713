"""What the page of effects reads: the night's report, who is left in peace, and the names of playbooks."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.do_not_disturb import DoNotDisturb
from domain.impact import ImpactReport
from domain.win_back_policy import KEY as WIN_BACK
from models.impact import load_do_not_disturb, load_report
from models.tables.playbooks import PlaybookRow


@dataclass(frozen=True)
class ImpactView:
    """Everything on the page."""

    report: ImpactReport
    policy: DoNotDisturb
    names: Mapping[str, str]
    """Of playbooks by their keys."""


async def load_impact(session: AsyncSession) -> ImpactView:
    """Return the page's contents in three queries."""
    return ImpactView(
        await load_report(session), await load_do_not_disturb(session), await playbook_names(session)
    )


async def playbook_names(session: AsyncSession) -> dict[str, str]:
    """Return what playbooks are called, archived ones too: their effects stay known. Win-back is none."""
    query = select(PlaybookRow.key, PlaybookRow.name).order_by(PlaybookRow.name)
    found = await session.execute(query)
    return {WIN_BACK: "Win-back", **{row.key: row.name for row in found}}
