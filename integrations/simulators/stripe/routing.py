"""What a route is: a method and a path, the parameters that it takes, and who answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.store import Row

Metadata = dict[str, str] | str | UnsetType
Text = str | UnsetType
Number = int | UnsetType
Truth = bool | UnsetType
Expand = list[str]


class Params(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Parameters that every call takes."""

    expand: Expand = []


class Update(Params, kw_only=True):
    """Parameters of most calls that make or change something."""

    metadata: Metadata = UNSET


Answering = Callable[..., Row]
"""Takes the books, the parameters, and the ids that stand in the path."""


@dataclass(frozen=True)
class Route:
    """One address; `*` stands for an id."""

    method: str
    path: str
    answer: Answering
    params: type[Params] = Params

    def ids(self, method: str, parts: list[str]) -> list[str] | None:
        """Return the ids in a path, None where the route is another."""
        wanted = self.path.split("/")
        if method != self.method or len(parts) != len(wanted):
            return None
        pairs = list(zip(wanted, parts, strict=True))
        if any(want not in {"*", part} for want, part in pairs):
            return None
        return [part for want, part in pairs if want == "*"]


def given(params: Params, *without: str) -> Row:
    """Return what was given; an empty text means nothing, as everywhere at Stripe."""
    found = {name: getattr(params, name) for name in params.__struct_fields__}
    skipped = {"expand", "metadata", *without}
    return {
        name: None if value == "" else _plain(value)
        for name, value in found.items()
        if name not in skipped and not isinstance(value, UnsetType)
    }


def merged(row: Row, metadata: Metadata) -> dict[str, str]:
    """Return metadata after a change: an empty value takes a key away, an empty text all of them."""
    if isinstance(metadata, UnsetType):
        return dict(row["metadata"])
    if isinstance(metadata, str):
        return {}
    both = {**row["metadata"], **metadata}
    return {name: value for name, value in both.items() if value}


def stated(metadata: Metadata) -> dict[str, str]:
    """Return the metadata of a new object."""
    return dict(metadata) if isinstance(metadata, dict) else {}


def change(books: Books, kind: str, key: str, params: Update, *without: str) -> Row:
    """Change an object by plain fields."""
    row = books.get(kind, key, status=404)
    return books.change(kind, row, **given(params, *without), metadata=merged(row, params.metadata))


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)
