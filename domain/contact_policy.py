"""How often we speak with customers: the longest silence per touch tier, and the most contact."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.guard import ContactBudget
from domain.vocabulary import TouchTier


class ContactPolicy(BaseModel):
    """The editable document behind silence deadlines and the contact budget. Days and counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    longest_silence_days: dict[TouchTier, Annotated[int, Field(ge=1, le=3650)]] = {
        TouchTier.STRATEGIC: 21,
        TouchTier.MANAGED: 30,
        TouchTier.TECH_TOUCH: 45,
    }
    emails_per_day: int = Field(1, ge=0)
    emails_per_week: int = Field(3, ge=0)

    @model_validator(mode="after")
    def _names_every_touch_tier(self) -> Self:
        missing = [tier.value for tier in TouchTier if tier not in self.longest_silence_days]
        if missing:
            message = f"the longest silence of {', '.join(missing)} is missing"
            raise ValueError(message)
        return self

    @property
    def budget(self) -> ContactBudget:
        """The same as the guard reads it."""
        return ContactBudget(self.emails_per_day, self.emails_per_week)
