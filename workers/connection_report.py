"""`everstay connections`: what each connection is, how it is doing, and its last passes."""

from typing import Any

from domain.time import WallInstant
from models.connections import ListedConnection, list_connections, pause_connection
from models.database import Session
from models.pulls import PullRun, newest_runs
from workers.console import in_transaction, located_settings

Report = list[dict[str, Any]]


def load_report() -> Report:
    """Return every connection with its newest pass over each stream."""
    return in_transaction(located_settings(), _load)


async def _load(session: Session) -> Report:
    runs = sorted(await newest_runs(session), key=lambda run: run.started_at)
    return [
        _shown(connection, [run for run in runs if run.source_id == connection.source_id])
        for connection in await list_connections(session)
    ]


def _shown(connection: ListedConnection, runs: list[PullRun]) -> dict[str, Any]:
    return {
        "id": connection.source_id,
        "name": connection.name,
        "provider": connection.provider,
        "state": _state(connection),
        "problem": connection.problem,
        "every_seconds": connection.pull_every_seconds,
        "last_received_at": _text(connection.last_received_at),
        "streams": {
            run.stream: {
                "state": run.state,
                "read": run.read,
                "stored": run.stored,
                "duplicates": run.duplicates,
                "quarantined": run.quarantined,
                "finished_at": _text(run.finished_at),
                "error": run.error,
            }
            for run in runs
        },
    }


def _state(connection: ListedConnection) -> str:
    if connection.paused_at is not None:
        return "paused"
    return "failing" if connection.problem else "on"


def _text(instant: WallInstant | None) -> str | None:
    return None if instant is None else instant.isoformat(timespec="seconds")


def as_lines(report: Report) -> str:
    """Return the report for people."""
    if not report:
        return "Nothing is connected; see `everstay connect --help`."
    return "\n".join(line for one in report for line in _lines(one))


def _lines(one: dict[str, Any]) -> list[str]:
    every = f", read every {one['every_seconds']:g} s" if one["every_seconds"] else ""
    lines = [f"{one['id']} ({one['provider']}{every}): {one['state']}"]
    if one["problem"]:
        lines.append(f"  {one['problem']}")
    for stream, run in one["streams"].items():
        counts = f"{run['read']} read, {run['stored']} stored, {run['quarantined']} quarantined"
        lines.append(f"  {stream}: {run['state']}; {counts}")
    return lines


def set_paused(source_id: str, at: WallInstant | None) -> None:
    """Stop or go on reading a connection; raises NotFoundError."""
    in_transaction(located_settings(), lambda session: pause_connection(session, source_id, at))
