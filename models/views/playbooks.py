"""Playbooks as people read them: the list with how runs ended, and one document."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import InterventionState, Motion, Outcome
from models.tables.playbooks import InterventionRow, PlaybookRow, PlaybookVersionRow


@dataclass(frozen=True)
class PlaybookLine:
    """One playbook with its current document and the runs of all its versions."""

    key: str
    name: str
    motion: Motion
    version: int
    released_at: BusinessInstant | None
    archived_at: BusinessInstant | None
    published_at: BusinessInstant
    document: dict[str, Any]
    outcomes: tuple[tuple[Outcome, int], ...]
    states: tuple[tuple[InterventionState, int], ...]

    @property
    def runs(self) -> int:
        """All runs, open and ended."""
        return sum(count for _, count in self.states)


async def _counts(session: AsyncSession) -> list[tuple[str, InterventionState, Outcome | None, int]]:
    run = InterventionRow
    query = select(run.playbook_key, run.state, run.outcome, func.count()).group_by(
        run.playbook_key, run.state, run.outcome
    )
    return [(row[0], row[1], row[2], row[3]) for row in await session.execute(query)]


async def load_playbooks(session: AsyncSession) -> tuple[PlaybookLine, ...]:
    """Return every playbook in two queries, those in use first."""
    row, version = PlaybookRow, PlaybookVersionRow
    current = (version.playbook_key == row.key) & (version.version == row.current_version)
    query = (
        select(
            row.key,
            row.name,
            row.motion,
            row.current_version,
            row.released_at,
            row.archived_at,
            version.published_at,
            version.document,
        )
        .join(version, current)
        .order_by(row.archived_at.is_not(None), row.name)
    )
    counts = await _counts(session)
    return tuple(_line(each, counts) for each in await session.execute(query))


def _line(row: Any, counts: list[tuple[str, InterventionState, Outcome | None, int]]) -> PlaybookLine:
    states: Counter[InterventionState] = Counter()
    outcomes: Counter[Outcome] = Counter()
    for key, state, outcome, count in counts:
        if key == row[0]:
            states[state] += count
            if outcome is not None:
                outcomes[outcome] += count
    values: list[Any] = [*row, tuple(outcomes.most_common()), tuple(states.most_common())]
    return PlaybookLine(*values)


async def load_playbook(session: AsyncSession, key: str) -> PlaybookLine:
    """Return one playbook, or raise NotFoundError."""
    found = next((line for line in await load_playbooks(session) if line.key == key), None)
    if found is None:
        raise NotFoundError(what="playbook", key=key)
    return found
