"""What a playbook saves of what would be lost: as it declares, until chance has measured it."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from domain.playbook import Playbook
from domain.vocabulary import Segment

PRIORITY_SCALE = 1000
"""A playbook that declares nothing is taken to save as many of 1,000 departures as its priority is high."""


class Uplift(BaseModel):
    """What a playbook was measured to do in a segment: the share of departures that it prevents.

    Below 0 it brings departures about. `low` and `high` bound it at 90 %; it is a posterior mean, drawn
    towards what the playbook declares and what its relatives do (ml/hierarchy.py).
    """

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    customers: int
    """Whose window has passed, treated and untreated."""


Uplifts = Mapping[tuple[str, Segment], Uplift]
"""By playbook and segment, where both arms have enough customers."""


def declared_uplift(priority: int, assumed: float | None) -> float:
    """Return the share of departures that a playbook is taken to prevent before anything is measured."""
    return assumed if assumed is not None else priority / PRIORITY_SCALE


def uplift_of(document: Playbook, segment: Segment | None, uplifts: Uplifts) -> float:
    """Return the measured share of departures that it prevents in a segment, else the declared one."""
    found = measured(document.key, segment, uplifts)
    return found.value if found is not None else declared_uplift(document.priority, document.assumed_uplift)


def measured(key: str, segment: Segment | None, uplifts: Uplifts) -> Uplift | None:
    """Return what was measured of a playbook in a segment, None where that is not enough."""
    return uplifts.get((key, segment)) if segment is not None else None


def say_uplift(document: Playbook, segment: Segment | None, uplifts: Uplifts) -> str:
    """Say what an expected value rests on: `measured: saves 6 in 100, 90 % 2 to 10, n = 410`."""
    found = measured(document.key, segment, uplifts)
    if found is None:
        return f"assumed: saves {_hundred(uplift_of(document, segment, uplifts))} in 100"
    bounds = f"90 % {_hundred(found.low)} to {_hundred(found.high)}"
    return f"measured: saves {_hundred(found.value)} in 100, {bounds}, n = {found.customers}"


def _hundred(share: float) -> str:
    return f"{round(100 * share, 1):g}"
