"""Who may say of an effect whether it happened: whoever is on watch, and whoever answers for the customer."""

from api.callers import Caller
from domain.permissions import NotAllowedError, Permission
from models.database import Session
from models.resources.effects import is_answerable_by
from models.resources.keyset import Row


async def may_settle(session: Session, caller: Caller, effect: Row) -> bool:
    """Whether the caller's word counts for this effect."""
    if not caller.may(Permission.SETTLE_EFFECTS):
        return False
    return caller.may(Permission.REPAIR_RUNS) or await is_answerable_by(session, effect, caller.user_id)


async def check_may_settle(session: Session, caller: Caller, effect: Row) -> None:
    """Raise NotAllowedError where it does not."""
    if not await may_settle(session, caller, effect):
        needed = f"{Permission.REPAIR_RUNS}, or to be the customer's owner"
        raise NotAllowedError(who=caller.who, needed=needed)
