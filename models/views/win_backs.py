"""Customers that have left: who is won back, who is lost, who is left alone, and what it brought."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Text, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseOutcome, CaseState
from domain.labels import Cause
from domain.time import BusinessInstant
from domain.win_back_effect import WinBackArm, WinBackEffect, compare
from models.resources.keyset import Order, Query
from models.tables.cases import CaseRow, WinBackRow
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.views.case_search import plain, read_page, searched
from models.views.dunning_totals import Sum

NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
COMPARED = frozenset({CaseOutcome.REACTIVATED, CaseOutcome.LOST})
"""Endings that a case comes to by itself: whom a person stopped says nothing of what works."""


class WinBackShow(StrEnum):
    """Which cases a list shows."""

    RUNNING = "running"
    REACTIVATED = "reactivated"
    LOST = "lost"
    STOPPED = "stopped"
    HELD_OUT = "held_out"


@dataclass(frozen=True)
class WinBackFilter:
    """What a person chose to see; empty means everything."""

    shows: tuple[WinBackShow, ...] = ()
    causes: tuple[Cause, ...] = ()
    owner: uuid.UUID | None = None
    search: str = ""
    sort: str = "left"
    descending: bool = True
    cursor: str | None = None


@dataclass(frozen=True)
class WinBackLine:
    """One customer that has left."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    csm: str | None
    number: int
    cause: Cause
    cancelled_at: BusinessInstant
    reason: str | None
    lost_arr_minor: int
    currency: str
    is_held_out: bool
    returned_at: BusinessInstant | None
    returned_arr_minor: int | None
    is_attributed: bool | None
    state: CaseState
    stage: str
    held_reason: str | None
    expected_wake_at: BusinessInstant | None
    next_action: str | None
    opened_at: BusinessInstant
    ended_at: BusinessInstant | None
    outcome: CaseOutcome | None


@dataclass(frozen=True)
class WinBackPage:
    """One page of the list, and the cursor of the next."""

    lines: tuple[WinBackLine, ...]
    next: str | None


@dataclass
class WinBackTotals:
    """The figures above the list, of all cases. Money is ARR."""

    cases: int = 0
    running: Sum = field(default_factory=Sum)
    reactivated: Sum = field(default_factory=Sum)
    """Returned revenue of whoever was not left alone by chance."""
    attributed: Sum = field(default_factory=Sum)
    """Of it, what came back within the window after we wrote."""
    lost: Sum = field(default_factory=Sum)
    held_out: Sum = field(default_factory=Sum)
    causes: dict[Cause, tuple[int, int]] = field(default_factory=dict)
    """How many left for a cause, and how many of them came back."""
    arms: dict[bool, WinBackArm] = field(default_factory=dict)

    @property
    def effect(self) -> WinBackEffect:
        """What it does, as far as it can be known."""
        nobody = WinBackArm(0, 0)
        return compare(self.arms.get(False, nobody), self.arms.get(True, nobody))


def line_query() -> Query:
    """Select lines by the names of their fields."""
    row = WinBackRow
    return (
        select(
            CaseRow.id,
            CaseRow.customer_id,
            CustomerRow.name.label("customer"),
            UserRow.name.label("csm"),
            row.number,
            row.cause,
            row.cancelled_at,
            row.reason,
            row.lost_arr_minor,
            row.currency,
            row.is_held_out,
            row.returned_at,
            row.returned_arr_minor,
            row.is_attributed,
            CaseRow.state,
            CaseRow.stage,
            CaseRow.held_reason,
            CaseRow.expected_wake_at,
            CaseRow.next_action,
            CaseRow.opened_at,
            CaseRow.ended_at,
            CaseRow.outcome,
        )
        .join(row, row.case_id == CaseRow.id)
        .join(CustomerRow, CustomerRow.id == CaseRow.customer_id)
        .outerjoin(UserRow, UserRow.id == CustomerRow.csm_id)
    )


def _shown(show: WinBackShow) -> ColumnElement[bool]:
    if show is WinBackShow.HELD_OUT:
        return WinBackRow.is_held_out.is_(True)
    if show is WinBackShow.RUNNING:
        return (CaseRow.state != CaseState.ENDED) & WinBackRow.is_held_out.is_(False)
    return CaseRow.outcome == CaseOutcome(show.value)


def _conditions(chosen: WinBackFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.shows:
        any_of = _shown(chosen.shows[0])
        for show in chosen.shows[1:]:
            any_of |= _shown(show)
        found.append(any_of)
    if chosen.causes:
        found.append(WinBackRow.cause.in_(chosen.causes))
    if chosen.owner is not None:
        found.append(CustomerRow.csm_id == chosen.owner)
    if chosen.search:
        found.append(searched(chosen.search, CustomerRow.name))
    return found


def _orders() -> Mapping[str, ColumnElement[Any]]:
    return {
        "left": WinBackRow.cancelled_at.expression,
        "arr": WinBackRow.lost_arr_minor.expression,
        "next": func.coalesce(CaseRow.expected_wake_at, literal(NEVER, CaseRow.opened_at.type)),
        "customer": func.lower(CustomerRow.name, type_=Text()),
    }


async def load_win_backs(session: AsyncSession, chosen: WinBackFilter) -> WinBackPage:
    """Return one page of the list; it stays stable while cases come and go."""
    order = Order(chosen.sort, _orders()[chosen.sort], CaseRow.id.expression, descending=chosen.descending)
    found = await read_page(session, line_query().where(*_conditions(chosen)), order, chosen.cursor)
    return WinBackPage(tuple(WinBackLine(**plain(row)) for row in found.rows), found.next)


async def load_win_back_totals(session: AsyncSession) -> WinBackTotals:
    """Return the totals in one query."""
    row = WinBackRow
    groups = (CaseRow.state, CaseRow.outcome, row.cause, row.is_held_out, row.is_attributed, row.currency)
    sums = (
        func.count().label("cases"),
        func.count(row.returned_at).label("returned"),
        func.sum(row.lost_arr_minor).label("lost_minor"),
        func.coalesce(func.sum(row.returned_arr_minor), 0).label("returned_minor"),
    )
    query = select(*groups, *sums).join(CaseRow, CaseRow.id == row.case_id).group_by(*groups)
    totals = WinBackTotals()
    for each in await session.execute(query):
        _count_share(totals, each)
        _count_money(totals, each)
    return totals


def _count_share(totals: WinBackTotals, row: Any) -> None:
    totals.cases += row.cases
    left, back = totals.causes.get(row.cause, (0, 0))
    totals.causes[row.cause] = left + row.cases, back + row.returned
    if row.outcome in COMPARED:
        arm = totals.arms.get(row.is_held_out, WinBackArm(0, 0))
        totals.arms[row.is_held_out] = WinBackArm(arm.cases + row.cases, arm.returned + row.returned)


def _count_money(totals: WinBackTotals, row: Any) -> None:
    lost, returned = int(row.lost_minor), int(row.returned_minor)
    if row.is_held_out:
        totals.held_out.add(row.cases, row.currency, lost)
    elif row.state is not CaseState.ENDED:
        totals.running.add(row.cases, row.currency, lost)
    elif row.outcome is CaseOutcome.LOST:
        totals.lost.add(row.cases, row.currency, lost)
    elif row.outcome is CaseOutcome.REACTIVATED:
        totals.reactivated.add(row.returned, row.currency, returned)
        if row.is_attributed:
            totals.attributed.add(row.returned, row.currency, returned)
