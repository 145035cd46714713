"""`/api/imports` and `/api/quarantine`: what came in, and what could not be understood."""

import uuid
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from api.guards import needs
from api.resources.pages import STATE, Cursor, Limit, Page, page_of
from api.resources.shapes import Import, QuarantinedRow
from domain.permissions import Permission
from models.database import Database
from models.resources.data import list_imports, list_quarantine


@get("/imports", opt=needs(Permission.READ_IMPORTS), tags=["Data"])
async def imports(
    database: NamedDependency[Database], cursor: Cursor = None, limit: Limit = 50
) -> Page[Import]:
    """List imports, the newest first."""
    async with database.transaction() as session:
        return page_of(Import, await list_imports(session, cursor, limit))


@get("/quarantine", opt=needs(Permission.READ_RAW_ROWS), tags=["Data"])
async def quarantine(
    database: NamedDependency[Database],
    import_id: FromQuery[uuid.UUID | None] = None,
    states: Annotated[str | None, STATE] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[QuarantinedRow]:
    """List rows that could not be stored, as they came, with where they stood and why."""
    async with database.transaction() as session:
        return page_of(QuarantinedRow, await list_quarantine(session, import_id, states, cursor, limit))
