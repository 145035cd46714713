"""What people think of a customer beside rules and model: verdicts, forecasts, and where they differ."""

import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.disagreement import Voices
from domain.stances import Stance
from domain.time import BusinessInstant
from models.disagreements import is_right
from models.forecasts import ForecastLine, load_forecasts
from models.health_overrides import OverrideLine, load_overrides
from models.tables.customers import CustomerRow
from models.tables.judgement import DisagreementRow
from models.tables.people import UserRow

MOST = 200
OF_CUSTOMER = 5


@dataclass(frozen=True)
class DisagreementLine:
    """One disagreement, from first sight to who was right."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    arr_minor: int
    currency: str
    voices: Voices
    began_at: BusinessInstant
    opened_at: BusinessInstant | None
    due_at: BusinessInstant | None
    decided: Stance | None
    decided_at: BusinessInstant | None
    decided_by: str | None
    by_policy: str | None
    ended_at: BusinessInstant | None
    left: bool | None

    @property
    def state(self) -> str:
        """`seen`, `open`, `decided` or `over`."""
        if self.ended_at is not None:
            return "over"
        if self.decided is not None:
            return "decided"
        return "open" if self.opened_at is not None else "seen"

    @property
    def right(self) -> dict[str, bool]:
        """Who was right, by view, once it is known."""
        if self.left is None:
            return {}
        said = self.voices.said() | ({"decision": self.decided} if self.decided else {})
        return {name: is_right(stance, left=self.left) for name, stance in said.items()}


@dataclass(frozen=True)
class Judgement:
    """Everything of one customer, the newest first."""

    overrides: list[OverrideLine]
    forecasts: list[ForecastLine]
    disagreements: list[DisagreementLine]

    @property
    def override(self) -> OverrideLine | None:
        """The verdict that a person has set and that has not ended."""
        return next((one for one in self.overrides if one.ended_at is None), None)


@dataclass(frozen=True)
class Score:
    """How often one view was right about those who left or stayed, where views differed."""

    name: str
    right: int
    of: int


@dataclass(frozen=True)
class Disagreements:
    """The newest disagreements of the portfolio that were put to people, and who was right so far."""

    lines: list[DisagreementLine]
    scores: list[Score]

    def count(self, state: str) -> int:
        """Return how many of the lines are in a state."""
        return sum(line.state == state for line in self.lines)


async def load_judgement(session: AsyncSession, customer_id: uuid.UUID) -> Judgement:
    """Return what people think of one customer."""
    of_customer = _lines().where(DisagreementRow.customer_id == customer_id).limit(OF_CUSTOMER)
    return Judgement(
        await load_overrides(session, customer_id),
        await load_forecasts(session, customer_id),
        [_line(row) for row in (await session.execute(of_customer)).all()],
    )


async def load_disagreements(session: AsyncSession) -> Disagreements:
    """Return what was put to people, those that wait first, and how often each view was right."""
    row = DisagreementRow
    asked = _lines().where(row.opened_at.is_not(None)).limit(MOST)
    lines = [_line(one) for one in (await session.execute(asked)).all()]
    order = ("open", "decided", "over")
    lines.sort(key=lambda line: order.index(line.state))
    return Disagreements(lines, await _scores(session))


async def _scores(session: AsyncSession) -> list[Score]:
    """Count over everything that was ever judged."""
    row = DisagreementRow
    query = select(row.health, row.risk, row.csm, row.decided, row.left).where(row.left.is_not(None))
    right: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for health, risk, csm, decided, left in (await session.execute(query)).all():
        said = Voices(health, risk, csm).said() | ({"decision": decided} if decided else {})
        for name, stance in said.items():
            whole[name] += 1
            right[name] += is_right(stance, left=bool(left))
    return [Score(name, right[name], whole[name]) for name in ("health", "risk", "csm", "decision")]


def _lines() -> Any:
    row = DisagreementRow
    return (
        select(row, CustomerRow.name, CustomerRow.arr_minor, CustomerRow.currency, UserRow.name)
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .outerjoin(UserRow, UserRow.id == row.decided_by_id)
        .order_by(row.began_at.desc(), row.id)
    )


def _line(found: Any) -> DisagreementLine:
    row, customer, arr_minor, currency, decided_by = found
    return DisagreementLine(
        row.id,
        row.customer_id,
        customer,
        arr_minor,
        currency,
        Voices(row.health, row.risk, row.csm),
        row.began_at,
        row.opened_at,
        row.due_at,
        row.decided,
        row.decided_at,
        decided_by,
        row.by_policy,
        row.ended_at,
        row.left,
    )
