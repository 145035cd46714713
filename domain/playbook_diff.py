"""What an edit changes, in words: steps added, removed, changed or timed anew, and the rules around them."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from domain.playbook import Playbook
from domain.playbook_steps import Step
from domain.playbook_words import step as say_step

SPANS = {
    "duration", "timeout", "offset", "due_in", "expires", "ahead", "useful_for", "decide_in", "deadline",
    "dwell", "window", "until_window", "inactive_for", "within", "minutes",
}  # fmt: skip
"""Names of what says how long or when; an edit of nothing else only times anew."""
RULES = ("goal", "exits", "recalibration", "autonomy", "on_reply")
"""The parts beside the steps that bear on a run that is open already."""
OPENING = (
    "trigger",
    "audience",
    "only_if",
    "requires",
    "replaces",
    "cooldown",
    "once",
    "holdout",
    "holdout_share",
    "holdout_exempt",
    "assumed_uplift",
    "priority",
)
"""Those that bear only on runs to come."""
WORDS = ("name", "description", "motion")

Kind = Literal["added", "removed", "changed", "retimed"]


@dataclass(frozen=True)
class Change:
    """One difference between two versions."""

    kind: Kind
    what: str
    """`step:<id>` or the name of a part."""
    sentence: str

    @property
    def step(self) -> str | None:
        """The step that it is about."""
        return self.what.removeprefix("step:") if self.what.startswith("step:") else None


def differences(old: Playbook, new: Playbook) -> tuple[Change, ...]:
    """Return every difference in words: steps in their order, then rules, then what opens a run."""
    return (*_steps(old, new), *_parts(old, new))


def _steps(old: Playbook, new: Playbook) -> list[Change]:
    before = {step.id: step for step in old.steps}
    after = {step.id: step for step in new.steps}
    found = [
        Change("removed", f"step:{name}", f"Step “{name}” is gone: {say_step(step)}")
        for name, step in before.items()
        if name not in after
    ]
    for name, step in after.items():
        if name not in before:
            found.append(Change("added", f"step:{name}", f"New step “{name}”: {say_step(step)}"))
        else:
            found.extend(_step(before[name], step, old, new))
    return found


def _step(before: Step, after: Step, old: Playbook, new: Playbook) -> list[Change]:
    kind = compared(before, after)
    found = [Change(kind, f"step:{after.id}", _said(before, after))] if kind is not None else []
    if (
        old.successors(before) != new.successors(after)
        and before.model_copy(update={"next": after.next}) == after
    ):
        ways = ", ".join(sorted(new.successors(after)))
        return [Change("changed", f"step:{after.id}", f"Step “{after.id}” now leads to {ways}")]
    return found


def compared(before: BaseModel, after: BaseModel) -> Kind | None:
    """Tell whether two parts differ at all, only in their times, or in more."""
    if before == after:
        return None
    return "retimed" if timeless(before) == timeless(after) else "changed"


def timeless(part: BaseModel) -> Any:
    """Return a part as plain data without what says how long or when."""
    return _without(part.model_dump(mode="json"))


def _without(data: Any) -> Any:
    if isinstance(data, list):
        return [_without(one) for one in data]
    if isinstance(data, dict):
        return {name: value is not None if name in SPANS else _without(value) for name, value in data.items()}
    return data


def _said(before: Step, after: Step) -> str:
    was, becomes = say_step(before), say_step(after)
    if was != becomes:
        return f"Step “{after.id}”: {was} → {becomes}"
    return f"Step “{after.id}” says something else: {', '.join(_leaves(before, after))}"


def _leaves(before: BaseModel, after: BaseModel) -> list[str]:
    """Return the paths of single values that differ, each with both values."""
    was, becomes = (
        _flat(before.model_dump(mode="json", by_alias=True)),
        _flat(after.model_dump(mode="json", by_alias=True)),
    )
    names = dict.fromkeys([*was, *becomes])
    return [
        f"{name} {_short(was.get(name))} → {_short(becomes.get(name))}"
        for name in names
        if was.get(name) != becomes.get(name)
    ]


def _flat(data: Any, path: str = "") -> dict[str, Any]:
    if isinstance(data, dict):
        parts = [_flat(value, f"{path}.{name}" if path else str(name)) for name, value in data.items()]
        return {name: value for part in parts for name, value in part.items()}
    if isinstance(data, list) and any(isinstance(one, dict) for one in data):
        return _flat({str(place): one for place, one in enumerate(data)}, path)
    return {path: data}


def _short(value: object) -> str:
    said = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if value in (None, [], {}):
        return "nothing"
    longest = 60
    return f"“{said[:longest]}…”" if len(said) > longest else said


def _parts(old: Playbook, new: Playbook) -> list[Change]:
    found: list[Change] = []
    was, becomes = (_flat_parts(one) for one in (old, new))
    for name in (*RULES, *OPENING, *WORDS):
        if was[name] == becomes[name]:
            continue
        is_timing = _without(was[name]) == _without(becomes[name]) and name not in WORDS
        pairs = _pairs(name, was[name], becomes[name])
        kind: Kind = "retimed" if is_timing or name == "cooldown" else "changed"
        found.append(Change(kind, name, f"{name.replace('_', ' ').capitalize()}: {pairs}"))
    return found


def _flat_parts(playbook: Playbook) -> dict[str, Any]:
    data = playbook.model_dump(mode="json", by_alias=True)
    return {name: data[name] for name in (*RULES, *OPENING, *WORDS)}


def _pairs(name: str, was: Any, becomes: Any) -> str:
    before, after = _flat(was, name), _flat(becomes, name)
    names = [one for one in dict.fromkeys([*before, *after]) if before.get(one) != after.get(one)]
    return ", ".join(
        f"{one.removeprefix(f'{name}.')} {_short(before.get(one))} → {_short(after.get(one))}".removeprefix(
            f"{name} "
        )
        for one in names
    )
