"""One array parameter instead of thousands of single ones, whatever the size of the batch."""

import uuid
from collections.abc import Collection

from sqlalchemy import ColumnElement, Text, Uuid, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import KeyedColumnElement

TextColumn = ColumnElement[str] | InstrumentedAttribute[str] | KeyedColumnElement[str]
UuidColumn = ColumnElement[uuid.UUID] | InstrumentedAttribute[uuid.UUID]


def among(column: TextColumn, values: Collection[str]) -> ColumnElement[bool]:
    """Return `column = ANY(values)` for texts."""
    return column == any_(literal(list(values), ARRAY(Text)))


def among_ids(column: UuidColumn, values: Collection[uuid.UUID]) -> ColumnElement[bool]:
    """Return `column = ANY(values)` for ids."""
    return column == any_(literal(list(values), ARRAY(Uuid)))
