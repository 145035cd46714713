"""What people decide about models: the command line, the API and the pages call these."""

from domain.errors import ConflictError, InvalidInputError
from domain.time import BusinessInstant
from domain.trained_model import ModelDecision, ModelState, ModelTarget, waits_for_review
from models.changes import announce_change
from models.database import Session
from models.model_registry import decide, promote, review, roll_back, show_model


async def promote_by_hand(session: Session, name: str, by: str, why: str, now: BusinessInstant) -> str | None:
    """Make a model the champion whatever the gate said; return whose place it took."""
    _asked(why)
    before = await promote(session, name, by, why, now)
    await announce_change(session)
    return before


async def roll_back_by_hand(
    session: Session, target: ModelTarget, by: str, why: str, now: BusinessInstant
) -> str | None:
    """Bring back the champion before; None: the scorecard speaks alone again."""
    _asked(why)
    back = await roll_back(session, target, by, why, now)
    await announce_change(session)
    return back


async def review_by_hand(
    session: Session, name: str, by: str, why: str, now: BusinessInstant, *, is_sound: bool
) -> ModelState:
    """Keep what a person found in a model that looked too good: sound, it goes on to its nights in shadow.

    Raises ConflictError for a model that the gate has not judged yet: a review is no way round it.
    """
    _asked(why)
    state = await review(session, name, by, why, now)
    if not waits_for_review(state, (await show_model(session, name))["decisions"]):
        raise ConflictError(what=f"model {name}", reason=f"it is {state.value} and waits for no review")
    after = ModelState.SHADOW if is_sound else ModelState.REJECTED
    said = "a person found no leak" if is_sound else "a person found a leak"
    await decide(session, name, ModelDecision(after, by, f"{said}: {why}", now))
    await announce_change(session)
    return after


def _asked(why: str) -> None:
    if not why.strip():
        raise InvalidInputError(field="why", reason="a decision about a model needs its reason")
