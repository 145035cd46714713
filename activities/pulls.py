"""Pulls: streams of a provider become facts page by page, each page and its cursor in one transaction."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beats import Beat
from activities.contracts_pulls import (
    FinishPullInput,
    FinishPullResult,
    PlanPullInput,
    PlanPullResult,
    PullContract,
    PullStreamInput,
    PullStreamResult,
)
from activities.delays import asked_delay
from activities.pull_newcomers import brought_along
from domain.errors import ConflictError, NotFoundError, PermanentProviderError, TransientProviderError
from domain.ports import Clock
from domain.pulling import HistoryLine, OpenReader, Page, PullReader, Told
from domain.tabular import RawRow
from domain.time import WallInstant
from domain.timeline import Timeline, lives_on_business_time, timeline_of
from models.asked_objects import ASKED, AskedObject, ask_for_all, load_asked, settle_asked
from models.ciphers import Cipher, UnreadableSecretsError
from models.clock import load_timeline
from models.connections import Connection, load_connection, note_problem
from models.database import Database, Session
from models.dunning_stops import ring_invoices
from models.hints import match_hints, waiting_hints
from models.intake import Item, Tally, ask_again, take_in
from models.pulls import (
    begin_run,
    count_page,
    end_run,
    end_unfinished,
    load_cursor,
    move_cursor,
)
from models.rescoring import release_history
from models.sources import get_source, note_received


class PullActivities(PullContract):
    """The three steps of a pass."""

    def __init__(self, database: Database, clock: Clock, cipher: Cipher, open_reader: OpenReader) -> None:
        """Take the database, the clock, what opens secrets, and what opens a provider."""
        self._database, self._clock = database, clock
        self._cipher, self._open_reader = cipher, open_reader

    @activity.defn(name="plan_pull")
    async def plan_pull(self, request: PlanPullInput) -> PlanPullResult:
        """Say what is to be read now, or when to look again."""
        try:
            async with self._database.transaction() as session:
                connection = await load_connection(session, request.source_id, self._cipher)
        except NotFoundError:
            return PlanPullResult(is_gone=True)
        except UnreadableSecretsError as error:
            await self._note(request.source_id, str(error))
            return PlanPullResult()
        if connection.pull_every_seconds is None:
            return PlanPullResult(is_gone=True)
        if connection.paused_at is not None:
            return PlanPullResult()
        return await self._due(connection, request)

    async def _due(self, connection: Connection, request: PlanPullInput) -> PlanPullResult:
        every = dt.timedelta(seconds=connection.pull_every_seconds or 0)
        now, last = self._clock.wall_now(), request.last_pass_at
        due = now if last is None or request.is_asked else WallInstant(last + every)
        async with self._database.transaction() as session:
            is_asked_for = bool(await load_asked(session, connection.source_id))
        if due > now:
            streams = (ASKED,) if is_asked_for else ()
            return PlanPullResult(streams, None if streams else due)
        async with self._reader(connection) as reader:
            return PlanPullResult((ASKED, *reader.streams), is_whole=True)

    def _reader(self, connection: Connection) -> contextlib.AbstractAsyncContextManager[PullReader]:
        return self._open_reader(connection.provider, connection.options, connection.secrets)

    @activity.defn(name="pull_stream")
    async def pull_stream(self, request: PullStreamInput) -> PullStreamResult:
        """Read one stream page by page; a repeated attempt goes on behind the last page."""
        async with self._database.transaction() as session:
            connection = await load_connection(session, request.source_id, self._cipher)
        beat = Beat()
        with retold_errors():
            async with beat.beating(), self._reader(connection) as reader:
                one = _Pull(self._database, self._clock, connection, request.stream, reader, beat)
                return await (one.read_asked() if request.stream == ASKED else one.read_stream())

    @activity.defn(name="finish_pull")
    async def finish_pull(self, request: FinishPullInput) -> FinishPullResult:
        """Note how the pass ended, where people see it."""
        wall = self._clock.wall_now()
        async with self._database.transaction() as session:
            reason = request.problem or "its last attempt ended without a word"
            await end_unfinished(session, request.source_id, wall, reason)
            await release_history(session)
            if request.problem is None:
                await note_received(session, request.source_id, wall)
        await self._note(request.source_id, request.problem)
        return FinishPullResult(wall)

    async def _note(self, source_id: str, problem: str | None) -> None:
        with contextlib.suppress(NotFoundError):
            async with self._database.transaction() as session:
                await note_problem(session, source_id, problem)


class _Pull:
    """One attempt to read one stream."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        connection: Connection,
        stream: str,
        reader: PullReader,
        beat: Beat,
    ) -> None:
        self._database, self._clock, self._reader, self._beat = database, clock, reader, beat
        self._source_id, self._stream, self._options = connection.source_id, stream, connection.options
        self._run_id = _run_id(self._source_id, stream)
        self._total, self._restarts = Tally(), 0

    async def read_stream(self) -> PullStreamResult:
        """Read to the present end of the stream."""
        cursor = await self._begin()
        is_last = False
        while not is_last:
            page = await self._reader.page(self._stream, cursor, self._provider_now())
            await self._store(cursor, page)
            cursor, is_last = page.cursor, page.is_last
            self._beat.cursor = cursor
        return await self._end()

    def _provider_now(self) -> WallInstant:
        """Return what the provider's own clock shows."""
        if lives_on_business_time(self._options):
            return WallInstant(self._clock.now())
        return self._clock.wall_now()

    async def read_asked(self) -> PullStreamResult:
        """Try again whom nobody could be named for, and read what was asked for one by one."""
        await self._begin()
        await self._match_again()
        async with self._database.transaction() as session:
            asked = await load_asked(session, self._source_id)
        for one in sorted(asked, key=self._place):
            await self._store_asked(one, await self._reader.one(one.stream, one.object_id))
        return await self._end()

    def _place(self, asked: AskedObject) -> int:
        """Return the place of an object's stream: who is named by others is read before them."""
        streams = self._reader.streams
        return streams.index(asked.stream) if asked.stream in streams else len(streams)

    async def _begin(self) -> Mapping[str, Any]:
        async with self._database.transaction() as session:
            await begin_run(session, self._run_id, self._source_id, self._stream, self._clock.wall_now())
            return await load_cursor(session, self._source_id, self._stream)

    async def _end(self) -> PullStreamResult:
        async with self._database.transaction() as session:
            await end_run(session, self._run_id, self._clock.wall_now())
        return PullStreamResult(self._total.read, self._total.stored, self._restarts)

    async def _match_again(self) -> None:
        async with self._database.transaction() as session:
            hints = await waiting_hints(session, self._source_id)
            linked = await match_hints(session, self._source_id, hints, self._clock.now())
            await ask_again(session, self._source_id, linked)

    async def _store(self, before: Mapping[str, Any], page: Page) -> None:
        """Store a page and move its cursor; another attempt that came first wins."""
        brought = await brought_along(self._database, self._source_id, self._reader, page.told)
        async with self._database.transaction() as session:
            if await load_cursor(session, self._source_id, self._stream, lock=True) != dict(before):
                raise ConflictError(what=self._stream, reason="another attempt is reading it")
            tally = await self._take_in(session, page.told)
            await ask_for_all(session, self._source_id, brought)
            wall = self._clock.wall_now()
            await move_cursor(session, self._source_id, self._stream, page.cursor, wall)
            for stream in page.restarts:
                await move_cursor(session, self._source_id, stream, {"again": True}, wall)
            await self._count(session, tally, page.read)
        self._restarts += len(page.restarts)

    async def _store_asked(self, one: AskedObject, told: Sequence[Told]) -> None:
        brought = await brought_along(self._database, self._source_id, self._reader, told)
        async with self._database.transaction() as session:
            await settle_asked(session, self._source_id, one)
            tally = await self._take_in(session, told, stream=one.stream)
            await ask_for_all(session, self._source_id, brought)
            await self._count(session, tally, max(len(told), 1))

    async def _count(self, session: Session, tally: Tally, read: int) -> None:
        counts = {"stored": tally.stored, "duplicates": tally.duplicates, "quarantined": tally.quarantined}
        await count_page(session, self._run_id, read=read, **counts)
        self._total = self._total.plus(Tally(read, tally.stored, tally.duplicates, tally.quarantined))

    async def _take_in(self, session: Session, told: Sequence[Told], stream: str | None = None) -> Tally:
        if not told:
            return Tally()
        wall, now = self._clock.wall_now(), self._clock.now()
        stored = await load_timeline(session)
        assert stored is not None  # noqa: S101 - the clock of this process was read from it
        timeline = timeline_of(self._options, stored)
        line = HistoryLine((await get_source(session, self._source_id)).connected_at, now, timeline)
        items = [self._item(one, line, timeline, stream or self._stream) for one in told]
        tally = await take_in(session, self._source_id, items, wall, now)
        disputed = [one.id for one in told if one.rings]
        if disputed:
            await ring_invoices(session, self._source_id, disputed, wall)
        return tally

    def _item(self, told: Told, line: HistoryLine, timeline: Timeline, stream: str) -> Item:
        """Translate one object; what cannot be understood says which field and why."""
        stream = STREAM_OF_KIND.get(told.kind, stream)
        row = told.body.get("row")
        cells = row.cells if isinstance(row, RawRow) else None
        try:
            facts, hints = self._reader.facts_of(told, line.known_at(told), timeline)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return Item(stream, told.id, problem=_words(error), cells=cells)
        return Item(stream, told.id, tuple(facts), tuple(hints), cells=cells)


