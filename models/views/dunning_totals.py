"""What dunning has come to: what is open, what was recovered and by whom, and how cases ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseOutcome, CaseState, PaidBy
from domain.time import BusinessInstant
from models.tables.cases import CaseRow, DunningRow


@dataclass
class Sum:
    """How many cases, and how much per currency; the amounts are added up one by one."""

    cases: int = 0
    minor: dict[str, int] = field(default_factory=dict)

    def add(self, cases: int, currency: str, minor: int) -> None:
        """Add some cases with their amount."""
        self.cases += cases
        if minor:
            self.minor[currency] = self.minor.get(currency, 0) + minor


@dataclass
class Recovered:
    """What came in, in all and by whom. What nobody is known to have brought about has no share."""

    total: Sum = field(default_factory=Sum)
    by: dict[PaidBy, Sum] = field(default_factory=dict)

    def add(self, by: PaidBy | None, cases: int, currency: str, minor: int) -> None:
        """Add what some cases recovered."""
        self.total.add(cases, currency, minor)
        if by is not None:
            self.by.setdefault(by, Sum()).add(cases, currency, minor)

    def share(self, by: PaidBy, currency: str) -> float:
        """Return the part of a currency's recovered money that came by somebody, 0 to 1."""
        whole = self.total.minor.get(currency, 0)
        mine = self.by[by].minor.get(currency, 0) if by in self.by else 0
        return mine / whole if whole else 0.0


@dataclass(frozen=True)
class DunningTotals:
    """The figures above the board, of all cases."""

    cases: int
    open: Sum
    held: Sum
    this_month: Recovered
    ever: Recovered
    outcomes: Mapping[CaseOutcome, Sum]
    """What was owed at the opening of cases that ended so."""


async def load_dunning_totals(session: AsyncSession, now: BusinessInstant) -> DunningTotals:
    """Return the totals in one query. Money counts in the month of its case's end, or of its last part."""
    row = DunningRow
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    is_new = func.coalesce(CaseRow.ended_at, row.anchored_at) >= month
    groups = (CaseRow.state, CaseRow.outcome, row.currency, row.recovered_by, is_new, row.recovered_minor > 0)
    query = (
        select(
            *groups,
            func.count(),
            func.sum(row.remaining_minor),
            func.sum(row.recovered_minor),
            func.sum(row.opened_minor),
        )
        .join(CaseRow, CaseRow.id == row.case_id)
        .group_by(*groups)
    )
    found = DunningTotals(0, Sum(), Sum(), Recovered(), Recovered(), {})
    total, outcomes = 0, dict[CaseOutcome, Sum]()
    for state, outcome, currency, by, new, paid, cases, owed, recovered, opened in await session.execute(
        query
    ):
        total += cases
        if outcome is not None:
            outcomes.setdefault(outcome, Sum()).add(cases, currency, int(opened))
        if state is not CaseState.ENDED:
            found.open.add(cases, currency, int(owed))
        if state is CaseState.HELD:
            found.held.add(cases, currency, int(owed))
        for sums in (found.ever, found.this_month) if new else (found.ever,):
            if paid:
                sums.add(by, cases, currency, int(recovered))
    return DunningTotals(total, found.open, found.held, found.this_month, found.ever, outcomes)
