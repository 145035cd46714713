"""How early scoring sees a slow decline, on a company whose causes are known.

The short form says that it does; the proof says how well, at the size of a real portfolio, for the scorecard
and for models as they would have been trained.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.time import start_of_day
from ml.simulation.archetypes import Archetype
from ml.simulation.worlds import Preset
from models.clock import start_clock, wall_now
from models.database import Database
from models.sources import connect_source
from workers.backtest_command import Asked, backtest
from workers.demo.options import BUSINESS_START, DemoOptions
from workers.demo.seed import fill_history, sample_source
from workers.sample_command import lay_company, write_stories

LEAST_FLAGGED, LEAST_LIFT = 0.6, 3.0
PROVED_SEED, PROVED_CUSTOMERS = 7, 500
"""No seed on which points or columns were chosen."""
MOSTLY_SLOW = {
    Archetype.DECLINING: 0.5,
    Archetype.HEALTHY: 0.3,
    Archetype.SEASONAL: 0.1,
    Archetype.ERRATIC: 0.1,
}


def quietly(_what: str, _share: float) -> None:
    """Tell nobody."""


async def stop_clock(database: Database) -> None:
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=start_of_day(BUSINESS_START), rate=0.0)


def slow_decliners(found: dict[str, Any], cut: str = "tier") -> dict[str, Any]:
    """Return how early those were flagged who truly declined."""
    summary: dict[str, Any] = found["cuts"][cut]["lead"]["by"]["group"]["declining"]
    return summary


@pytest.mark.integration
async def test_slow_decliners_are_flagged_before_they_leave_and_flags_mean_something(
    database: Database, tmp_path: Path
) -> None:
    sample = DemoOptions(customers=60, days=1, seed=5, preset=Preset.COMPANY).sample
    async with database.transaction() as session:
        await connect_source(session, sample_source(start_of_day(BUSINESS_START)))
    simulation = await fill_history(database, replace(sample, history_days=560, shares=MOSTLY_SLOW))
    await stop_clock(database)
    write_stories(simulation, tmp_path / "stories.csv")
    found = await backtest(database, Asked(every="month", groups=tmp_path / "stories.csv"), quietly)
    said = found["cuts"]["tier"]["precision"][0]
    assert slow_decliners(found)["flagged"]["60"]["share"] >= LEAST_FLAGGED
    assert said["lift"]["value"] >= LEAST_LIFT


@pytest.mark.proof
@pytest.mark.parametrize("model", ["scorecard", "retrain"])
async def test_most_slow_decliners_are_flagged_ninety_days_before_their_end(
    database: Database, tmp_path: Path, record_property: Callable[[str, object], None], model: str
) -> None:
    """Of the tenth of customers that is looked at: the same work, whoever says which."""
    simulation = await lay_company(database, PROVED_CUSTOMERS, PROVED_SEED)
    await stop_clock(database)
    write_stories(simulation, tmp_path / "stories.csv")
    found = await backtest(database, Asked(model, groups=tmp_path / "stories.csv"), quietly)
    for cut in ("tier", "capacity"):
        record_property(cut, slow_decliners(found, cut) | {"precision": found["cuts"][cut]["precision"]})
    record_property("stages", found["stages"])
    slow, said = slow_decliners(found, "capacity"), found["cuts"]["capacity"]["precision"]
    assert slow["flagged"]["90"]["share"] >= LEAST_FLAGGED
    assert said[0]["lift"]["value"] >= LEAST_LIFT
