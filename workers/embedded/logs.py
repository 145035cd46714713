"""One log file per child, set aside at every start of the stack."""

from itertools import pairwise
from pathlib import Path

KEPT = 3
TAIL_LINES = 12


def log_path(logs: Path, name: str) -> Path:
    """Return where the child of this name writes."""
    return logs / f"{name}.log"


def rotate(logs: Path, name: str) -> Path:
    """Set the last log aside (`name.log.1` is the youngest) and return the path of the new one."""
    logs.mkdir(parents=True, exist_ok=True)
    path = log_path(logs, name)
    numbered = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, KEPT + 1))]
    for younger, older in reversed(list(pairwise(numbered))):
        if younger.exists():
            younger.replace(older)
    return path


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log, indented, or say that there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "    (no log)"
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (empty)"
