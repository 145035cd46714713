"""What every resource shares: pages with a cursor, and writes that may be repeated."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Generic, TypeVar

from litestar import Request
from litestar.datastructures import State
from litestar.params import QueryParameter
from pydantic import BaseModel

from api.callers import Caller, hand
from models.changes import announce_change
from models.clock import StoredClock
from models.database import Database, Session
from models.hands import Hand
from models.holding_actions import Said
from models.idempotency import attempt_of, first_answer, keep_answer
from models.resources.keyset import LARGEST, SMALLEST, Slice

IDEMPOTENCY_KEY = "idempotency-key"

Item = TypeVar("Item", bound=BaseModel)

ApiRequest = Request[Caller, None, State]
STATE = QueryParameter(name="state", description="In this state; several may be given.")
"""A filter by state under another name: Litestar keeps `state` for itself."""
Cursor = Annotated[str | None, QueryParameter(description="`next` of the page before.")]
Limit = Annotated[int, QueryParameter(ge=SMALLEST, le=LARGEST, description="Items on a page.")]


class Page(BaseModel, Generic[Item]):
    """One page of a list. `next` is the cursor of the following one, null on the last."""

    items: list[Item]
    next: str | None


def page_of(model: type[Item], found: Slice) -> Page[Item]:
    """Turn rows into the page of a list."""
    return Page[model](items=[model.model_validate(row) for row in found.rows], next=found.next)  # type: ignore[valid-type]  # a type made at run time


Write = Callable[[Session], Awaitable[BaseModel]]


async def write_once(
    request: ApiRequest, database: Database, clock: StoredClock, model: type[Item], write: Write
) -> Item:
    """Write in one transaction and refresh open pages; a repeated Idempotency-Key gets the old answer."""
    key = request.headers.get(IDEMPOTENCY_KEY)
    async with database.transaction() as session:
        await announce_change(session)
        if key is None:
            return model.model_validate(await write(session))
        asked = (request.method.encode(), request.url.path.encode(), await request.body())
        attempt = attempt_of(request.user.id, key, *asked)
        kept = await first_answer(session, attempt, clock.wall_now())
        if kept is not None:
            return model.model_validate(kept)
        answer = model.model_validate(await write(session))
        await keep_answer(session, attempt, answer.model_dump(mode="json"))
        return answer


def hand_of(request: ApiRequest, clock: StoredClock) -> Hand:
    """Return whose hand it is: a person's by name, or that of the program behind a key."""
    return hand(request.user, clock.now(), clock.wall_now())


def said_by(request: ApiRequest, clock: StoredClock) -> Said:
    """Return who says it now: a person, or the program behind a key."""
    return Said(str(request.user.user_id or request.user.id), clock.now(), clock.wall_now())
