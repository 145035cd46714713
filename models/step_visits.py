"""What names one visit of one step of a run."""

import uuid
from dataclasses import dataclass


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
