"""A playbook's steps as a drawing: SVG from the server in the colours of the page, and the same as a list."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from textwrap import shorten

from markupsafe import Markup

from domain.documents import END
from domain.playbook import Playbook
from domain.playbook_steps import Step
from domain.playbook_words import step as say_step
from domain.playbook_words import ways
from domain.step_graph import Graph, Line, lay_out

WIDE, HIGH, APART, BETWEEN = 208, 56, 24, 44
MARGIN = 40
LEAN = 0.32
"""How far along a line its label stands."""
LABEL_LETTERS, NAME_LETTERS, SAID_LETTERS = 18, 26, 34
TIP = (
    '<defs><marker id="graph-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path class="graph-tip" d="M0 0L8 4L0 8z"/></marker></defs>'
)
KINDS = {
    "send_email": "contact",
    "in_app_prompt": "contact",
    "schedule_meeting": "contact",
    "offer": "contact",
    "create_task": "work",
    "notify": "work",
    "wait": "time",
    "branch": "way",
    "experiment": "way",
}


@dataclass(frozen=True)
class StepLine:
    """One step as the list tells it."""

    id: str
    kind: str
    sentence: str
    ways: tuple[tuple[str, str], ...]
    runs: int


def list_steps(playbook: Playbook, runs: Mapping[str, int]) -> tuple[StepLine, ...]:
    """Return the steps in words, each with where it leads and how many runs stand in it."""
    return tuple(
        StepLine(step.id, step.kind, say_step(step), ways(playbook, step), runs.get(step.id, 0))
        for step in playbook.steps
    )


def draw(playbook: Playbook, runs: Mapping[str, int], current: str | None = None) -> Markup:
    """Return the drawing; `runs` says how many stand in each step, `current` marks one."""
    graph = lay_out(playbook)
    reach = [column for line in graph.lines for column in line.columns] + list(graph.columns.values())
    left, right = min(reach), max(reach)
    paper = _Paper(graph, left)
    width = int((right - left) * (WIDE + APART) + WIDE + 2 * MARGIN)
    height = graph.height * (HIGH + BETWEEN) - BETWEEN + 2 * MARGIN
    head = (
        f'<svg class="graph" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-labelledby="graph-title graph-words"><title id="graph-title">Steps of '
        f'{escape(playbook.name)}</title><desc id="graph-words">{escape(_description(playbook))}</desc>{TIP}'
    )
    parts = [
        head,
        *(paper.line(line) for line in graph.lines),
        *(paper.label(line) for line in graph.lines if line.label),
        *(paper.step(step, runs.get(step.id, 0), is_current=step.id == current) for step in playbook.steps),
        paper.end(runs.get(END, 0)),
        "</svg>",
    ]
    return Markup("".join(parts))  # noqa: S704  every text in it is escaped above


def _description(playbook: Playbook) -> str:
    told = []
    for step in playbook.steps:
        leads = ", ".join(f"{label}: {target}" if label else target for label, target in ways(playbook, step))
        told.append(f"{step.id}: {say_step(step)}; leads to {leads}.")
    return " ".join(told)


class _Paper:
    """Turns layers and columns into points."""

    def __init__(self, graph: Graph, left: float) -> None:
        """Take the layout and its leftmost column."""
        self._graph, self._left = graph, left

    def _x(self, column: float) -> float:
        return MARGIN + (column - self._left) * (WIDE + APART) + WIDE / 2

    def _y(self, layer: float) -> float:
        return MARGIN + layer * (HIGH + BETWEEN)

    def step(self, step: Step, runs: int, *, is_current: bool) -> str:
        """Draw one step with its id, its sentence, and how many runs stand in it."""
        x, y = self._x(self._graph.columns[step.id]) - WIDE / 2, self._y(self._graph.layers[step.id])
        style = f"graph-{KINDS.get(step.kind, 'call')}{' graph-here' if is_current else ''}"
        name, said = _cut(step.id, NAME_LETTERS), _cut(say_step(step), SAID_LETTERS)
        return (
            f'<g class="graph-step {style}"><title>{escape(say_step(step))}</title>'
            f'<rect x="{x:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" rx="8"/>'
            f'<text class="graph-name" x="{x + 12:g}" y="{y + 23:g}">{name}</text>'
            f'<text class="graph-said" x="{x + 12:g}" y="{y + 42:g}">{said}</text>'
            f"{self._count(x, y, runs)}</g>"
        )

    def _count(self, x: float, y: float, runs: int) -> str:
        if not runs:
            return ""
        at = x + WIDE - 34
        return (
            f'<g class="graph-count"><title>{runs} open run{"" if runs == 1 else "s"}</title>'
            f'<rect x="{at:g}" y="{y - 10:g}" width="40" height="20" rx="10"/>'
            f'<text x="{at + 20:g}" y="{y + 4:g}">{runs}</text></g>'
        )

    def end(self, runs: int) -> str:
        """Draw the end, with the runs that wait there for their goal."""
        x, y = self._x(self._graph.columns[END]), self._y(self._graph.layers[END])
        return (
            f'<g class="graph-step graph-end"><rect x="{x - 44:g}" y="{y:g}" width="88" height="32" rx="16"/>'
            f'<text x="{x:g}" y="{y + 21:g}">end</text>{self._count(x - WIDE + 44, y, runs)}</g>'
        )

    def line(self, line: Line) -> str:
        """Draw a way down as a curve through its columns; a way back goes round on the right."""
        style = "graph-line graph-back" if line.is_back else "graph-line"
        return f'<path class="{style}" d="{self._path(line)}" marker-end="url(#graph-tip)"/>'

    def _path(self, line: Line) -> str:
        top, bottom = self._graph.layers[line.source], self._graph.layers[line.target]
        if line.is_back:
            x, y = self._x(line.columns[0]) + WIDE / 2, self._y(top) + HIGH / 2
            to_x, to_y = self._x(line.columns[-1]) + WIDE / 2, self._y(bottom) + HIGH / 2
            side = max(x, to_x) + MARGIN * 0.8
            return f"M{x:g} {y:g}C{side:g} {y:g} {side:g} {to_y:g} {to_x + 2:g} {to_y:g}"
        x, y = self._x(line.columns[0]), self._y(top) + HIGH
        path = f"M{x:g} {y:g}"
        for place, column in enumerate(line.columns[1:], start=1):
            to_x, to_y = self._x(column), self._y(top + place) - 2
            middle = (y + to_y) / 2
            path += f"C{x:g} {middle:g} {to_x:g} {middle:g} {to_x:g} {to_y:g}"
            x, y = to_x, to_y
            if place < len(line.columns) - 1:
                y = to_y + HIGH + 2
                path += f"L{x:g} {y:g}"
        return path

    def label(self, line: Line) -> str:
        """Write what leads along a line beside its beginning."""
        said, y = _cut(line.label, LABEL_LETTERS), self._y(self._graph.layers[line.source])
        x = self._x(line.columns[0])
        if line.is_back:
            at = x + WIDE / 2 + 6
            return f'<text class="graph-label graph-label-back" x="{at:g}" y="{y + 16:g}">{said}</text>'
        at = x + (self._x(line.columns[1]) - x) * LEAN
        return f'<text class="graph-label" x="{at:g}" y="{y + HIGH + 17:g}">{said}</text>'


def _cut(text: str, letters: int) -> str:
    return escape(shorten(text, letters, placeholder="…"))
