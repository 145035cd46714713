"""`/v1/prompts`: what a customer's product shows to one of its users, and what they did with it."""

import datetime as dt
import uuid
from typing import Annotated

from litestar import Request, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict

from api.callers import Caller
from api.guards import Access, needs
from api.tracking.browsers import AnyOrigin
from domain.vocabulary import PromptState
from models.clock import StoredClock
from models.database import Database
from models.prompt_desk import answer_prompt, show_prompts

PromptRequest = Request[Caller, None, State]
UserId = Annotated[
    str,
    QueryParameter(
        name="userId", min_length=1, max_length=500, description="The user, as the product identifies them."
    ),
]


class Prompt(BaseModel):
    """What to show. `link` is an https address, or a path of the product itself."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    title: str
    body: str
    link: str | None
    expires_at: dt.datetime


class Prompts(BaseModel):
    """What is open for one user, the newest first."""

    prompts: list[Prompt]


class Taken(BaseModel):
    """The answer is kept."""

    success: bool = True


def prompts_router() -> Router:
    """Return the routes, open to browsers of any site that send a write key."""
    return Router(
        "/v1/prompts",
        route_handlers=[list_prompts, click, dismiss],
        middleware=[AnyOrigin()],
        opt=needs(Access.WRITE_KEY),
        tags=["Prompts"],
        security=[{"write_key": []}],
    )


@get("/")
async def list_prompts(
    request: PromptRequest,
    user_id: UserId,
    database: NamedDependency[Database],
    clock: NamedDependency[StoredClock],
) -> Prompts:
    """Return what is open for a user, and count it as shown."""
    async with database.transaction() as session:
        found = await show_prompts(session, _source(request), user_id, clock.now(), clock.wall_now())
    return Prompts(prompts=[Prompt.model_validate(one) for one in found])


@post("/{prompt_id:uuid}/clicked", status_code=HTTP_200_OK)
async def click(
    request: PromptRequest,
    prompt_id: FromPath[uuid.UUID],
    database: NamedDependency[Database],
    clock: NamedDependency[StoredClock],
) -> Taken:
    """Say that the user followed the prompt; the first answer holds."""
    return await _answer(request, prompt_id, PromptState.CLICKED, database, clock)


@post("/{prompt_id:uuid}/dismissed", status_code=HTTP_200_OK)
async def dismiss(
    request: PromptRequest,
    prompt_id: FromPath[uuid.UUID],
    database: NamedDependency[Database],
    clock: NamedDependency[StoredClock],
) -> Taken:
    """Say that the user put the prompt away; the first answer holds."""
    return await _answer(request, prompt_id, PromptState.DISMISSED, database, clock)


async def _answer(
    request: PromptRequest, prompt_id: uuid.UUID, answer: PromptState, database: Database, clock: StoredClock
) -> Taken:
    async with database.transaction() as session:
        now, wall = clock.now(), clock.wall_now()
        await answer_prompt(session, _source(request), prompt_id, answer, now, wall)
    return Taken()


def _source(request: PromptRequest) -> str:
    """Return the source that the key writes into: its users are whom it may ask for."""
    key = request.user.key
    assert key is not None  # noqa: S101 - the guard let it pass
    return key.source_id or ""
