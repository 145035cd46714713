"""Record histories for the replay corpus, from the repository root: python -m tools.record_histories --new.

The corpus holds what workflows of released versions really did. NEVER record again to mend a failing replay
test: a run that is under way in somebody's installation has the same history and would fail the same way.
Gate the change with workflow.patched instead (docs/workflows.md). Record only the paths that are new.
"""

import argparse
import asyncio
import datetime as dt
import json
import sys
import uuid
from typing import Any

from models.database import Database
from models.migrate import migrate_to_head
from tests.replay.corpus import HISTORIES, MANIFEST, without_machine
from tests.replay.recording import Recorded, Scene
from tests.replay.scenes import SCENES
from tests.support.postgres import create_database, running_postgres


def main() -> int:
    """Record every history that the corpus does not have; never touch one that it has."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--new", action="store_true", help="record the paths that have no history yet")
    if not parser.parse_args().new:
        sys.stderr.write(f"{__doc__}\nNothing was recorded: say --new to record the paths that are new.\n")
        return 2
    with running_postgres() as server:
        for scene in SCENES:
            asyncio.run(_record(scene, server))
    return 0


async def _record(scene: Scene, server: str) -> None:
    """Live through one scene on a database of its own."""
    url = create_database(server, f"scene_{uuid.uuid4().hex}")
    await asyncio.to_thread(migrate_to_head, url)
    database = Database(url)
    try:
        async for recorded in scene(database):
            print(f"{_keep(recorded)} {recorded.name}")
    finally:
        await database.close()


def _keep(recorded: Recorded) -> str:
    path = HISTORIES / f"{recorded.name}.json"
    if path.exists():
        return "kept as it is:"
    history = without_machine(json.loads(recorded.history.to_json()))
    path.write_text(json.dumps(history, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    manifest: dict[str, Any] = json.loads(MANIFEST.read_text("utf-8")) if MANIFEST.exists() else {}
    manifest[recorded.name] = {
        "workflow": recorded.history.events[0].workflow_execution_started_event_attributes.workflow_type.name,
        "workflow_id": recorded.history.workflow_id,
        "events": len(recorded.history.events),
        "recorded": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    MANIFEST.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return "recorded:"


if __name__ == "__main__":
    sys.exit(main())
