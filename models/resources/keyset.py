"""Pages of a list by the place of the last row: quick on every page, and stable while rows come and go."""

import base64
import binascii
import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal, or_

from domain.errors import InvalidInputError
from models.database import Session

SMALLEST, LARGEST = 1, 200

Row = dict[str, Any]
Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Order:
    """One way to sort: an expression that is never null, and the id that breaks its ties."""

    name: str
    by: ColumnElement[Any]
    tie: ColumnElement[uuid.UUID]
    descending: bool = False


@dataclass(frozen=True)
class Slice:
    """One page, and the cursor of the next one."""

    rows: tuple[Row, ...]
    next: str | None


async def read_slice(session: Session, query: Query, order: Order, cursor: str | None, limit: int) -> Slice:
    """Return the rows after the cursor; raises InvalidInputError for one of another list or order."""
    if not SMALLEST <= limit <= LARGEST:
        raise InvalidInputError(field="limit", reason=f"must be {SMALLEST} to {LARGEST}")
    placed = query.add_columns(order.by.label("_by"), order.tie.label("_tie"))
    if cursor is not None:
        placed = placed.where(_after(order, cursor))
    ordering = [each.desc() if order.descending else each.asc() for each in (order.by, order.tie)]
    rows = await read_rows(session, placed.order_by(*ordering).limit(limit + 1))
    following = _cursor(order, rows[limit - 1]) if len(rows) > limit else None
    return Slice(tuple(rows[:limit]), following)


async def read_rows(session: Session, query: Query) -> list[Row]:
    """Return plain rows by the names of their columns."""
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def read_row(session: Session, query: Query) -> Row | None:
    """Return the only row, None if there is none."""
    return next(iter(await read_rows(session, query)), None)


def _after(order: Order, cursor: str) -> ColumnElement[bool]:
    value, tie = _place(order, cursor)
    here = literal(value, order.by.type)
    further = order.by < here if order.descending else order.by > here
    beyond = order.tie < tie if order.descending else order.tie > tie
    return or_(further, and_(order.by == here, beyond))


def _cursor(order: Order, row: Row) -> str:
    place = [order.name, order.descending, _as_json(row["_by"]), str(row["_tie"])]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _place(order: Order, cursor: str) -> tuple[Any, uuid.UUID]:
    """Read a cursor. It holds no secret: whoever changes it sees another part of the same list."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        name, descending, value, tie = json.loads(base64.urlsafe_b64decode(padded))
        if (name, descending) != (order.name, order.descending):
            raise InvalidInputError(field="cursor", reason="belongs to a list in another order")
        return _typed(order.by, value), uuid.UUID(tie)
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise InvalidInputError(field="cursor", reason="take it from `next` of the page before") from error


def _typed(column: ColumnElement[Any], value: Any) -> Any:
    kind = column.type.python_type
    if kind in {dt.datetime, dt.date}:
        return kind.fromisoformat(value)
    return kind(value)


def only(**filters: tuple[ColumnElement[Any], Any]) -> Sequence[ColumnElement[bool]]:
    """Return the conditions of the filters that were given: a value, or several of which one must fit."""
    return [
        column.in_(value) if isinstance(value, list | tuple) else column == value
        for column, value in filters.values()
        if value is not None and value != []
    ]
