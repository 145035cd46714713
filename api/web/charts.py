"""Small charts as SVG, drawn on the server: no script, no inline style, colours from the style sheet.

Each is an image with a title that says what it shows; the numbers stand beside it as text or as a table.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 96, 26, 3
LINE_WIDTH, LINE_HEIGHT = 640, 190
LEFT, RIGHT, TOP, BOTTOM = 30, 82, 10, 22
BANDS = ((0, 25, "low"), (25, 50, "medium"), (50, 75, "high"), (75, 100, "critical"))


@dataclass(frozen=True)
class Point:
    """One day's value, 0 to 100."""

    day: dt.date
    value: float


@dataclass(frozen=True)
class Part:
    """One part of a whole: its class for the colour, its size, and the words for it."""

    name: str
    size: float
    label: str


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def sparkline(values: Sequence[float], tone: str, title: str) -> Markup:
    """Return a line without axes on a fixed scale of 0 to 100, so that lines compare between rows."""
    if len(values) < 2:  # noqa: PLR2004  one point is no line
        return Markup("")
    step = (SPARK_WIDTH - 2 * SPARK_MARGIN) / (len(values) - 1)
    room = SPARK_HEIGHT - 2 * SPARK_MARGIN
    points = [
        (SPARK_MARGIN + place * step, SPARK_MARGIN + room * (1 - value / 100))
        for place, value in enumerate(values)
    ]
    x, y = points[-1]
    return Markup(  # noqa: S704  every text is escaped, the rest are numbers
        f'<svg class="spark spark-{escape(tone)}" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}" role="img">'
        f"<title>{escape(title)}</title>"
        f'<path class="spark-line" d="{_path(points)}"/>'
        f'<circle class="spark-end" cx="{x:.1f}" cy="{y:.1f}" r="2.2"/></svg>'
    )


def stacked_bar(parts: Sequence[Part], title: str) -> Markup:
    """Return one bar whose parts add up to its width."""
    total = sum(part.size for part in parts)
    if not total:
        return Markup("")
    pieces, start = [], 0.0
    for part in parts:
        width = part.size / total * 1000
        if width:
            shape = f'x="{start:.1f}" y="0" width="{max(width - 4, 2):.1f}" height="10"'
            label = f"<title>{escape(part.label)}</title>"
            pieces.append(f'<rect class="bar-{escape(part.name)}" {shape}>{label}</rect>')
        start += width
    return Markup(  # noqa: S704  every text is escaped, the rest are numbers
        f'<svg class="stacked" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img">'
        f"<title>{escape(title)}</title>{''.join(pieces)}</svg>"
    )


def meter(value: float, tone: str, title: str) -> Markup:
    """Return how full 0 to 100 is."""
    return Markup(  # noqa: S704  every text is escaped, the rest are numbers
        f'<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" role="img">'
        f'<title>{escape(title)}</title><rect class="meter-track" width="100" height="6"/>'
        f'<rect class="bar-{escape(tone)}" width="{max(0.0, min(100.0, value)):.1f}" height="6"/></svg>'
    )


class _Plane:
    """Maps days and values to the drawing."""

    def __init__(self, first: dt.date, last: dt.date) -> None:
        self.first, self.days = first, max((last - first).days, 1)

    def x(self, day: dt.date) -> float:
        """Return the place of a day."""
        return LEFT + (LINE_WIDTH - LEFT - RIGHT) * (day - self.first).days / self.days

    def y(self, value: float) -> float:
        """Return the place of a value of 0 to 100."""
        return TOP + (LINE_HEIGHT - TOP - BOTTOM) * (1 - value / 100)


def _bands(plane: _Plane) -> str:
    width = LINE_WIDTH - LEFT - RIGHT
    drawn = []
    for low, high, name in BANDS:
        top, bottom = plane.y(high), plane.y(low)
        box = f'x="{LEFT}" y="{top:.1f}" width="{width}" height="{bottom - top:.1f}"'
        beside = f'x="{LINE_WIDTH - RIGHT + 8}" y="{(top + bottom) / 2 + 4:.1f}"'
        drawn.append(f'<rect class="band band-{name}" {box}/><text class="band-name" {beside}>{name}</text>')
        drawn.append(_value_mark(plane, low))
    return "".join(drawn) + _value_mark(plane, 100)


def _value_mark(plane: _Plane, value: int) -> str:
    return f'<text class="axis axis-value" x="{LEFT - 7}" y="{plane.y(value) + 3.5:.1f}">{value}</text>'


def _line(plane: _Plane, points: Sequence[Point], name: str) -> str:
    placed = [(plane.x(point.day), plane.y(point.value)) for point in points]
    x, y = placed[-1]
    return (
        f'<path class="line line-{name}" d="{_path(placed)}"/>'
        f'<circle class="line-end line-{name}" cx="{x:.1f}" cy="{y:.1f}" r="3.4"/>'
    )


def risk_chart(
    risks: Sequence[Point], healths: Sequence[Point], marks: Sequence[tuple[dt.date, str]], title: str
) -> Markup:
    """Return churn risk over the four tiers, health as a quiet second line, and what happened as marks."""
    if len(risks) < 2:  # noqa: PLR2004  one point is no line
        return Markup("")
    plane = _Plane(risks[0].day, risks[-1].day)
    base = LINE_HEIGHT - BOTTOM
    inside = [(day, words) for day, words in marks if risks[0].day <= day <= risks[-1].day]
    flags = "".join(
        f'<g class="flag"><line x1="{plane.x(day):.1f}" x2="{plane.x(day):.1f}" y1="{TOP}" y2="{base}"/>'
        f'<circle cx="{plane.x(day):.1f}" cy="{base}" r="3"/><title>{escape(words)}</title></g>'
        for day, words in inside
    )
    ends = "".join(
        f'<text class="axis {place}" x="{plane.x(day):.1f}" y="{LINE_HEIGHT - 6}">{day.day} {day:%b}</text>'
        for day, place in ((risks[0].day, "axis-first"), (risks[-1].day, "axis-last"))
    )
    return Markup(  # noqa: S704  every text is escaped, the rest are numbers
        f'<svg class="chart" viewBox="0 0 {LINE_WIDTH} {LINE_HEIGHT}" role="img">'
        f"<title>{escape(title)}</title>"
        f"{_bands(plane)}{flags}{_line(plane, healths, 'health')}{_line(plane, risks, 'risk')}{ends}</svg>"
    )


INTERVAL_WIDTH, INTERVAL_HEIGHT = 120, 18


def interval(value: float, low: float, high: float, reach: float, title: str) -> Markup:
    """Return a figure with its interval on a scale from -`reach` to `reach`; the middle is nothing.

    What lies beyond the scale ends at its edge.
    """
    middle, half = INTERVAL_HEIGHT / 2, INTERVAL_WIDTH / 2
    x, left, right = (half + half * max(min(one / reach, 1.0), -1.0) * 0.96 for one in (value, low, high))
    tone = "good" if low > 0 else "bad" if high < 0 else "open"
    return Markup(  # noqa: S704  the title is escaped, the rest are numbers and words of ours
        f'<svg class="interval interval-{tone}" viewBox="0 0 {INTERVAL_WIDTH} {INTERVAL_HEIGHT}" role="img">'
        f"<title>{escape(title)}</title>"
        f'<path class="interval-zero" d="M{half:.1f} 1V{INTERVAL_HEIGHT - 1}"/>'
        f'<path class="interval-line" d="M{left:.1f} {middle:.1f}H{right:.1f}"/>'
        f'<circle class="interval-value" cx="{x:.1f}" cy="{middle:.1f}" r="3"/></svg>'
    )
