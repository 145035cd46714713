"""What a person sees while a demo runs: a table that lives on a terminal, one line a day elsewhere."""

import datetime as dt
from dataclasses import dataclass
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from domain.dunning_words import say_amount
from domain.time import BusinessInstant
from models.demo_live import LiveFigures
from models.demo_report import Lateness
from workers.demo.payment_lines import CURRENCY

TIERS = {"critical": "red", "high": "dark_orange", "medium": "yellow", "low": "green", "unscored": "dim"}


@dataclass(frozen=True)
class Moment:
    """One look at the demo."""

    now: BusinessInstant
    day: int
    days: int
    day_seconds: float
    figures: LiveFigures
    late: Lateness


class DemoView:
    """Shows moments. Use it in `with`."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._last_day: dt.date | None = None

    def __enter__(self) -> Self:
        """Take the bottom of the terminal."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        if self._live is not None:
            self._live.stop()

    def show(self, moment: Moment) -> None:
        """Show a moment."""
        if self._live is not None:
            self._live.update(_table(self._title, moment), refresh=True)
        elif moment.now.date() != self._last_day:
            self._last_day = moment.now.date()
            self._console.print(_line(moment), highlight=False, soft_wrap=True)


def _tiers(figures: LiveFigures, *, colour: bool) -> str:
    found = [(tier, figures.tiers.get(tier, 0)) for tier in TIERS]
    shown = [
        f"[{TIERS[tier]}]{number} {tier}[/]" if colour else f"{number} {tier}"
        for tier, number in found
        if number
    ]
    return ", ".join(shown) or "none yet"


def _payments(figures: LiveFigures) -> str:
    return f"{figures.unpaid} unpaid, {say_amount(figures.recovered_minor, CURRENCY)} recovered"


def _line(moment: Moment) -> str:
    figures = moment.figures
    return (
        f"{moment.now:%a %Y-%m-%d} day {moment.day}/{moment.days} {moment.day_seconds:.1f} s/day"
        f" | {_tiers(figures, colour=False)} | {figures.open_runs} runs open, {figures.saved} saved"
        f" | {figures.emails} e-mails | tasks {figures.tasks_open} open, {figures.tasks_done} done"
        f" | {_payments(figures)} | late p95 {moment.late.p95:.2f} h"
    )


def _table(title: str, moment: Moment) -> Table:
    table = Table(title=title, show_header=False, title_justify="left", min_width=64)
    figures = moment.figures
    rows = {
        "Business time": f"[bold]{moment.now:%A %d %B %Y, %H:%M}[/] (day {moment.day} of {moment.days})",
        "Pace": f"a day lasts {moment.day_seconds:.1f} s; wakes {moment.late.p95:.2f} h late (p95)",
        "Customers at risk": _tiers(figures, colour=True),
        "Runs": f"{figures.open_runs} open, [green]{figures.saved} saved[/]",
        "E-mails": str(figures.emails),
        "Tasks": f"{figures.tasks_open} open, {figures.tasks_done} done",
        "Payments": _payments(figures),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table
