"""How often we speak with customers: the longest silence per touch tier, and the most contact."""

from pydantic import BaseModel, ConfigDict, Field

from domain.guard import ContactBudget
from domain.vocabulary import TouchTier


class ContactPolicy(BaseModel):
    """The editable document behind silence deadlines and the contact budget. Days and counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    longest_silence_days: dict[TouchTier, int] = {
        TouchTier.STRATEGIC: 21,
        TouchTier.MANAGED: 30,
        TouchTier.TECH_TOUCH: 45,
    }
    emails_per_day: int = Field(1, ge=0)
    emails_per_week: int = Field(3, ge=0)

    @property
    def budget(self) -> ContactBudget:
        """The same as the guard reads it."""
        return ContactBudget(self.emails_per_day, self.emails_per_week)
