"""How much human attention a customer gets, and how large it counts: ordered rules that a person may edit."""

from pydantic import BaseModel, ConfigDict, Field

from domain.vocabulary import Segment, TouchTier

POLICY_KEY = "touch_tiers"


class SizeRule(BaseModel):
    """Holds for a customer that reaches any of its thresholds or is on one of its plans."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_arr_minor: int | None = Field(None, ge=0)
    min_employees: int | None = Field(None, ge=0)
    plans: tuple[str, ...] = ()

    def holds(self, arr_minor: int, plan: str | None, employees: int | None) -> bool:
        """Tell whether any of the conditions is met."""
        rich = self.min_arr_minor is not None and arr_minor >= self.min_arr_minor
        big = self.min_employees is not None and (employees or 0) >= self.min_employees
        listed = plan is not None and plan.casefold() in {name.casefold() for name in self.plans}
        return rich or big or listed


class TouchTierRule(SizeRule):
    """Gives a touch tier."""

    tier: TouchTier


class SegmentRule(SizeRule):
    """Gives a segment."""

    segment: Segment


class TouchTierPolicy(BaseModel):
    """Both lists of rules, the first that holds wins; what no rule takes is tech_touch, and small."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tiers: tuple[TouchTierRule, ...]
    segments: tuple[SegmentRule, ...]

    def tier_of(self, arr_minor: int, plan: str | None, employees: int | None) -> TouchTier:
        """Return the tier of a customer of this recurring revenue, plan and size."""
        for rule in self.tiers:
            if rule.holds(arr_minor, plan, employees):
                return rule.tier
        return TouchTier.TECH_TOUCH

    def segment_of(self, arr_minor: int, plan: str | None, employees: int | None) -> Segment:
        """Return the segment of a customer of this recurring revenue, plan and size."""
        for rule in self.segments:
            if rule.holds(arr_minor, plan, employees):
                return rule.segment
        return Segment.SMALL


DEFAULT_POLICY = TouchTierPolicy(
    tiers=(
        TouchTierRule(tier=TouchTier.STRATEGIC, min_arr_minor=10_000_000, min_employees=2_000),
        TouchTierRule(
            tier=TouchTier.MANAGED, min_arr_minor=1_200_000, min_employees=200, plans=("enterprise",)
        ),
    ),
    segments=(
        SegmentRule(segment=Segment.ENTERPRISE, min_arr_minor=10_000_000, min_employees=1_000),
        SegmentRule(segment=Segment.MID_MARKET, min_arr_minor=1_200_000, min_employees=100),
    ),
)
"""What holds until a person edits it: 100,000 a year is strategic, 12,000 is managed."""
