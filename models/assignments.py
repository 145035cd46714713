"""Records who was treated, left out by chance, or dealt a variant, and how the customer was then."""

import uuid
from dataclasses import dataclass

from sqlalchemy import Text, Uuid, cast, func, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.dealing import Before
from domain.time import BusinessInstant
from domain.trials import Assignment
from models.tables.customers import CustomerRow
from models.tables.trials import AssignmentRow

COLUMNS = (
    "id", "key", "customer_id", "playbook_key", "version_id", "step_id", "intervention_id", "case_id",
    "occasion", "arm",
    "propensity", "global_share", "assigned_at", "segment", "touch_tier", "acted_tier", "churn_probability",
    "arr_minor", "currency", "state",
)  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """What was assigned to whom: a playbook, or a variant of one of its experiments, perhaps in a run.

    Win-back follows a policy instead of a playbook: it has a key and a case, and no version.
    """

    customer_id: uuid.UUID
    playbook_key: str
    version_id: uuid.UUID | None
    intervention_id: uuid.UUID | None = None
    step_id: str = ""
    case_id: uuid.UUID | None = None

    def key(self, occasion: str, now: BusinessInstant) -> str:
        """Return what makes a second record of the same impossible."""
        if self.case_id is not None:
            return f"case/{self.case_id}"
        if self.intervention_id is not None:
            return f"{self.intervention_id}/{self.step_id}"
        return f"{self.customer_id}/{self.playbook_key}/{occasion}/{now:%Y-%m-%d}"


async def record_assignment(
    session: AsyncSession,
    subject: Subject,
    assignment: Assignment,
    now: BusinessInstant,
    *,
    arm: str | None = None,
    arr_minor: int | None = None,
) -> None:
    """Write one assignment with the state of its customer, once; `arm` names a variant instead.

    `arr_minor` is what is at stake where the customer pays nothing any more.
    """
    row = CustomerRow
    state = func.jsonb_build_object(
        "renewal_on", row.renewal_on, "health_score", row.health_score, "health_status", row.health_status,
        "churn_risk_score", row.churn_risk_score, "last_touch_at", row.last_touch_at,
    )  # fmt: skip
    seen = select(
        literal(uuid.uuid4(), Uuid),
        literal(subject.key(assignment.occasion, now)),
        row.id,
        literal(subject.playbook_key),
        cast(literal(subject.version_id, Uuid), Uuid),
        literal(subject.step_id),
        cast(literal(subject.intervention_id, Uuid), Uuid),
        cast(literal(subject.case_id, Uuid), Uuid),
        literal(assignment.occasion),
        cast(literal(arm or assignment.arm.value), Text),
        literal(assignment.propensity),
        literal(assignment.global_share),
        literal(now, AssignmentRow.assigned_at.type),
        row.segment,
        func.coalesce(row.touch_tier_override, row.touch_tier),
        row.acted_tier,
        row.churn_probability,
        row.arr_minor if arr_minor is None else literal(arr_minor),
        row.currency,
        state,
    ).where(row.id == subject.customer_id)
    statement = upsert(AssignmentRow).from_select(COLUMNS, seen)
    await session.execute(statement.on_conflict_do_nothing(index_elements=["key"]))


async def dealt_before(session: AsyncSession, customer_id: uuid.UUID, playbook_key: str) -> dict[str, Before]:
    """Return the variant that a customer was dealt first, by step of the playbook."""
    row = AssignmentRow
    query = select(row.step_id, row.arm, row.propensity).where(
        row.customer_id == customer_id, row.playbook_key == playbook_key, row.step_id != ""
    )
    found: dict[str, Before] = {}
    for step_id, arm, propensity in await session.execute(query.order_by(row.assigned_at, row.id)):
        found.setdefault(step_id, Before(arm, propensity))
    return found
