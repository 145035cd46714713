"""`/api/tasks` and `/api/heads-ups`: human work, done from anywhere."""

import uuid
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, Field

from api.guards import needs
from api.resources.customers import Owner, person
from api.resources.instants import Instant
from api.resources.pages import STATE, ApiRequest, Cursor, Limit, Page, page_of, write_once
from api.resources.shapes import HeadsUp, Task
from domain.permissions import Permission
from domain.time import business
from domain.vocabulary import HeadsUpState, TaskOutcome, TaskState
from models.clock import StoredClock
from models.database import Database, Session
from models.heads_ups import (
    acknowledge_heads_up,
    close_heads_up,
    reassign_heads_up,
    snooze_heads_up,
)
from models.resources.work import WorkFilter, list_heads_ups, list_tasks, load_heads_up, load_task
from models.work import complete_task, reassign_task, reopen_task, snooze_task

WRITE = needs(Permission.DO_WORK)


class Done(BaseModel):
    """What came of it."""

    outcome: TaskOutcome
    note: str | None = Field(None, max_length=2000)


class Snooze(BaseModel):
    """When it shall come back, in business time."""

    until: Instant


class Reassign(BaseModel):
    """Who shall do it."""

    assignee_id: uuid.UUID


class Close(BaseModel):
    """Why it needs nobody any more."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class TaskController(Controller):
    """Tasks."""

    path = "/tasks"
    opt = needs(Permission.READ_WORK)
    tags = ["Work"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(
        self,
        request: ApiRequest,
        database: NamedDependency[Database],
        states: Annotated[list[TaskState] | None, STATE] = None,
        assignee: Owner = None,
        customer: FromQuery[uuid.UUID | None] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[Task]:
        """List tasks, the first due first."""
        chosen = WorkFilter(person(request, assignee), customer)
        async with database.transaction() as session:
            return page_of(Task, await list_tasks(session, chosen, states or [], cursor, limit))

    @get("/{task_id:uuid}")
    async def show(self, task_id: FromPath[uuid.UUID], database: NamedDependency[Database]) -> Task:
        """Return one task."""
        async with database.transaction() as session:
            return Task.model_validate(await load_task(session, task_id))

    @post("/{task_id:uuid}/done", opt=WRITE, status_code=HTTP_200_OK)
    async def done(
        self,
        request: ApiRequest,
        task_id: FromPath[uuid.UUID],
        data: JSONBody[Done],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Task:
        """Finish a task with what came of it; the customer's workflow goes on."""
        user = request.user.user_id

        async def write(session: Session) -> Task:
            await complete_task(
                session, task_id, data.outcome, data.note, user, clock.now(), clock.wall_now()
            )
            return Task.model_validate(await load_task(session, task_id))

        return await write_once(request, database, clock, Task, write)

    @post("/{task_id:uuid}/snooze", opt=WRITE, status_code=HTTP_200_OK)
    async def snooze(
        self,
        request: ApiRequest,
        task_id: FromPath[uuid.UUID],
        data: JSONBody[Snooze],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Task:
        """Put a task away for a while."""
        user = request.user.user_id

        async def write(session: Session) -> Task:
            until = business(data.until)
            await snooze_task(session, task_id, until, user, clock.now(), clock.wall_now())
            return Task.model_validate(await load_task(session, task_id))

        return await write_once(request, database, clock, Task, write)

    @post("/{task_id:uuid}/reassign", opt=WRITE, status_code=HTTP_200_OK)
    async def reassign(
        self,
        request: ApiRequest,
        task_id: FromPath[uuid.UUID],
        data: JSONBody[Reassign],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Task:
        """Hand a task to a colleague."""

        async def write(session: Session) -> Task:
            await reassign_task(session, task_id, data.assignee_id, clock.now(), clock.wall_now())
            return Task.model_validate(await load_task(session, task_id))

        return await write_once(request, database, clock, Task, write)

    @post("/{task_id:uuid}/reopen", opt=WRITE, status_code=HTTP_200_OK)
    async def reopen(
        self,
        request: ApiRequest,
        task_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Task:
        """Take back that a task was done or put away."""

        async def write(session: Session) -> Task:
            await reopen_task(session, task_id, clock.now(), clock.wall_now())
            return Task.model_validate(await load_task(session, task_id))

        return await write_once(request, database, clock, Task, write)


class HeadsUpController(Controller):
    """Early warnings."""

    path = "/heads-ups"
    opt = needs(Permission.READ_WORK)
    tags = ["Work"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(
        self,
        request: ApiRequest,
        database: NamedDependency[Database],
        states: Annotated[list[HeadsUpState] | None, STATE] = None,
        owner: Owner = None,
        customer: FromQuery[uuid.UUID | None] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[HeadsUp]:
        """List heads-ups, the newest first."""
        chosen = WorkFilter(person(request, owner), customer)
        async with database.transaction() as session:
            return page_of(HeadsUp, await list_heads_ups(session, chosen, states or [], cursor, limit))

    @post("/{heads_up_id:uuid}/acknowledge", opt=WRITE, status_code=HTTP_200_OK)
    async def acknowledge(
        self,
        request: ApiRequest,
        heads_up_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> HeadsUp:
        """Say that somebody has seen it."""

        async def write(session: Session) -> HeadsUp:
            await acknowledge_heads_up(session, heads_up_id, clock.now())
            return HeadsUp.model_validate(await load_heads_up(session, heads_up_id))

        return await write_once(request, database, clock, HeadsUp, write)

    @post("/{heads_up_id:uuid}/snooze", opt=WRITE, status_code=HTTP_200_OK)
    async def snooze(
        self,
        request: ApiRequest,
        heads_up_id: FromPath[uuid.UUID],
        data: JSONBody[Snooze],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> HeadsUp:
        """Put it away for a while."""

        async def write(session: Session) -> HeadsUp:
            await snooze_heads_up(session, heads_up_id, business(data.until), clock.now())
            return HeadsUp.model_validate(await load_heads_up(session, heads_up_id))

        return await write_once(request, database, clock, HeadsUp, write)

    @post("/{heads_up_id:uuid}/reassign", opt=WRITE, status_code=HTTP_200_OK)
    async def reassign(
        self,
        request: ApiRequest,
        heads_up_id: FromPath[uuid.UUID],
        data: JSONBody[Reassign],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> HeadsUp:
        """Hand it to a colleague."""

        async def write(session: Session) -> HeadsUp:
            await reassign_heads_up(session, heads_up_id, data.assignee_id, clock.now())
            return HeadsUp.model_validate(await load_heads_up(session, heads_up_id))

        return await write_once(request, database, clock, HeadsUp, write)

    @post("/{heads_up_id:uuid}/close", opt=WRITE, status_code=HTTP_200_OK)
    async def close(
        self,
        request: ApiRequest,
        heads_up_id: FromPath[uuid.UUID],
        data: JSONBody[Close],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> HeadsUp:
        """Close it by hand."""

        async def write(session: Session) -> HeadsUp:
            await close_heads_up(session, heads_up_id, data.reason, clock.now())
            return HeadsUp.model_validate(await load_heads_up(session, heads_up_id))

        return await write_once(request, database, clock, HeadsUp, write)
