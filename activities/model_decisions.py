"""What people decide about models: the command line and the API call these."""

from domain.errors import ConflictError, InvalidInputError
from domain.ports import Clock
from domain.trained_model import ModelDecision, ModelState, ModelTarget
from models.changes import announce_change
from models.database import Database
from models.model_registry import decide, promote, review, roll_back


async def promote_by_hand(database: Database, clock: Clock, name: str, by: str, why: str) -> str | None:
    """Make a model the champion whatever the gate said; return whose place it took."""
    _asked(why)
    async with database.transaction() as session:
        before = await promote(session, name, by, why, clock.now())
        await announce_change(session)
    return before


async def roll_back_by_hand(
    database: Database, clock: Clock, target: ModelTarget, by: str, why: str
) -> str | None:
    """Bring back the champion before; None: the scorecard speaks alone again."""
    _asked(why)
    async with database.transaction() as session:
        back = await roll_back(session, target, by, why, clock.now())
        await announce_change(session)
    return back


async def review_by_hand(
    database: Database, clock: Clock, name: str, by: str, why: str, *, is_sound: bool
) -> ModelState:
    """Keep what a person found in a model that looked too good: sound, it goes on to its nights in shadow."""
    _asked(why)
    async with database.transaction() as session:
        state = await review(session, name, by, why, clock.now())
        if state is not ModelState.CHALLENGER:
            raise ConflictError(what=f"model {name}", reason=f"it is {state.value} and waits for no review")
        after = ModelState.SHADOW if is_sound else ModelState.REJECTED
        said = "a person found no leak" if is_sound else "a person found a leak"
        await decide(session, name, ModelDecision(after, by, f"{said}: {why}", clock.now()))
        await announce_change(session)
    return after


def _asked(why: str) -> None:
    if not why.strip():
        raise InvalidInputError(field="why", reason="a decision about a model needs its reason")
