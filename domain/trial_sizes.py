"""How many customers it takes to see an effect: the answer to "not enough data"."""

import math
from statistics import NormalDist

LEVEL = 0.95
POWER = 0.8
WORTH_FINDING = 0.3
"""The effect to be found: three of ten departures prevented. Half of it takes about four times the data."""


def needed_per_arm(
    base: float, cut: float = WORTH_FINDING, *, ratio: float = 1.0, level: float = LEVEL, power: float = POWER
) -> tuple[int, int]:
    """Return how many customers the arms need, (treated, untreated), to see departures fall by a share.

    `base` is the share of untreated customers that leave (0 to 1), `cut` the share of these that is
    prevented, `ratio` treated customers per untreated one.
    Two proportions, two-sided, unpooled: n = (z_a + z_b)^2 (p1 q1 + p2 q2 / r) / (p1 - p2)^2 untreated,
    and r times as many treated (Fleiss, Levin and Paik 2003, section 4.4; Chow, Shao and Wang 2008,
    section 4.2). With as many in both it gives 6,743 for 5 % and a fifth.
    """
    base = min(max(base, 1e-6), 1 - 1e-6)
    treated = base * (1 - cut)
    normal = NormalDist()
    reach = normal.inv_cdf((1 + level) / 2) + normal.inv_cdf(power)
    spread = base * (1 - base) + treated * (1 - treated) / ratio
    untreated = reach**2 * spread / (base - treated) ** 2
    return math.ceil(untreated * ratio - 1e-9), math.ceil(untreated - 1e-9)
