"""What `everstay sample` does: lay two years of an untreated company into an empty installation."""

import csv
from pathlib import Path

from domain.errors import ConflictError
from domain.time import start_of_day
from ml.simulation.simulation import Simulation
from ml.simulation.worlds import Preset
from models.backtests import customer_keys
from models.database import Database
from models.sources import connect_source
from settings import Settings
from workers.demo.options import DemoOptions
from workers.demo.seed import fill_history, sample_source


async def run_sample(settings: Settings, customers: int, seed: int, stories: Path | None) -> str:
    """Fill, write who lived which story where that was asked for, and say what is there now."""
    database = Database(settings.database_url or "", pool_size=2)
    try:
        simulation = await lay_company(database, customers, seed)
    finally:
        await database.close()
    if stories is not None:
        write_stories(simulation, stories)
    fates = simulation.fates()
    left = sum(one.left_on is not None for one in fates)
    config = simulation.config
    return (
        f"{len(fates)} customers from {config.history_start} to {config.start}, {left} of whom left. "
        f"Try: everstay backtest --model scorecard"
    )


async def lay_company(database: Database, customers: int, seed: int) -> Simulation:
    """Store the history of an untreated company, as facts from before its source was connected.

    Raises ConflictError where customers are there already: sample and real ones must not mix.
    """
    options = DemoOptions(customers=customers, days=1, seed=seed, preset=Preset.COMPANY)
    async with database.transaction() as session:
        if await customer_keys(session):
            raise ConflictError(what="installation", reason="it has customers; a sample needs an empty one")
        await connect_source(session, sample_source(start_of_day(options.start)))
    return await fill_history(database, options.sample)


def write_stories(simulation: Simulation, path: Path) -> None:
    """Write what each customer truly lived: the grouping that no data source tells."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["customer", "group"])
        writer.writerows([one.key, one.archetype.value] for one in simulation.fates())
