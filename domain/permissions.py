"""Who may do what: one table from role to permission. A scope of an API key is a permission too."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from domain.errors import EverstayError
from domain.vocabulary import PauseScope, Role


class Permission(StrEnum):
    """One thing that a route can ask for."""

    READ_CUSTOMERS = "customers:read"
    READ_WORK = "work:read"
    DO_WORK = "work:write"
    READ_RUNS = "runs:read"
    CONTROL_RUNS = "runs:write"
    REPAIR_RUNS = "runs:repair"
    ORDER_RESTS = "pauses:write"
    """How wide a rest may be is said by `may_rest`."""
    READ_PLAYBOOKS = "playbooks:read"
    READ_IMPACT = "impact:read"
    """What was really saved, and who was left out to know it: for those who answer for the whole."""
    RELEASE = "installation:release"
    STOP_EFFECTS = "effects:stop"
    START_EFFECTS = "effects:start"
    SETTLE_EFFECTS = "effects:settle"
    """Say whether an uncertain effect happened: of one's own customers, or of all with `runs:repair`."""
    READ_IMPORTS = "imports:read"
    READ_RAW_ROWS = "quarantine:read"
    WRITE_IMPORTS = "imports:write"
    MEND_ROWS = "quarantine:write"
    EDIT_POLICIES = "policies:write"
    EDIT_ENDPOINTS = "endpoints:write"
    """Whoever names an endpoint names where customers' names go."""


_SEE = frozenset(
    {Permission.READ_CUSTOMERS, Permission.READ_WORK, Permission.READ_RUNS, Permission.READ_PLAYBOOKS}
)
_ACT = _SEE | {Permission.DO_WORK, Permission.SETTLE_EFFECTS}
_STEER = _ACT | {Permission.CONTROL_RUNS, Permission.ORDER_RESTS}
_DATA = frozenset(
    {
        Permission.READ_IMPORTS,
        Permission.READ_RAW_ROWS,
        Permission.WRITE_IMPORTS,
        Permission.MEND_ROWS,
    }
)

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.MANAGER: _STEER
    | {
        Permission.READ_IMPACT,
        Permission.REPAIR_RUNS,
        Permission.RELEASE,
        Permission.STOP_EFFECTS,
        Permission.START_EFFECTS,
        Permission.READ_IMPORTS,
        Permission.WRITE_IMPORTS,
        Permission.EDIT_POLICIES,
    },
    Role.CSM: _STEER,
    Role.SALES: _ACT,
    # Whoever is on watch may stop what goes wrong, and mend it; to send again is a decision about customers.
    Role.OPERATOR: _SEE
    | _DATA
    | {
        Permission.STOP_EFFECTS,
        Permission.SETTLE_EFFECTS,
        Permission.REPAIR_RUNS,
        Permission.ORDER_RESTS,
    },
    # Personal data is not needed to build on the product.
    Role.DEVELOPER: frozenset({Permission.READ_RUNS, Permission.READ_PLAYBOOKS, Permission.READ_IMPORTS}),
    Role.VIEWER: _SEE,
}


def may(role: Role, permission: Permission) -> bool:
    """Tell whether the role holds the permission; what the table does not say is refused."""
    return permission in ROLE_PERMISSIONS.get(role, frozenset())


def may_rest(holds: Callable[[Permission], bool], scope: PauseScope, who: str, *, ends: bool = False) -> None:
    """Raise NotAllowedError unless the caller may order, or end, a rest of this width.

    One run or customer is for those who steer runs; what is wider weighs as much as stopping every effect.
    """
    wide = Permission.START_EFFECTS if ends else Permission.STOP_EFFECTS
    needed = Permission.CONTROL_RUNS if scope in {PauseScope.RUN, PauseScope.CUSTOMER} else wide
    if not holds(needed):
        raise NotAllowedError(who=who, needed=needed)


class NotSignedInError(EverstayError):
    """Sign in first, or send a valid key in the Authorization header."""

    status = 401


class WrongCredentialsError(EverstayError):
    """The e-mail address or the password is wrong."""

    status = 401


class LinkNotValidError(EverstayError):
    """This sign-in link is used, expired, or not valid from this address; ask for a new one."""

    status = 403


class NotAllowedError(EverstayError):
    """{who} may not do this: it needs {needed}."""

    status = 403


class ForgedRequestError(EverstayError):
    """The form is too old or was not sent from Everstay's own pages; reload the page and try again."""

    status = 403


class TooManyAttemptsError(EverstayError):
    """Too many attempts to sign in; wait {minutes} minutes and try again."""

    status = 429


class NotAuthenticError(EverstayError):
    """The signature does not belong to this body, or it is too old."""

    status = 401