STREAM_OF_KIND = {
    "customer": "customers",
    "subscription": "subscriptions",
    "invoice": "invoices",
    "comment": "comments",
}
"""Where an object is read by itself, where that is not the stream that told of its change."""


def _words(error: Exception) -> str:
    """Return what is wrong without the values that pydantic would repeat."""
    details = getattr(error, "errors", None)
    if callable(details):
        first = details()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    if isinstance(error, KeyError):
        return f"{error.args[0]}: is missing"
    return str(error)


def _run_id(source_id: str, stream: str) -> uuid.UUID:
    """Return the id of this pass over this stream: the same for every attempt of one activity."""
    if not activity.in_activity():
        return uuid.uuid4()
    info = activity.info()
    name = f"{source_id}/{stream}/{info.workflow_run_id}/{info.activity_id}"
    return uuid.uuid5(uuid.NAMESPACE_URL, name)


@contextlib.contextmanager
def retold_errors() -> Any:
    """Tell Temporal which errors no retry mends, and how long a provider wants to be left alone."""
    try:
        yield
    except PermanentProviderError as error:
        raise ApplicationError(str(error), type="PermanentProviderError", non_retryable=True) from None
    except UnreadableSecretsError as error:
        raise ApplicationError(str(error), type="UnreadableSecretsError", non_retryable=True) from None
    except TransientProviderError as error:
        delay = asked_delay(error)
        raise ApplicationError(str(error), type="TransientProviderError", next_retry_delay=delay) from None
