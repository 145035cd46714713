"""What the running stack tells other commands, in `run/state.json` of the home."""

import importlib.metadata
import json
import os
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from settings import PREFIX, Settings
from workers.embedded.errors import StackNotRunningError
from workers.embedded.process import ProcessMark

OVERRIDES = (
    "database_url",
    "temporal_address",
    "postgres_port",
    "temporal_port",
    "temporal_ui_port",
    "api_port",
    "simulators_port",
)


class Part(BaseModel):
    """One child as the supervisor last saw it."""

    model_config = ConfigDict(frozen=True)

    mark: ProcessMark | None = None
    healthy: bool = False
    since: datetime
    restarts: int = 0
    last_exit: str | None = None
    where: str = ""


class StackState(BaseModel):
    """The stack as the supervisor last saw it. Believe it only while `supervisor` is alive."""

    model_config = ConfigDict(frozen=True)

    supervisor: ProcessMark
    version: str
    started: datetime
    ready: bool = False
    settings: dict[str, str | int | None]
    parts: dict[str, Part] = {}

    def is_alive(self) -> bool:
        """Whether the supervisor that wrote this still runs."""
        return self.supervisor.is_alive()

    def is_healthy(self) -> bool:
        """Whether every part does its work now."""
        return self.ready and self.is_alive() and all(part.healthy for part in self.parts.values())


def version() -> str:
    """Return the version of the installed package."""
    return importlib.metadata.version("everstay")


def run_folder(home: Path) -> Path:
    """Return the folder of locks and state, made if need be."""
    folder = home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def state_path(home: Path) -> Path:
    """Return where the state of the stack on this home is kept."""
    return home / "run" / "state.json"


def write_state(home: Path, state: StackState) -> None:
    """Replace the state in one step, so that no reader sees half of it."""
    path = state_path(home)
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(state.model_dump_json(indent=1))
    fresh.replace(path)


def read_state(home: Path) -> StackState | None:
    """Return the last state written on this home; None if there is none that can be read."""
    try:
        return StackState.model_validate(json.loads(state_path(home).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None


def locate(settings: Settings) -> Settings:
    """Fill in the addresses of the running embedded stack; refuse with the fix if it does not run.

    Settings that name their own Postgres and Temporal come back unchanged.
    """
    if settings.database_url is not None and settings.temporal_address is not None:
        return settings
    state = read_state(settings.home)
    if state is None or not state.is_alive():
        raise StackNotRunningError
    return settings.model_copy(update=state.settings)


def shared_settings(settings: Settings) -> dict[str, str | int | None]:
    """Return the part of resolved settings that other commands need to find the stack."""
    return {name: getattr(settings, name) for name in OVERRIDES}


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables that make a child process find the same home, ports and services."""
    given = {"home": settings.home, "profile": settings.profile, **shared_settings(settings)}
    return {PREFIX + name.upper(): str(value) for name, value in given.items() if value is not None}
