"""The weights of health as people set them: who would change status, saved only by who has seen it."""

import uuid
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ConflictError
from domain.health_preview import Scored, WeightPreview, Weights, mark_of, preview_weights, weights_document
from domain.scoring_policy import ScoringPolicy
from domain.time import BusinessInstant
from domain.vocabulary import HealthComponent, Segment
from models.changes import announce_change
from models.hands import Hand
from models.scores import load_policy
from models.scoring_policies import change_policy
from models.weight_proposals import close_proposal, note_weights

_COLUMNS = ", ".join(
    f"CAST(newest.components #>> '{{{name.value},score}}' AS integer) AS {name.value}"
    for name in HealthComponent
)
_SCORED = f"""
SELECT customer.id, customer.name, customer.segment, customer.arr_minor, customer.currency,
       customer.health_override IS NOT NULL AND COALESCE(customer.health_override_until, 'infinity') > :now
           AS is_set_by_hand, {_COLUMNS}
FROM customers AS customer
JOIN LATERAL (SELECT components FROM scores WHERE customer_id = customer.id
              ORDER BY as_of DESC LIMIT 1) AS newest ON true
WHERE customer.status <> 'churned'
"""  # noqa: S608  constants only


async def preview(session: AsyncSession, wanted: Weights, now: BusinessInstant) -> WeightPreview:
    """Say who would change status with other weights, from the newest stored component scores."""
    policy = await load_policy(session)
    rows = await session.execute(text(_SCORED), {"now": now})
    return preview_weights((_scored(row) for row in rows), policy.health, wanted)


def _scored(row: Row[Any]) -> Scored:
    customer_id, name, segment, arr_minor, currency, is_set_by_hand, *scores = tuple(row)
    known = dict(zip(HealthComponent, scores, strict=True))
    return Scored(customer_id, name, Segment(segment), arr_minor, currency, known, is_set_by_hand)


async def save_weights(
    session: AsyncSession,
    wanted: Weights,
    mark: str,
    by: Hand,
    *,
    note: str = "",
    proposal_id: uuid.UUID | None = None,
) -> ScoringPolicy:
    """Put weights in force and note who did. `mark` is that of the preview; without it nothing is saved.

    Raises ConflictError where nobody has seen what these weights would do, or where the weights in force
    have changed since.
    """

    def change(policy: ScoringPolicy) -> ScoringPolicy:
        if mark != mark_of(policy.health.weights, wanted):
            reason = "look first at who would change status with these weights, then save what you saw"
            raise ConflictError(what="The weights of health", reason=reason)
        weights = {segment: dict(wanted[segment]) for segment in Segment}
        return policy.model_copy(update={"health": policy.health.model_copy(update={"weights": weights})})

    present = weights_document((await load_policy(session)).health.weights)
    policy = await change_policy(session, change, by.user_id, by.now)
    if proposal_id is None:
        await note_weights(session, present, weights_document(wanted), note, by)
    else:
        await close_proposal(session, proposal_id, weights_document(wanted), note, by)
    await announce_change(session)
    return policy
