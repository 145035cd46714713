"""Larger drawings over time, as SVG made on the server: stacked columns, a score's history, calibration.

As in charts: geometry only, colours from the style sheet, a title that says what is shown, and the numbers in
a table beside it.
"""

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, LEFT, RIGHT, TOP = 640, 52, 10, 12
COLUMNS_HEIGHT, HISTORY_HEIGHT, CHANCE_HEIGHT = 230, 250, 120
FOOT = 26
BANDS = ((0, 25, "low"), (25, 50, "medium"), (50, 75, "high"), (75, 100, "critical"))
STACK = ("critical", "high", "medium", "low")
"""From the bottom up: what matters most changes from a level line."""
SQUARE, SQUARE_LEFT, SQUARE_FOOT = 320, 48, 40
MOST_LABELS = 4
RUN_ROOM = 20


@dataclass(frozen=True)
class Column:
    """One day's stack, each part by its name."""

    day: dt.date
    sizes: Mapping[str, float]

    @property
    def total(self) -> float:
        """The whole column."""
        return sum(self.sizes.values())


@dataclass(frozen=True)
class Mark:
    """Something that happened on a day, with the words for it."""

    day: dt.date
    words: str
    is_worse: bool = False


@dataclass(frozen=True)
class Span:
    """Something that went on from a day to another, with the words for it."""

    first: dt.date
    last: dt.date
    words: str


@dataclass(frozen=True)
class Dot:
    """One point of a calibration plot: what was said, what came true, and of how many."""

    said: float
    true: float
    rows: int


def nice_ceiling(value: float) -> float:
    """Return the next round number at or above a value: 1, 2, 2.5, 4, 5 or 10 times a power of ten."""
    if value <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(step * size for step in (1, 2, 2.5, 4, 5, 10) if step * size >= value - 1e-9)


def _image(name: str, width: float, height: float, title: str, parts: str) -> Markup:
    return Markup(  # noqa: S704  the title is escaped here, texts where they are drawn, the rest are numbers
        f'<svg class="chart {name}" viewBox="0 0 {width:g} {height:g}" role="img">'
        f"<title>{escape(title)}</title>{parts}</svg>"
    )


class _Days:
    """Places days from left to right."""

    def __init__(self, first: dt.date, last: dt.date) -> None:
        self.first, self.last, self.span = first, last, max((last - first).days, 1)

    def x(self, day: dt.date) -> float:
        """Return the place of a day; what lies outside is at the edge."""
        held = min(max(day, self.first), self.last)
        return LEFT + (WIDTH - LEFT - RIGHT) * (held - self.first).days / self.span

    def labels(self, y: float) -> str:
        """Return a few dates below the plot, the first and the last at its edges."""
        count = min(MOST_LABELS, self.span + 1)
        days = [
            self.first + dt.timedelta(days=round(self.span * place / max(count - 1, 1)))
            for place in range(count)
        ]
        return "".join(
            f'<text class="axis {_end(place, count)}" x="{self.x(day):.1f}" y="{y:.1f}">'
            f"{day.day} {day:%b}</text>"
            for place, day in enumerate(days)
        )


def _end(place: int, count: int) -> str:
    return "axis-first" if place == 0 else "axis-last" if place == count - 1 else "axis-middle"


def _grid(values: Sequence[float], y: Callable[[float], float], say: Callable[[float], str]) -> str:
    return "".join(
        f'<path class="grid" d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}"/>'
        f'<text class="axis axis-value" x="{LEFT - 7}" y="{y(value) + 3.5:.1f}">{escape(say(value))}</text>'
        for value in values
    )


def stacked_columns(columns: Sequence[Column], say: Callable[[float], str], title: str) -> Markup:
    """Return a column per day, each with its parts from the gravest upwards, on one scale from nothing."""
    top = max((one.total for one in columns), default=0.0)
    if not top:
        return Markup("")
    top = nice_ceiling(top)
    room = COLUMNS_HEIGHT - TOP - FOOT

    def y(value: float) -> float:
        return TOP + room * (1 - value / top)

    step = (WIDTH - LEFT - RIGHT) / len(columns)
    wide = step - min(2.0, step * 0.2)
    drawn = "".join(_column(one, LEFT + place * step, wide, y, say) for place, one in enumerate(columns))
    labels = _Days(columns[0].day, columns[-1].day).labels(COLUMNS_HEIGHT - 8)
    return _image(
        "chart-columns", WIDTH, COLUMNS_HEIGHT, title, _grid((0, top / 2, top), y, say) + drawn + labels
    )


