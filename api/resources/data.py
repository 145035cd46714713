"""`/api/sources`, `/api/imports`, `/api/quarantine`: what came in, and what could not be understood."""

import uuid
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from activities import import_replay
from api.guards import needs
from api.resources.data_shapes import (
    Chosen,
    Correction,
    Dismissed,
    ManyReplayed,
    PullRuns,
    ReasonGroups,
    Replayed,
    SeenEvents,
    Sources,
    WriteKeys,
)
from api.resources.pages import STATE, ApiRequest, Cursor, Limit, Page, page_of, write_once
from api.resources.shapes import Import, QuarantinedRow
from domain.errors import InvalidInputError
from domain.permissions import Permission
from integrations.tabular import FileReader
from integrations.tracking.kept import KeptMessages
from models.clock import StoredClock
from models.database import Database, Session
from models.pulls import list_runs
from models.quarantine import QuarantineFilter, dismiss_row, dismiss_rows
from models.resources.data import list_imports, list_quarantine
from models.views.data import load_sources, load_write_keys
from models.views.quarantine import load_reasons
from models.views.seen_events import load_seen_events

READ, MEND = needs(Permission.READ_IMPORTS), needs(Permission.MEND_ROWS)
Search = Annotated[str, QueryParameter(description="Letters of the name.", max_length=100)]


class DataController(Controller):
    """Sources and what they told."""

    path = "/"
    opt = READ
    tags = ["Data"]  # noqa: RUF012  as Litestar declares it

    @get("/sources")
    async def sources(
        self, database: NamedDependency[Database], clock: NamedDependency[StoredClock]
    ) -> Sources:
        """List sources with rhythm, state, lag and rows per day."""
        async with database.transaction() as session:
            found = await load_sources(session, clock.timeline, clock.wall_now())
        return Sources.model_validate({"items": found}, from_attributes=True)

    @get("/seen-events")
    async def seen_events(self, database: NamedDependency[Database], q: Search = "") -> SeenEvents:
        """List the names of events, with their properties and types, the most frequent first."""
        async with database.transaction() as session:
            return SeenEvents.model_validate(
                {"items": await load_seen_events(session, q)}, from_attributes=True
            )

    @get("/pull-runs")
    async def pull_runs(
        self, database: NamedDependency[Database], source_id: FromQuery[str | None] = None
    ) -> PullRuns:
        """List the newest passes of pulls."""
        async with database.transaction() as session:
            return PullRuns.model_validate(
                {"items": await list_runs(session, source_id)}, from_attributes=True
            )

    @get("/write-keys")
    async def write_keys(self, database: NamedDependency[Database]) -> WriteKeys:
        """List the living write keys, without their secrets."""
        async with database.transaction() as session:
            return WriteKeys.model_validate({"items": await load_write_keys(session)}, from_attributes=True)

    @get("/imports")
    async def imports(
        self, database: NamedDependency[Database], cursor: Cursor = None, limit: Limit = 50
    ) -> Page[Import]:
        """List imports, the newest first."""
        async with database.transaction() as session:
            return page_of(Import, await list_imports(session, cursor, limit))


class QuarantineController(Controller):
    """Rows that could not be stored."""

    path = "/quarantine"
    opt = needs(Permission.READ_RAW_ROWS)
    tags = ["Data"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(
        self,
        database: NamedDependency[Database],
        import_id: FromQuery[uuid.UUID | None] = None,
        states: Annotated[str | None, STATE] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[QuarantinedRow]:
        """List rows that could not be stored, as they came, with where they stood and why."""
        async with database.transaction() as session:
            return page_of(QuarantinedRow, await list_quarantine(session, import_id, states, cursor, limit))

    @get("/reasons", opt=READ)
    async def reasons(self, database: NamedDependency[Database]) -> ReasonGroups:
        """Count what waits by source, kind and field."""
        async with database.transaction() as session:
            return ReasonGroups.model_validate({"items": await load_reasons(session)}, from_attributes=True)

    @post("/{row_id:uuid}/replay", opt=MEND, status_code=HTTP_200_OK)
    async def replay(
        self,
        row_id: FromPath[uuid.UUID],
        data: JSONBody[Correction],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Replayed:
        """Try a row again, with corrected cells or a corrected text of the whole row."""
        correction = import_replay.Correction(None, data.cells or None, data.text)
        done = await import_replay.replay(
            database, FileReader(), row_id, correction, clock.wall_now(), KeptMessages()
        )
        still = done.still
        return Replayed(
            replayed=still is None,
            field=still.field if still else None,
            reason=still.reason if still else None,
        )

    @post("/{row_id:uuid}/dismiss", opt=MEND, status_code=HTTP_200_OK)
    async def dismiss(
        self,
        request: ApiRequest,
        row_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Dismissed:
        """Put a row aside for good."""

        async def write(session: Session) -> Dismissed:
            await dismiss_row(session, row_id, clock.wall_now())
            return Dismissed(dismissed=1)

        return await write_once(request, database, clock, Dismissed, write)

    @post("/replay", opt=MEND, status_code=HTTP_200_OK)
    async def replay_many(
        self,
        data: JSONBody[Chosen],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> ManyReplayed:
        """Try all rows that fit again, at most a thousand; `more` says that others wait."""
        chosen = QuarantineFilter(**data.model_dump())
        done = await import_replay.replay_many(
            database, FileReader(), chosen, clock.wall_now(), KeptMessages()
        )
        return ManyReplayed.model_validate(done, from_attributes=True)

    @post("/dismiss", opt=MEND, status_code=HTTP_200_OK)
    async def dismiss_many(
        self,
        request: ApiRequest,
        data: JSONBody[Chosen],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Dismissed:
        """Put all rows that fit aside for good; say which, since an empty choice would mean all."""
        chosen = QuarantineFilter(**data.model_dump())
        if chosen.is_empty:
            raise InvalidInputError(
                field="body", reason="name a source, a file, a kind, a field or an import"
            )

        async def write(session: Session) -> Dismissed:
            return Dismissed(dismissed=await dismiss_rows(session, chosen, clock.wall_now()))

        return await write_once(request, database, clock, Dismissed, write)
