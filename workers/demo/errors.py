"""Errors that our own processes logged."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NOT_OURS = {"postgres.log", "temporal.log"}
"""They log what they were asked wrongly; what of it matters reaches our own logs."""
BAD = {"error", "critical"}


@dataclass(frozen=True)
class LoggedError:
    """One line at error level, or a traceback that nobody caught."""

    file: str
    sentence: str


def logged_errors(folder: Path) -> list[LoggedError]:
    """Return the errors in the logs of a stack, in the order of files and lines."""
    files = sorted(path for path in folder.glob("*.log") if path.name not in NOT_OURS)
    return [LoggedError(path.name, sentence) for path in files for sentence in _errors(path)]


def _errors(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            sentence = _error(line)
            if sentence is not None:
                yield sentence


def _error(line: str) -> str | None:
    if line.startswith("Traceback (most recent call last)"):
        return line.strip()
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if isinstance(entry, dict) and entry.get("level") in BAD:
        return str(entry.get("event", ""))
    return None
