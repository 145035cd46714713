"""Where the steps of a playbook lie on paper: layers from the first step down, and lines between them.

Layered as Sugiyama has it: a step lies below every step that leads to it (ways back are left out of that),
a line over several layers gets a place in each, and places are ordered by the middle of their neighbours.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from domain.documents import END
from domain.playbook import Playbook
from domain.playbook_words import ways

SWEEPS = 6
Place = tuple[str, int]
"""A step, or a line's place in a layer: `from>to` and the layer."""


@dataclass(frozen=True)
class Line:
    """One way from a step to another, through the columns that it passes on its way down."""

    source: str
    target: str
    label: str
    columns: tuple[float, ...]
    """Its column in each layer from source to target, both included; two for a way back."""
    is_back: bool


@dataclass(frozen=True)
class Graph:
    """Layer and column of each step and of the end, and the lines."""

    layers: Mapping[str, int]
    columns: Mapping[str, float]
    lines: tuple[Line, ...]

    @property
    def height(self) -> int:
        """How many layers there are."""
        return max(self.layers.values()) + 1


def lay_out(playbook: Playbook) -> Graph:
    """Return the places of a playbook's steps."""
    edges = [(step.id, target, label) for step in playbook.steps for label, target in ways(playbook, step)]
    names = [*(step.id for step in playbook.steps), END]
    back = _ways_back(names, edges)
    layers = _layers(names, [(source, target) for source, target, _ in edges if (source, target) not in back])
    chains = {
        (source, target): _chain(source, target, layers)
        for source, target, _ in edges
        if (source, target) not in back
    }
    columns = _columns(names, layers, chains.values())
    lines = [
        Line(
            source,
            target,
            label,
            tuple(columns[place] for place in chains.get((source, target), _ends(source, target, layers))),
            (source, target) in back,
        )
        for source, target, label in edges
    ]
    return Graph(layers, {name: columns[name, layers[name]] for name in names}, tuple(lines))


def _ends(source: str, target: str, layers: Mapping[str, int]) -> list[Place]:
    return [(source, layers[source]), (target, layers[target])]


def _ways_back(names: list[str], edges: Iterable[tuple[str, str, str]]) -> set[tuple[str, str]]:
    """Return the edges that lead to a step on the way to their own: a walk in depth finds them."""
    following: dict[str, list[str]] = {name: [] for name in names}
    for source, target, _label in edges:
        following[source].append(target)
    back: set[tuple[str, str]] = set()
    done: set[str] = set()

    def walk(name: str, above: frozenset[str]) -> None:
        for target in following[name]:
            if target in above:
                back.add((name, target))
            elif target not in done:
                walk(target, above | {target})
        done.add(name)

    for name in names:
        if name not in done:
            walk(name, frozenset({name}))
    return back


def _layers(names: list[str], edges: list[tuple[str, str]]) -> dict[str, int]:
    """Return the longest way down to each."""
    layers = dict.fromkeys(names, 0)
    for _ in names:
        for source, target in edges:
            layers[target] = max(layers[target], layers[source] + 1)
    layers[END] = max(layers.values()) if layers[END] else max(layers.values()) + 1
    if any(layers[name] == layers[END] for name in names if name != END):
        layers[END] += 1
    return layers


def _chain(source: str, target: str, layers: Mapping[str, int]) -> list[Place]:
    between = range(layers[source] + 1, layers[target])
    return [
        (source, layers[source]),
        *((f"{source}>{target}", at) for at in between),
        (target, layers[target]),
    ]


def _columns(
    names: list[str], layers: Mapping[str, int], chains: Iterable[list[Place]]
) -> dict[Place, float]:
    """Order each layer by where its neighbours are, back and forth, and centre it."""
    chains = list(chains)
    rows: list[list[Place]] = [[] for _ in range(max(layers.values()) + 1)]
    seen: set[Place] = set()
    for place in [(name, layers[name]) for name in names] + [place for chain in chains for place in chain]:
        if place not in seen:
            seen.add(place)
            rows[place[1]].append(place)
    joined: dict[Place, list[Place]] = {place: [] for place in seen}
    for chain in chains:
        for above, below in pairwise(chain):
            joined[above].append(below)
            joined[below].append(above)
    for sweep in range(SWEEPS):
        order = {place: at - len(row) / 2 for row in rows for at, place in enumerate(row)}
        direction = -1 if sweep % 2 == 0 else 1
        for row in rows if direction < 0 else rows[::-1]:
            _sort(row, joined, order, direction)
    return {place: at - (len(row) - 1) / 2 for row in rows for at, place in enumerate(row)}


def _sort(
    row: list[Place], joined: Mapping[Place, list[Place]], order: dict[Place, float], direction: int
) -> None:
    def middle(place: Place) -> float:
        near = [order[one] for one in joined[place] if (one[1] - place[1]) * direction > 0]
        return fmean(near) if near else order[place]

    row.sort(key=middle)
    order.update({place: at - len(row) / 2 for at, place in enumerate(row)})
