"""What `--option name=value` says of a connection."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from domain.billing import Retries
from domain.errors import InvalidInputError

LISTS = frozenset({"customer_stages", "own_domains"})
CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "stripe": {"retries": tuple(Retries), "clock": ("wall", "business")}
}
"""By provider, where every option has a few words only: any other is refused."""


def options_in(provider: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return the options of these texts; an InvalidInputError names the one that is wrong."""
    options = dict(_pair(text) for text in texts)
    if provider in CHOICES:
        for name, value in options.items():
            _check(provider, CHOICES[provider], name, value)
    return options


def _check(provider: str, choices: Mapping[str, tuple[str, ...]], name: str, value: str) -> None:
    words = choices.get(name)
    if words is None:
        reason = f"{name!r} is no option of {provider}; there are {', '.join(choices)}"
        raise InvalidInputError(field="--option", reason=reason)
    if value not in words:
        raise InvalidInputError(field=f"--option {name}", reason=f"{value!r} is none of {', '.join(words)}")


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidInputError(field="--option", reason=f"{text!r} is not name=value")
    if name == "targets":
        return name, _targets(value)
    return name, value.split(",") if name in LISTS else value


def _targets(text: str) -> dict[str, list[int]]:
    """Return Zendesk's targets in minutes: `urgent:60:1440,high:240:2880`, first reply and solution."""
    found = re.findall(r"(?:^|,)(low|medium|high|urgent):(\d+):(\d+)(?=,|$)", text)
    if len(found) != text.count(",") + 1:
        reason = (
            f"{text!r} is not like urgent:60:1440,high:240:2880 (minutes to the first reply and solution)"
        )
        raise InvalidInputError(field="--option targets", reason=reason)
    return {priority: [int(first), int(last)] for priority, first, last in found}
