"""What names one visit of one step of a run."""

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_

from models.tables.playbooks import InterventionStepRow


@dataclass(frozen=True)
class Visit:
    """One visit of one sending step."""

    intervention_id: uuid.UUID
    step_id: str
    occurrence: int

    @property
    def origin(self) -> str:
        """The part of the effect key before the target."""
        return f"{self.intervention_id}/{self.step_id}/{self.occurrence}/"


def is_row_of(visit: Visit) -> ColumnElement[bool]:
    """Tell of a step's row whether it is the record of this visit."""
    row = InterventionStepRow
    return and_(
        row.intervention_id == visit.intervention_id,
        row.step_id == visit.step_id,
        row.occurrence == visit.occurrence,
    )


def task_key(intervention_id: uuid.UUID, step_id: str, occurrence: int, purpose: str = "task") -> str:
    """Return the key that makes a task of one visit of one step appear once."""
    return f"{Visit(intervention_id, step_id, occurrence).origin}{purpose}"
