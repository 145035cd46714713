"""What lists of cases and of offers share: whom they search for, and where their pages go on."""

from typing import Any

from sqlalchemy import ColumnElement, func, or_

from domain.errors import InvalidInputError
from models.database import Session
from models.resources.keyset import Order, Query, Slice, read_slice

PAGE_SIZE = 50


def searched(text: str, *columns: Any) -> ColumnElement[bool]:
    """Return that one of the columns contains a text, in whatever case."""
    escaped = text.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return or_(*(func.lower(column).like(f"%{escaped}%", escape="\\") for column in columns))


async def read_page(session: Session, query: Query, order: Order, cursor: str | None) -> Slice:
    """Return one page of a list; a cursor that is none, or of another order, begins anew."""
    try:
        return await read_slice(session, query, order, cursor, PAGE_SIZE)
    except InvalidInputError:
        return await read_slice(session, query, order, None, PAGE_SIZE)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without what the page's order added."""
    return {name: value for name, value in row.items() if name not in {"_by", "_tie"}}
