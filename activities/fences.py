"""What an attempt that was overtaken may still say of an effect: that it was done, and nothing else."""

from temporalio.exceptions import ApplicationError

from models.database import Session
from models.effects import Effect, is_newest

OVERTAKEN = "another attempt has been made since"


async def refuse_overtaken(session: Session, effect: Effect) -> None:
    """Stop an attempt that has nothing to say any more: only that it was taken would be news.

    The customer is locked already, as by everybody who claims an effect: nobody overtakes it after this.
    """
    if not await is_newest(session, effect):
        raise ApplicationError(OVERTAKEN)
