"""Unpaid invoices: the board by stage, and the list."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Text, case, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import Collection
from domain.case_vocabulary import AttemptResult, CaseOutcome, CaseState, PaidBy
from domain.money import IN_THOUSANDTHS, WITHOUT_MINOR_UNITS
from domain.time import BusinessInstant
from models.resources.keyset import Order, Query
from models.tables.cases import CaseRow, DunningRow, PaymentAttemptRow
from models.tables.customers import CustomerRow
from models.tables.facts import InvoiceRow
from models.tables.people import UserRow
from models.views.case_search import plain, read_page, searched

CARDS = 20
"""Cards of one stage on the board; the list has the others."""
NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class DunningFilter:
    """What a person chose to see; empty means everything that is not over."""

    stages: tuple[str, ...] = ()
    states: tuple[CaseState, ...] = ()
    outcomes: tuple[CaseOutcome, ...] = ()
    owner: uuid.UUID | None = None
    currency: str = ""
    least: int | None = None
    """Least amount that is still owed, in whole units of its own currency."""
    late_days: int | None = None
    search: str = ""
    sort: str = "amount"
    descending: bool = True
    cursor: str | None = None


@dataclass(frozen=True)
class DunningCard:
    """One invoice that is collected, as boards and lists show it."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    csm: str | None
    invoice: str
    currency: str
    remaining_minor: int
    opened_minor: int
    recovered_minor: int
    due_at: BusinessInstant
    collection: Collection
    decline_code: str | None
    decline_advice: str | None
    attempts: int
    allowed: int | None
    """Attempts that the policy of the case allows, None where it says nothing of them."""
    state: CaseState
    stage: str
    held_reason: str | None
    expected_wake_at: BusinessInstant | None
    next_action: str | None
    opened_at: BusinessInstant
    ended_at: BusinessInstant | None
    outcome: CaseOutcome | None
    recovered_by: PaidBy | None

    def days_late(self, now: BusinessInstant) -> int:
        """Return whole days since it was due; negative while it is not."""
        return (now - self.due_at).days


@dataclass(frozen=True)
class Stage:
    """One column of the board: how many cases, how much per currency, and the largest of them."""

    name: str
    cases: int
    owed: Mapping[str, int]
    cards: tuple[DunningCard, ...]


@dataclass(frozen=True)
class DunningPage:
    """One page of the list, and the cursor of the next."""

    cards: tuple[DunningCard, ...]
    next: str | None


def attempts_of(case_id: Any) -> Any:
    """Select how often we have tried to collect for a case."""
    row = PaymentAttemptRow
    ours = (row.by == PaidBy.EVERSTAY) & (row.result != AttemptResult.NOT_MADE)
    return select(func.count()).where(row.case_id == case_id, ours).scalar_subquery()


def card_query() -> Query:
    """Select cards by the names of their fields."""
    return (
        select(
            CaseRow.id,
            CaseRow.customer_id,
            CustomerRow.name.label("customer"),
            UserRow.name.label("csm"),
            func.coalesce(InvoiceRow.number, InvoiceRow.external_id).label("invoice"),
            DunningRow.currency,
            DunningRow.remaining_minor,
            DunningRow.opened_minor,
            DunningRow.recovered_minor,
            InvoiceRow.due_at,
            DunningRow.collection,
            DunningRow.decline_code,
            DunningRow.decline_advice,
            attempts_of(CaseRow.id).label("attempts"),
            cast(CaseRow.policy["retries"]["attempts"].astext, Integer).label("allowed"),
            CaseRow.state,
            CaseRow.stage,
            CaseRow.held_reason,
            CaseRow.expected_wake_at,
            CaseRow.next_action,
            CaseRow.opened_at,
            CaseRow.ended_at,
            CaseRow.outcome,
            DunningRow.recovered_by,
        )
        .join(DunningRow, DunningRow.case_id == CaseRow.id)
        .join(InvoiceRow, InvoiceRow.id == DunningRow.invoice_id)
        .join(CustomerRow, CustomerRow.id == CaseRow.customer_id)
        .outerjoin(UserRow, UserRow.id == CustomerRow.csm_id)
    )


