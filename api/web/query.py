"""The state of a list in its address: read with forgiveness, written so that a link changes one thing."""

import enum
import uuid
from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from litestar.datastructures import MultiDict

Query = MultiDict[str]
Word = TypeVar("Word", bound=enum.StrEnum)


def chosen(query: Query, name: str, kind: type[Word]) -> tuple[Word, ...]:
    """Return the known words among a parameter's values; what nobody knows is left out."""
    known = {member.value for member in kind}
    given = [str(value) for value in query.getall(name, [])]
    return tuple(kind(value) for value in dict.fromkeys(given) if value in known)


def number(query: Query, name: str, *, low: int = 1, high: int = 100_000) -> int | None:
    """Return a whole number within bounds, None for anything else."""
    text = str(query.get(name) or "")
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004  fits an int
    return value if value is not None and low <= value <= high else None


def key(query: Query, name: str) -> uuid.UUID | None:
    """Return an id, None for anything else."""
    try:
        return uuid.UUID(str(query.get(name) or ""))
    except ValueError:
        return None


def text(query: Query, name: str, limit: int = 100) -> str:
    """Return a text without control characters, cut to a sane length."""
    value = str(query.get(name) or "")[:limit]
    return "".join(each for each in value if each.isprintable()).strip()


class ListAddress:
    """Makes links of one list: each keeps what is chosen and changes what it names; the page starts anew."""

    def __init__(self, path: str, state: Mapping[str, Sequence[str] | str]) -> None:
        """Take the path and what is chosen now, without defaults."""
        self._path = path
        self._state = {
            name: [value] if isinstance(value, str) else list(value) for name, value in state.items()
        }

    def with_(self, **changes: object) -> str:
        """Return the address with these parameters set; None removes one."""
        state = {name: values for name, values in self._state.items() if name != "page"}
        for name, value in changes.items():
            state[name] = [] if value is None else [str(value)]
        pairs = [(name, value) for name, values in state.items() for value in values if value]
        return self._path + (f"?{urlencode(pairs)}" if pairs else "")

    def toggled(self, name: str, value: str) -> str:
        """Return the address with one value of a choice added, or taken away where it is chosen."""
        values = self._state.get(name, [])
        changed = [each for each in values if each != value] if value in values else [*values, value]
        return ListAddress(self._path, {**self._state, name: changed}).with_()

    def has(self, name: str, value: str) -> bool:
        """Whether a value is chosen."""
        return value in self._state.get(name, [])
