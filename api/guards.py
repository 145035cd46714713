"""The one guard, on every route. Deny is the default: a route without a requirement is closed to all."""

from enum import StrEnum
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from api.callers import Caller
from api.csrf import require_token
from domain.permissions import NotAllowedError, NotSignedInError, Permission
from models.keys import KeyKind


class Access(StrEnum):
    """What a route can ask for beside a permission."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    WRITE_KEY = "write_key"
    SENT_KEY = "sent_key"
    """The handler looks for a write key, which some clients put into the body."""
    SIGNATURE = "signature"
    """The handler checks the sender's signature over the raw body, before anything else."""


Requirement = Access | Permission
REQUIREMENT = "needs"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_NO_TOKEN = frozenset({Access.WRITE_KEY, Access.SENT_KEY, Access.SIGNATURE})

Connection = ASGIConnection[object, Any, object, State]


def needs(requirement: Requirement) -> dict[str, Any]:
    """Return the `opt` of a route that needs this: `@get("/runs", opt=needs(Permission.READ_RUNS))`."""
    return {REQUIREMENT: requirement}


def also(permission: Permission) -> Guard:
    """Return a guard for routes that need a second permission beside their own."""

    async def hold_it(connection: Connection, _handler: BaseRouteHandler) -> None:
        caller: Caller = connection.user
        if not is_met(permission, caller):
            raise refusal(permission, caller)

    return hold_it


PUBLIC = needs(Access.PUBLIC)
SIGNED_IN = needs(Access.SIGNED_IN)


async def enforce(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let the caller through or raise NotSignedInError, NotAllowedError or ForgedRequestError."""
    if connection.scope.get("method") == "OPTIONS":
        return
    requirement: Requirement | None = handler.opt.get(REQUIREMENT)
    caller: Caller = connection.user
    if not is_met(requirement, caller):
        raise refusal(requirement, caller)
    if is_forgeable(connection, requirement, caller):
        await require_token(connection)


def is_met(requirement: Requirement | None, caller: Caller) -> bool:
    """Whether the caller has what the route asks for."""
    if isinstance(requirement, Permission):
        return caller.may(requirement)
    if requirement is Access.WRITE_KEY:
        return caller.key is not None and caller.key.kind is KeyKind.WRITE
    if requirement is Access.SIGNED_IN:
        return caller.user is not None
    return requirement in {Access.PUBLIC, Access.SIGNATURE, Access.SENT_KEY}


def refusal(requirement: Requirement | None, caller: Caller) -> NotSignedInError | NotAllowedError:
    """Tell nobody to sign in, and somebody what they lack."""
    if not caller.is_known:
        return NotSignedInError()
    return NotAllowedError(who=caller.who, needed=requirement or "a permission that does not exist")


def is_forgeable(connection: Connection, requirement: Requirement | None, caller: Caller) -> bool:
    """Whether another site could make a browser send this: a change of state that no key vouches for."""
    is_safe = connection.scope.get("method") in SAFE_METHODS
    return not is_safe and requirement not in _NO_TOKEN and caller.key is None
