"""Plots of a replay as SVG: bars, lines over months, and layers that add up to everyone."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 38, 66, 12, 24
STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
"""Where an axis of shares may end."""
MARKS = 4
GAP = 10


@dataclass(frozen=True)
class Series:
    """One line or layer: its words, the class of its colour, and its values; None breaks a line."""

    name: str
    tone: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class _Plane:
    count: int
    top: float

    def x(self, place: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * place / max(self.count - 1, 1)

    def y(self, value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / self.top)


def _svg(title: str, inside: str) -> Markup:
    return Markup(  # noqa: S704  every text is escaped where it is put in, the rest are numbers
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{escape(title)}</title>'
        f"{inside}</svg>"
    )


def _text(words: str, kind: str, x: float, y: float) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _grid(plane: _Plane) -> str:
    drawn = []
    for part in range(MARKS + 1):
        value = plane.top * part / MARKS
        y = plane.y(value)
        drawn.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        if part % 2 == 0:
            drawn.append(_text(f"{value * 100:.3g}%", "axis axis-value", LEFT - 6, y + 3.5))
    return "".join(drawn)


def _ends(names: Sequence[str]) -> str:
    first = _text(names[0], "axis axis-first", LEFT, HEIGHT - 6)
    return first + (_text(names[-1], "axis axis-last", WIDTH - RIGHT, HEIGHT - 6) if len(names) > 1 else "")


def bars(names: Sequence[str], counts: Sequence[float], title: str) -> Markup:
    """Return a bar for each count with the count above it; the first stands for what was missed."""
    top = max(counts, default=0.0)
    if not top:
        return Markup("")
    width = (WIDTH - 2 * GAP) / len(counts)
    drawn = []
    for place, (name, count) in enumerate(zip(names, counts, strict=True)):
        height = (HEIGHT - TOP - BOTTOM - 16) * count / top
        y, x = HEIGHT - BOTTOM - height, GAP + place * width
        tone = "bad" if place == 0 else "good"
        box = f'x="{x + 4:.1f}" y="{y:.1f}" width="{width - 8:.1f}" height="{height:.1f}" rx="2"'
        middle = x + width / 2
        drawn.append(f'<rect class="bar-{tone}" {box}/>')
        drawn.append(_text(f"{count:.0f}", "axis axis-middle axis-strong", middle, y - 5))
        drawn.append(_text(name, "axis axis-middle", middle, HEIGHT - 6))
    return _svg(title, "".join(drawn))


def lines(names: Sequence[str], series: Sequence[Series], title: str) -> Markup:
    """Return lines of shares over time, each named at its end; fewer than two points are no line."""
    if len(names) < 2:  # noqa: PLR2004  one point is no line
        return Markup("")
    highest = max((one for each in series for one in each.values if one is not None), default=0.0)
    plane = _Plane(len(names), next((step for step in STEPS if step >= highest), 1.0))
    drawn = [_grid(plane), _ends(names), *(_path(plane, each) for each in series)]
    return _svg(title, "".join([*drawn, _names(plane, series)]))


def _path(plane: _Plane, one: Series) -> str:
    path, is_on = [], False
    for place, value in enumerate(one.values):
        if value is not None:
            path.append(f"{'L' if is_on else 'M'}{plane.x(place):.1f} {plane.y(value):.1f}")
        is_on = value is not None
    return f'<path class="line line-{escape(one.tone)}" d="{"".join(path)}"/>'


def _names(plane: _Plane, series: Sequence[Series]) -> str:
    """Name lines beside their last values, apart from each other by at least a line of text."""
    last = [
        (plane.y(next((v for v in reversed(one.values) if v is not None), 0.0)), one.name) for one in series
    ]
    drawn, lowest = [], 0.0
    for y, name in sorted(last):
        lowest = max(y + 4, lowest + 13)
        drawn.append(_text(name, "axis axis-first", WIDTH - RIGHT + 8, lowest))
    return "".join(drawn)


def layers(names: Sequence[str], series: Sequence[Series], title: str) -> Markup:
    """Return parts that add up to everyone, the first at the bottom."""
    if len(names) < 2:  # noqa: PLR2004  one point is no area
        return Markup("")
    plane, floor = _Plane(len(names), 1.0), [0.0] * len(names)
    drawn = []
    for one in series:
        ceiling = [low + (value or 0.0) for low, value in zip(floor, one.values, strict=True)]
        there = [f"{plane.x(place):.1f} {plane.y(value):.1f}" for place, value in enumerate(ceiling)]
        back = [f"{plane.x(place):.1f} {plane.y(value):.1f}" for place, value in enumerate(floor)]
        shape = "L".join([*there, *reversed(back)])
        drawn.append(
            f'<path class="bar-{escape(one.tone)}" d="M{shape}Z"><title>{escape(one.name)}</title></path>'
        )
        floor = ceiling
    return _svg(title, "".join([_grid(plane), *drawn, _ends(names)]))