def _column(
    one: Column, x: float, width: float, y: Callable[[float], float], say: Callable[[float], str]
) -> str:
    told = ", ".join(f"{name} {say(one.sizes.get(name, 0))}" for name in STACK)
    drawn, below = [], 0.0
    for name in STACK:
        size = one.sizes.get(name, 0)
        if size > 0:
            top, bottom = y(below + size), y(below)
            shape = f'x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{bottom - top:.1f}"'
            drawn.append(f'<rect class="bar-{name}" {shape}/>')
        below += max(size, 0)
    return f"<g><title>{one.day.day} {one.day:%b}: {escape(told)}</title>{''.join(drawn)}</g>"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def score_history(
    risks: Sequence[tuple[dt.date, float]],
    healths: Sequence[tuple[dt.date, float]],
    moves: Sequence[Mark],
    spans: Sequence[Span],
    title: str,
) -> Markup:
    """Return risk over the tiers, health beside it, moves of the tier as marks, and runs as bars below."""
    if len(risks) < 2:  # noqa: PLR2004  one point is no line
        return Markup("")
    days = _Days(risks[0][0], risks[-1][0])
    room = HISTORY_HEIGHT - TOP - FOOT - RUN_ROOM

    def y(value: float) -> float:
        return TOP + room * (1 - value / 100)

    drawn = "".join(
        f'<rect class="band band-{name}" x="{LEFT}" y="{y(high):.1f}" width="{WIDTH - LEFT - RIGHT}" '
        f'height="{y(low) - y(high):.1f}"/>'
        for low, high, name in BANDS
    )
    drawn += _grid((0, 25, 50, 75, 100), y, lambda value: f"{value:g}")
    drawn += "".join(_flag(days.x(one.day), y(0), one) for one in moves)
    for points, name in ((healths, "health"), (risks, "risk")):
        placed = [(days.x(day), y(value)) for day, value in points]
        drawn += f'<path class="line line-{name}" d="{_path(placed)}"/>'
    drawn += "".join(_bar(days, one, y(0) + 7) for one in spans)
    return _image("chart-history", WIDTH, HISTORY_HEIGHT, title, drawn + days.labels(HISTORY_HEIGHT - 8))


def _flag(x: float, foot: float, one: Mark) -> str:
    kind = "flag-worse" if one.is_worse else "flag-better"
    top, height = (TOP, 9) if one.is_worse else (TOP + 9, -9)
    return (
        f'<g class="flag {kind}"><line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{foot:.1f}"/>'
        f'<path d="M{x - 5:.1f} {top + height}h10l-5 {-height}z"/><title>{escape(one.words)}</title></g>'
    )


def _bar(days: _Days, one: Span, y: float) -> str:
    first, last = days.x(one.first), days.x(one.last)
    width = max(last - first, 4)
    shape = f'x="{min(first, WIDTH - RIGHT - 4):.1f}" y="{y:.1f}" width="{width:.1f}" height="8" rx="3"'
    return f'<g class="span"><rect {shape}/><title>{escape(one.words)}</title></g>'


def chance_history(points: Sequence[tuple[dt.date, float]], title: str) -> Markup:
    """Return a probability over time, on a scale from nothing to a round share above its highest."""
    if len(points) < 2:  # noqa: PLR2004  one point is no line
        return Markup("")
    days = _Days(points[0][0], points[-1][0])
    top = min(1.0, nice_ceiling(max(value for _, value in points)))
    room = CHANCE_HEIGHT - TOP - FOOT

    def y(value: float) -> float:
        return TOP + room * (1 - value / top)

    drawn = _grid((0, top / 2, top), y, lambda value: f"{value * 100:g}%")
    drawn += f'<path class="line line-risk" d="{_path([(days.x(day), y(value)) for day, value in points])}"/>'
    return _image("chart-chance", WIDTH, CHANCE_HEIGHT, title, drawn + days.labels(CHANCE_HEIGHT - 8))


def calibration(dots: Sequence[Dot], title: str) -> Markup:
    """Return what was said against what came true; on the line both are the same."""
    if not dots:
        return Markup("")
    top = min(1.0, nice_ceiling(max(max(one.said, one.true) for one in dots)))
    room = SQUARE - SQUARE_LEFT - TOP

    def x(value: float) -> float:
        return SQUARE_LEFT + room * value / top

    def y(value: float) -> float:
        return TOP + room * (1 - value / top)

    drawn = "".join(
        f'<path class="grid" d="M{SQUARE_LEFT} {y(value):.1f}H{x(top):.1f}M{x(value):.1f} {TOP}V{y(0):.1f}"/>'
        f'<text class="axis axis-value" x="{SQUARE_LEFT - 6}" y="{y(value) + 4:.1f}">{value * 100:g}%</text>'
        f'<text class="axis axis-middle" x="{x(value):.1f}" y="{y(0) + 15:.1f}">{value * 100:g}%</text>'
        for value in (0, top / 2, top)
    )
    drawn += f'<path class="ideal" d="M{x(0):.1f} {y(0):.1f}L{x(top):.1f} {y(top):.1f}"/>'
    drawn += f'<path class="line line-risk" d="{_path([(x(one.said), y(one.true)) for one in dots])}"/>'
    drawn += "".join(
        f'<circle class="dot-mark" cx="{x(one.said):.1f}" cy="{y(one.true):.1f}" r="4">'
        f"<title>said {one.said:.1%}, came true {one.true:.1%}, {one.rows:,} rows</title></circle>"
        for one in dots
    )
    return _image("chart-square", SQUARE + 12, SQUARE, title, drawn)
