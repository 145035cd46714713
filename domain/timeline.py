"""Business time as an append-only list of segments, so that a compressed installation can stop and go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from domain.time import BusinessInstant, WallInstant


@dataclass(frozen=True)
class Segment:
    """From `wall_start` on, business time runs from `business_start` at `rate` (0 stands still)."""

    wall_start: WallInstant
    business_start: BusinessInstant
    rate: float

    def business_at(self, wall: WallInstant) -> BusinessInstant:
        """Map a wall instant; before the segment it is the segment's start."""
        elapsed = max(wall - self.wall_start, timedelta())
        return BusinessInstant(self.business_start + elapsed * self.rate)

    def wall_at(self, due: BusinessInstant) -> WallInstant | None:
        """Map back: the first wall instant at which `due` has come, None if this pace never gets there."""
        if due <= self.business_start:
            return self.wall_start
        if self.rate == 0:
            return None
        try:
            reached = WallInstant(self.wall_start + (due - self.business_start) / self.rate)
        except OverflowError:  # later than the calendar ends
            return None
        return reached if self.business_at(reached) >= due else WallInstant(reached + TICK)


TICK = timedelta(microseconds=1)
FAR = timedelta(days=36500)


@dataclass(frozen=True)
class Timeline:
    """All segments in order of their wall start; the newest pace goes on.

    Both mappings are monotone, except where a person has set the clock back.
    """

    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        """Refuse an empty or unordered list, and a pace that runs backwards."""
        if not self.segments:
            raise ValueError("a timeline needs at least one segment")
        backwards = any(segment.rate < 0 for segment in self.segments)
        starts = [segment.wall_start for segment in self.segments]
        if backwards or starts != sorted(starts):
            raise ValueError("segments must follow each other in wall time at a rate of 0 or more")

    def segment_at(self, wall: WallInstant) -> Segment:
        """Return the segment that holds at a wall instant (the first, for what is before all)."""
        current = self.segments[0]
        for segment in self.segments[1:]:
            if segment.wall_start > wall:
                break
            current = segment
        return current

    def business_at(self, wall: WallInstant) -> BusinessInstant:
        """Return business time at a wall instant."""
        return self.segment_at(wall).business_at(wall)

    def happened_at(self, wall: WallInstant) -> BusinessInstant:
        """Map what a provider or client says happened at a wall instant, history included.

        What lies before business time began, or before it was last set back, is as far behind that beginning
        as it was on the wall: years of history keep their distances, and none of it lies ahead of today.
        """
        anchor = self._anchor()
        if wall < anchor.wall_start:
            return BusinessInstant(anchor.business_start - (anchor.wall_start - wall))
        return self.business_at(wall)

    def _anchor(self) -> Segment:
        """Return the segment with which business time began, or the last that set it back."""
        anchor = self.segments[0]
        for before, segment in pairwise(self.segments):
            if segment.business_start < before.business_at(segment.wall_start):
                anchor = segment
        return anchor

    def wall_at(self, due: BusinessInstant, now: WallInstant) -> WallInstant:
        """Return when `due` will have come if today's pace goes on; `now` if it has come already."""
        if self.business_at(now) >= due:
            return now
        expected = self.segments[-1].wall_at(due)
        latest = WallInstant(now + FAR)
        return latest if expected is None else min(max(expected, now), latest)


def rescaled(timeline: Timeline, now: WallInstant, rate: float) -> Segment:
    """Return the segment that goes on from business now at another rate.

    A wall clock that was set back a little must not put it before the newest one: no process could read
    such a timeline.
    """
    at = max(now, timeline.segments[-1].wall_start)
    return Segment(at, timeline.business_at(at), rate)


def stopped(timeline: Timeline, last_seen: WallInstant) -> Segment:
    """Return the segment that stops business time where the stack was last seen alive."""
    return rescaled(timeline, last_seen, 0.0)


_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
AS_TOLD = Timeline((Segment(WallInstant(_BEGIN), BusinessInstant(_BEGIN), 1.0),))
"""The timeline of a provider that lives on business time: what it tells is taken as it is."""


def lives_on_business_time(options: Mapping[str, Any]) -> bool:
    """Tell by a connection's options (`clock=business`) that its provider's clock is ours.

    The simulated providers of a compressed installation may live on its clock; real ones live on the wall's.
    """
    return options.get("clock") == "business"


def timeline_of(options: Mapping[str, Any], timeline: Timeline) -> Timeline:
    """Return how a connection's instants map to business time."""
    return AS_TOLD if lives_on_business_time(options) else timeline
