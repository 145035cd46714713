"""Looking behind the scenes: what tables hold, and routes that exist for tests alone."""

from litestar import Request, get, post
from litestar.datastructures import State
from litestar.template.base import csrf_token
from litestar.types import ControllerRouterHandler
from sqlalchemy import text

from api.callers import Caller
from api.guards import SIGNED_IN, Access, needs
from models.database import Database

ProbeRequest = Request[Caller, None, State]


async def stored_text(database: Database, *tables: str) -> str:
    """Everything that the tables hold, as text."""
    async with database.transaction() as session:
        found = [
            await session.scalar(text(f"SELECT string_agg(row_text::text, E'\\n') FROM {table} AS row_text"))  # noqa: S608  names from the tests
            for table in tables
        ]
    return "\n".join(each or "" for each in found)


@get("/probe/signed-in", opt=SIGNED_IN, sync_to_thread=False, include_in_schema=False)
def signed_in() -> str:
    return "welcome"


@get("/probe/token", opt=SIGNED_IN, sync_to_thread=False, include_in_schema=False)
def token(request: ProbeRequest) -> str:
    """What a page would put into its forms."""
    return csrf_token({"request": request})


@get("/probe/forgotten", sync_to_thread=False, include_in_schema=False)
def forgotten() -> str:
    """A route whose author forgot to say what it needs."""
    return "secret"


@get("/probe/broken", opt=SIGNED_IN, sync_to_thread=False, include_in_schema=False)
def broken() -> str:
    raise RuntimeError("the secret of the log")


@post("/probe/track", opt=needs(Access.WRITE_KEY), sync_to_thread=False, include_in_schema=False)
def track() -> str:
    return "tracked"


PROBES: list[ControllerRouterHandler] = [signed_in, token, forgotten, broken, track]
