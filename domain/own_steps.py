"""Steps of a developer's own: what such a step is, what it is told, and what a playbook may say of it.

This module is the public face for authors. A package registers an object under the entry point group
`everstay.steps`; a playbook calls it by that name (`call: {step: …, config: …, on: …}`).
"""

import difflib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from domain.conditions import Value
from domain.playbook import Playbook
from domain.playbook_steps import Call
from domain.time import BusinessInstant

GROUP = "everstay.steps"
FAILURES = ("own_step_unknown", "own_step_config", "own_step_raised", "own_step_timeout", "own_step_result")
"""How a step can fail, in the words of its record: `on` may name them beside the step's own results."""


@dataclass(frozen=True)
class StepContext:
    """What a step is told of the run that calls it."""

    effect_key: str
    """The same for every attempt at this visit, and for no other: give it to whatever must happen once."""
    run_id: uuid.UUID
    playbook: str
    step: str
    occurrence: int
    customer_id: uuid.UUID
    customer_external_id: str
    customer_name: str
    now: BusinessInstant
    """Business time. It may run faster than the machine's."""
    facts: Mapping[str, Value] = field(default_factory=dict)
    """The fields of conditions: tier, health_score, plan, arr and the rest."""


class OwnStep(Protocol):
    """One step. Both properties may be plain attributes of the class."""

    @property
    def config(self) -> type[BaseModel]:
        """What a playbook may set."""
        ...

    @property
    def results(self) -> tuple[str, ...]:
        """Every word that `run` may return."""
        ...

    async def run(self, context: StepContext, config: Any) -> str:
        """Do it and return one of the results. It may be called again for the same visit."""
        ...


@dataclass(frozen=True)
class OwnSteps:
    """The steps that this installation has, by name, and why others could not be loaded."""

    steps: Mapping[str, OwnStep] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StepProblem:
    """What is wrong with a playbook, and where: `steps.2.call.config.limit`."""

    path: str
    message: str


def check_own_steps(playbook: Playbook, known: OwnSteps) -> list[StepProblem]:
    """Return everything that is wrong with the calls of a playbook, empty where nothing is."""
    return [
        problem
        for place, step in enumerate(playbook.steps)
        if step.call is not None
        for problem in _check_call(f"steps.{place}.call", step.call, known)
    ]


def _check_call(path: str, call: Call, known: OwnSteps) -> list[StepProblem]:
    own = known.steps.get(call.step)
    if own is None:
        return [StepProblem(f"{path}.step", why_unknown(call.step, known))]
    problems = [StepProblem(f"{path}.config{where}", said) for where, said in config_faults(own, call.config)]
    words = (*own.results, *FAILURES)
    return problems + [
        StepProblem(
            f"{path}.results.{word}", f"{word!r} is no result of it; its results are {', '.join(words)}"
        )
        for word in call.results
        if word not in words
    ]


def why_unknown(name: str, known: OwnSteps) -> str:
    """Say why there is no such step, with the nearest one."""
    if name in known.broken:
        return f"the step {name!r} could not be loaded: {known.broken[name]}"
    close = difflib.get_close_matches(name, known.steps, n=1)
    names = ", ".join(sorted(known.steps)) or "none"
    hint = f"did you mean {close[0]!r}?" if close else f"installed are: {names}"
    return f"no package registers a step {name!r}; {hint}"


def config_faults(own: OwnStep, config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return where a config does not fit what the step declares, and why."""
    try:
        own.config.model_validate(config)
    except ValidationError as error:
        return [
            ("".join(f".{part}" for part in found["loc"]), found["msg"])
            for found in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    return []
