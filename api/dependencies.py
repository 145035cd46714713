"""What handlers may ask for by name: `database`, `clock`, `caller`, `user` and the rest of this list."""

import asyncio
from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.di import Provide

from api.callers import Caller
from api.cookies import Cookies
from api.event_applier import EventApplier
from api.upload_checks import UploadChecks
from api.uploads import UploadDesk
from models.clock import StoredClock
from models.database import Database
from models.passwords import PasswordHashing
from models.users import User
from settings import Settings

AnyRequest = Request[Caller, None, State]


def dependencies(settings: Settings, database: Database, cookies: Cookies) -> dict[str, Provide]:
    """Return the providers: the same objects for every request, and who sends this one."""
    return {
        "settings": _always(settings),
        "database": _always(database),
        "jar": _always(cookies),
        "passwords": _always(PasswordHashing()),
        "clock": Provide(_clock, sync_to_thread=False),
        "stopping": Provide(_stopping, sync_to_thread=False),
        "upload_desk": _always(UploadDesk(settings, database)),
        "upload_checks": Provide(_upload_checks, sync_to_thread=False),
        "applier": Provide(_applier, sync_to_thread=False),
        "caller": Provide(_caller, sync_to_thread=False),
        "user": Provide(_user, sync_to_thread=False),
    }


def _always(value: object) -> Provide:
    def provide() -> Any:
        return value

    return Provide(provide, sync_to_thread=False)


def _clock(state: State) -> StoredClock:
    clock: StoredClock = state.clock
    return clock


def _stopping(state: State) -> asyncio.Event:
    stopping: asyncio.Event = state.stopping
    return stopping


def _upload_checks(state: State) -> UploadChecks:
    checks: UploadChecks = state.upload_checks
    return checks


def _applier(state: State) -> EventApplier:
    applier: EventApplier = state.applier
    return applier


def _caller(request: AnyRequest) -> Caller:
    return request.user


def _user(request: AnyRequest) -> User:
    """Return who is signed in; a key has no user, and gets 401."""
    return request.user.signed_in()
