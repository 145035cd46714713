"""Rows per day as bars: stored and known ones in the accent, quarantined ones on top, drawn on the server."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from models.views.data import SourceDay

BAR, GAP, HEIGHT = 5, 2, 34
_LEAST = 1.5
"""A day with a single row is still seen."""


def day_bars(days: Sequence[SourceDay], title: str) -> Markup:
    """Return a bar per day, the last on the right; the numbers stand beside it as text."""
    most = max((day.received for day in days), default=0)
    if not most:
        return Markup("")
    width = len(days) * (BAR + GAP) - GAP
    pieces = [_bar(place * (BAR + GAP), day, most) for place, day in enumerate(days)]
    return Markup(  # noqa: S704  every text is escaped, the rest are numbers
        f'<svg class="day-bars" viewBox="0 0 {width} {HEIGHT}" role="img"><title>{escape(title)}</title>'
        f'<rect class="meter-track" x="0" y="{HEIGHT - 1}" width="{width}" height="1"/>'
        f"{''.join(pieces)}</svg>"
    )


def _bar(x: int, day: SourceDay, most: int) -> str:
    if not day.received:
        return ""
    whole = max(_LEAST, (HEIGHT - 1) * day.received / most)
    bad = min(whole, max(_LEAST, whole * day.quarantined / day.received)) if day.quarantined else 0.0
    told = f"{day.day:%d %b}: {day.received:,} received, {day.quarantined:,} quarantined"
    good = _rect("bar-good", x, HEIGHT - 1 - whole + bad, whole - bad)
    return f"<g><title>{told}</title>{good}{_rect('bar-bad', x, HEIGHT - 1 - whole, bad)}</g>"


def _rect(name: str, x: int, y: float, height: float) -> str:
    shape = f'x="{x}" y="{y:.1f}" width="{BAR}" height="{height:.1f}"'
    return f'<rect class="{name}" {shape}/>' if height > 0 else ""