def _per_unit() -> ColumnElement[int]:
    currency = DunningRow.currency
    return case((currency.in_(WITHOUT_MINOR_UNITS), 1), (currency.in_(IN_THOUSANDTHS), 1000), else_=100)


def _conditions(chosen: DunningFilter, now: BusinessInstant) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        CaseRow.state.in_(chosen.states) if chosen.states else _shown(chosen.outcomes)
    ]
    choices: tuple[tuple[Any, tuple[Any, ...]], ...] = (
        (CaseRow.stage, chosen.stages),
        (CaseRow.outcome, chosen.outcomes),
        (DunningRow.currency, (chosen.currency,) if chosen.currency else ()),
        (CustomerRow.csm_id, (chosen.owner,) if chosen.owner else ()),
    )
    found += [column.in_(values) for column, values in choices if values]
    if chosen.least is not None:
        found.append(DunningRow.remaining_minor >= chosen.least * _per_unit())
    if chosen.late_days is not None:
        found.append(InvoiceRow.due_at <= now - dt.timedelta(days=chosen.late_days))
    if chosen.search:
        found.append(searched(chosen.search, CustomerRow.name, InvoiceRow.number, InvoiceRow.external_id))
    return found


def _shown(outcomes: tuple[CaseOutcome, ...]) -> ColumnElement[bool]:
    """Without a choice of states, cases that go on; whoever asks for outcomes means those that ended."""
    return CaseRow.state == CaseState.ENDED if outcomes else CaseRow.state != CaseState.ENDED


def _orders() -> Mapping[str, ColumnElement[Any]]:
    return {
        "amount": DunningRow.remaining_minor.expression,
        "due": InvoiceRow.due_at.expression,
        "next": func.coalesce(CaseRow.expected_wake_at, literal(NEVER, CaseRow.opened_at.type)),
        "opened": CaseRow.opened_at.expression,
        "customer": func.lower(CustomerRow.name, type_=Text()),
    }


async def load_dunning_list(
    session: AsyncSession, chosen: DunningFilter, now: BusinessInstant
) -> DunningPage:
    """Return one page of the list; it stays stable while cases come and go."""
    order = Order(chosen.sort, _orders()[chosen.sort], CaseRow.id.expression, descending=chosen.descending)
    query = card_query().where(*_conditions(chosen, now))
    found = await read_page(session, query, order, chosen.cursor)
    return DunningPage(tuple(DunningCard(**plain(row)) for row in found.rows), found.next)


async def load_dunning_board(
    session: AsyncSession, chosen: DunningFilter, now: BusinessInstant
) -> Sequence[Stage]:
    """Return every stage that holds a case, with its largest cards, in two queries."""
    conditions = _conditions(chosen, now)
    place = func.row_number().over(
        partition_by=CaseRow.stage, order_by=(DunningRow.remaining_minor.desc(), CaseRow.id)
    )
    ranked = card_query().add_columns(place.label("place")).where(*conditions).subquery("ranked")
    columns = [column for column in ranked.c if column.name != "place"]
    query = select(*columns).where(ranked.c.place <= CARDS).order_by(ranked.c.place)
    cards = [DunningCard(**row) for row in (await session.execute(query)).mappings()]
    sums = await _sums(session, conditions)
    return [
        Stage(name, cases, owed, tuple(card for card in cards if card.stage == name))
        for name, (cases, owed) in sums.items()
    ]


async def _sums(
    session: AsyncSession, conditions: Sequence[ColumnElement[bool]]
) -> dict[str, tuple[int, dict[str, int]]]:
    query = (
        select(CaseRow.stage, DunningRow.currency, func.count(), func.sum(DunningRow.remaining_minor))
        .join(DunningRow, DunningRow.case_id == CaseRow.id)
        .join(InvoiceRow, InvoiceRow.id == DunningRow.invoice_id)
        .join(CustomerRow, CustomerRow.id == CaseRow.customer_id)
        .where(*conditions)
        .group_by(CaseRow.stage, DunningRow.currency)
        .order_by(CaseRow.stage, func.sum(DunningRow.remaining_minor).desc())
    )
    found: dict[str, tuple[int, dict[str, int]]] = {}
    for stage, currency, cases, owed in await session.execute(query):
        before, sums = found.get(stage, (0, {}))
        found[stage] = before + cases, {**sums, currency: int(owed)}
    return found
