"""What a demo was asked for."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ml.simulation.portfolio import SampleConfig
from ml.simulation.worlds import Preset
from workers.pace import shortest_day

BUSINESS_START = dt.date(2026, 9, 7)
"""A Monday. Always the same, so that a seed gives the same portfolio on any day."""
SOURCE = "sample"
CARD_SHARE = 0.25
"""Of the small customers of a demo, who pay by card at the simulated Stripe."""
COMFORT = 1.2
"""Days begin this much longer than the shortest, and become shorter when the machine is calm."""


class DemoOptions(BaseModel):
    """The command line of `everstay demo`."""

    model_config = ConfigDict(frozen=True)

    customers: int = Field(ge=1)
    days: int = Field(ge=1)
    seed: int = 1
    ends: bool = False
    json_path: Path | None = None
    day_seconds: float | None = Field(None, gt=0)
    start: dt.date = BUSINESS_START
    preset: Preset = Preset.DEMO

    @property
    def sample(self) -> SampleConfig:
        """What decides the portfolio."""
        return SampleConfig(self.customers, self.start, self.days, self.seed, preset=self.preset)

    @property
    def with_cards(self) -> SampleConfig:
        """The same portfolio where a payment provider is there to bill a part of it."""
        return replace(self.sample, card_share=CARD_SHARE)

    @property
    def shortest_day(self) -> float:
        """Seconds below which a day never falls."""
        return self.day_seconds or shortest_day(self.customers)

    @property
    def first_day(self) -> float:
        """Seconds that the first days last."""
        return self.day_seconds or COMFORT * self.shortest_day
