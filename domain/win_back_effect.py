"""Whether winning back does anything: who was written to against who was left alone by chance."""

from dataclasses import dataclass
from math import sqrt

from domain.impact import Verdict
from domain.interval import Interval

LEAST_PER_ARM = 30
"""Ended cases below which shares are told, and no verdict is given."""
Z = 1.96
"""Of a two-sided interval of 95 %."""


@dataclass(frozen=True)
class WinBackArm:
    """Cases that have ended by themselves, and how many of their customers came back."""

    cases: int
    returned: int

    @property
    def share(self) -> float | None:
        """How many of one came back, None of nobody."""
        return self.returned / self.cases if self.cases else None


@dataclass(frozen=True)
class WinBackEffect:
    """Both arms, and the difference of their shares where there are enough cases."""

    treated: WinBackArm
    held_out: WinBackArm
    difference: Interval | None
    verdict: Verdict

    @property
    def missing(self) -> tuple[int, int]:
        """How many more ended cases each arm needs: treated, held out."""
        return (
            max(LEAST_PER_ARM - self.treated.cases, 0),
            max(LEAST_PER_ARM - self.held_out.cases, 0),
        )


def compare(treated: WinBackArm, held_out: WinBackArm) -> WinBackEffect:
    """Return the difference in shares that came back with its 95 % interval (Newcombe 1998, method 10)."""
    if min(treated.cases, held_out.cases) < LEAST_PER_ARM:
        return WinBackEffect(treated, held_out, None, Verdict.NOT_ENOUGH)
    one, other = _wilson(treated), _wilson(held_out)
    value = one.value - other.value
    low = value - sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)
    high = value + sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)
    return WinBackEffect(treated, held_out, Interval(value, low, high), _verdict(low, high))


def _verdict(low: float, high: float) -> Verdict:
    if low > 0:
        return Verdict.WORKS
    return Verdict.HARMS if high < 0 else Verdict.NO_DIFFERENCE


def _wilson(arm: WinBackArm) -> Interval:
    """Return a share with its interval of 95 % (Wilson 1927)."""
    count, share = arm.cases, arm.returned / arm.cases
    middle = share + Z**2 / (2 * count)
    reach = Z * sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    scale = 1 + Z**2 / count
    return Interval(share, max((middle - reach) / scale, 0.0), min((middle + reach) / scale, 1.0))
