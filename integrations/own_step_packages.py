"""Finds steps of a developer's own among the installed packages. One that is broken stops nobody else's."""

import inspect
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel

from domain.own_steps import GROUP, OwnStep, OwnSteps


@cache
def find_own_steps() -> OwnSteps:
    """Load every step that an installed package registers."""
    steps: dict[str, OwnStep] = {}
    broken: dict[str, str] = {}
    for found in entry_points(group=GROUP):
        if found.name in steps or found.name in broken:
            steps.pop(found.name, None)
            broken[found.name] = "two packages register this name"
            continue
        try:
            steps[found.name] = _load(found)
        except Exception as error:  # noqa: BLE001 - other people's code may raise anything when it is imported
            broken[found.name] = f"{type(error).__name__}: {error}"[:300]
    return OwnSteps(steps, broken)


def _load(found: EntryPoint) -> OwnStep:
    made: Any = found.load()
    own: Any = made() if inspect.isclass(made) else made
    if not (inspect.isclass(getattr(own, "config", None)) and issubclass(own.config, BaseModel)):
        raise TypeError("config must be a class of pydantic's BaseModel")
    results = getattr(own, "results", None)
    if not (isinstance(results, tuple) and results and all(isinstance(one, str) and one for one in results)):
        raise TypeError("results must be a tuple of words")
    if not inspect.iscoroutinefunction(getattr(own, "run", None)):
        raise TypeError("run must be an async method")
    step: OwnStep = own
    return step
