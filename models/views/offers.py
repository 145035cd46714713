"""Everything that costs us: who was offered what, what it costs, what is left, and what came of it."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseKind, OfferState
from domain.time import BusinessInstant
from models.resources.keyset import Order, Query
from models.tables.cases import CaseRow, WinBackRow
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.tables.playbooks import InterventionRow, PlaybookRow
from models.tables.runs import OfferRow
from models.views.case_search import plain, read_page, searched
from models.views.dunning_totals import Sum

MONTHS = 12


class OfferOrigin(StrEnum):
    """What an offer belongs to."""

    RUN = "run"
    CASE = "case"


@dataclass(frozen=True)
class OfferFilter:
    """What a person chose to see; empty means everything."""

    states: tuple[OfferState, ...] = ()
    origins: tuple[OfferOrigin, ...] = ()
    kind: str = ""
    search: str = ""
    case: uuid.UUID | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class OfferLine:
    """One offer. Its code is the customer's and is shown to nobody here."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    run_id: uuid.UUID | None
    playbook: str | None
    case_id: uuid.UUID | None
    case_kind: CaseKind | None
    kind: str
    title: str
    percent: float | None
    months: int | None
    currency: str | None
    cost_minor: int | None
    margin: float | None
    evidence: dict[str, Any]
    state: OfferState
    proposed_at: BusinessInstant
    decided_at: BusinessInstant | None
    decided_by: str | None
    expires_at: BusinessInstant | None
    redeemed_at: BusinessInstant | None


@dataclass(frozen=True)
class OfferPage:
    """One page of offers, and the cursor of the next."""

    offers: tuple[OfferLine, ...]
    next: str | None


@dataclass
class OfferSums:
    """What offers of one month, or of all, cost and brought. Revenue is ARR."""

    proposed: int = 0
    granted: Sum = field(default_factory=Sum)
    """Agreed to, used or not."""
    redeemed: Sum = field(default_factory=Sum)
    """Used: only these cost us."""
    returned: Sum = field(default_factory=Sum)
    """Revenue of customers that came back with an offer that they used."""


@dataclass(frozen=True)
class OfferTotals:
    """The figures above the list, of all offers."""

    states: Mapping[OfferState, int]
    ever: OfferSums
    months: Sequence[tuple[dt.date, OfferSums]]
    """By the month of the proposal, the newest first."""
    kinds: tuple[str, ...]


GRANTED = (OfferState.GRANTED, OfferState.REDEEMED, OfferState.EXPIRED, OfferState.WITHDRAWN)


def offer_query() -> Query:
    """Select offers by the names of their fields."""
    row = OfferRow
    return (
        select(
            row.id,
            row.customer_id,
            CustomerRow.name.label("customer"),
            row.intervention_id.label("run_id"),
            PlaybookRow.name.label("playbook"),
            row.case_id,
            CaseRow.kind.label("case_kind"),
            row.kind,
            row.title,
            row.percent,
            row.months,
            row.currency,
            row.cost_minor,
            row.margin,
            row.evidence,
            row.state,
            row.proposed_at,
            row.decided_at,
            UserRow.name.label("decided_by"),
            row.expires_at,
            row.redeemed_at,
        )
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .outerjoin(UserRow, UserRow.id == row.decided_by_id)
        .outerjoin(CaseRow, CaseRow.id == row.case_id)
        .outerjoin(InterventionRow, InterventionRow.id == row.intervention_id)
        .outerjoin(PlaybookRow, PlaybookRow.key == InterventionRow.playbook_key)
    )


def _conditions(chosen: OfferFilter) -> list[ColumnElement[bool]]:
    row, found = OfferRow, list[ColumnElement[bool]]()
    if chosen.states:
        found.append(row.state.in_(chosen.states))
    if len(chosen.origins) == 1:
        column = row.case_id if chosen.origins[0] is OfferOrigin.CASE else row.intervention_id
        found.append(column.is_not(None))
    if chosen.kind:
        found.append(row.kind == chosen.kind)
    if chosen.case is not None:
        found.append(row.case_id == chosen.case)
    if chosen.search:
        found.append(searched(chosen.search, CustomerRow.name, row.title))
    return found


async def load_offers(session: AsyncSession, chosen: OfferFilter) -> OfferPage:
    """Return one page, the newest first."""
    at: ColumnElement[Any] = OfferRow.proposed_at.expression
    order = Order("proposed_at", at, OfferRow.id.expression, descending=True)
    found = await read_page(session, offer_query().where(*_conditions(chosen)), order, chosen.cursor)
    return OfferPage(tuple(OfferLine(**plain(row)) for row in found.rows), found.next)


async def load_offer_totals(session: AsyncSession) -> OfferTotals:
    """Return the totals in one query; a customer's returned revenue counts once per offer that they used."""
    row = OfferRow
    month = func.date_trunc("month", row.proposed_at, "UTC")
    currency = func.coalesce(row.currency, "")
    used = row.redeemed_at.is_not(None)
    query = (
        select(
            month,
            row.state,
            row.kind,
            row.decided_at.is_not(None),
            currency,
            WinBackRow.currency,
            func.count(),
            func.coalesce(func.sum(row.cost_minor), 0),
            func.coalesce(func.sum(WinBackRow.returned_arr_minor).filter(used), 0),
        )
        .outerjoin(WinBackRow, WinBackRow.case_id == row.case_id)
        .group_by(month, row.state, row.kind, row.decided_at.is_not(None), currency, WinBackRow.currency)
        .order_by(month.desc())
    )
    states, kinds, ever, months = dict[OfferState, int](), set[str](), OfferSums(), dict[dt.date, OfferSums]()
    for at, state, kind, decided, code, returned_in, count, cost, returned in await session.execute(query):
        states[state] = states.get(state, 0) + count
        kinds.add(kind)
        for sums in (ever, months.setdefault(at.date(), OfferSums())):
            sums.proposed += count
            if state in GRANTED and decided:
                sums.granted.add(count, code, int(cost))
            if state is OfferState.REDEEMED:
                sums.redeemed.add(count, code, int(cost))
                sums.returned.add(count if returned else 0, returned_in or "", int(returned))
    return OfferTotals(states, ever, list(months.items())[:MONTHS], tuple(sorted(kinds)))
