"""`everstay status`: what runs where, since when."""

from datetime import datetime

from pydantic import BaseModel

from settings import Settings
from workers.embedded.ports import LOCAL
from workers.embedded.runtime import StackState, read_state, version


class PartStatus(BaseModel):
    """One child."""

    pid: int | None
    healthy: bool
    since: datetime
    restarts: int
    last_exit: str | None
    where: str


class Status(BaseModel):
    """The whole stack; the keys are a promise (`everstay status --json`)."""

    healthy: bool
    running: bool
    pid: int | None = None
    started: datetime | None = None
    version: str
    home: str
    api: str | None = None
    mailbox: str | None = None
    postgres: str | None = None
    temporal: str | None = None
    temporal_ui: str | None = None
    parts: dict[str, PartStatus] = {}


def describe(settings: Settings) -> Status:
    """Return the state of the stack on this home; a dead supervisor's last words are not believed."""
    state = read_state(settings.home)
    if state is None or not state.is_alive():
        return Status(healthy=False, running=False, version=version(), home=str(settings.home))
    found = settings.model_copy(update=state.settings)
    return Status(
        healthy=state.is_healthy(),
        running=True,
        pid=state.supervisor.pid,
        started=state.started,
        version=state.version,
        home=str(settings.home),
        api=found.base_url,
        mailbox=found.simulators_url,
        postgres=_without_password(found),
        temporal=found.temporal_address,
        temporal_ui=f"http://{LOCAL}:{found.temporal_ui_port}" if "temporal" in state.parts else None,
        parts=_parts(state),
    )


def _without_password(settings: Settings) -> str | None:
    return settings.database_url.rsplit("@", 1)[-1].split("/", 1)[0] if settings.database_url else None


def _parts(state: StackState) -> dict[str, PartStatus]:
    return {
        name: PartStatus(pid=part.mark.pid if part.mark else None, **part.model_dump(exclude={"mark"}))
        for name, part in state.parts.items()
    }


def as_text(status: Status) -> str:
    """Return the status for people."""
    if not status.running:
        return f"Everstay does not run on {status.home}: start it with make up."
    head = f"Everstay {status.version}, pid {status.pid}, {'healthy' if status.healthy else 'NOT healthy'}"
    return "\n".join([head, *(_line(name, part) for name, part in status.parts.items())])


def _line(name: str, part: PartStatus) -> str:
    word = "healthy" if part.healthy else "NOT healthy"
    again = f", {part.restarts} restarts, last {part.last_exit}" if part.restarts else ""
    pid = part.pid or "-"
    return f"  {name:18} {word:12} pid {pid:<8} since {part.since:%Y-%m-%d %H:%M:%S}Z{again}  {part.where}"
