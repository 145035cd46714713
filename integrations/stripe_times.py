"""Stripe's seconds and business time, both ways."""

import math
from dataclasses import dataclass

from domain.pulling import epoch
from domain.time import BusinessInstant
from domain.timeline import Timeline


@dataclass(frozen=True)
class StripeTimes:
    """Maps by a timeline: the installation's, or AS_TOLD where Stripe lives on business time."""

    timeline: Timeline

    def at(self, seconds: float) -> BusinessInstant:
        """Return the business instant of a Unix time of Stripe's."""
        return self.timeline.happened_at(epoch(float(seconds)))

    def seconds(self, instant: BusinessInstant) -> int:
        """Return the whole second at which Stripe will have come to a business instant at today's pace."""
        began = self.timeline.segments[-1].wall_start
        return math.ceil(self.timeline.wall_at(instant, began).timestamp())
