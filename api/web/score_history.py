"""One customer's score over time, with moves and runs, and what was known on a day of the reader's choice."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template
from markupsafe import Markup

from api.guards import needs
from api.web import plots, sentences
from api.web.desk import DESK, Desk
from api.web.plots import Mark, Span
from api.web.query import ListAddress, Query, number, text
from api.web.words import words
from domain.permissions import Permission
from domain.time import start_of_day
from domain.vocabulary import HealthComponent
from models.resources.tier_moves import MoveFilter, read_moves
from models.views.score_history import KnownThen, ScoreHistory, load_known_then, load_score_history
from models.views.tier_mix import RANGES, range_of

SHOWN = 90
MOST_MOVES = 100


@dataclass(frozen=True)
class HistoryView:
    """Everything that the template shows."""

    history: ScoreHistory
    moves: tuple[Mapping[str, Any], ...]
    days: int
    address: ListAddress
    then: KnownThen | None
    today: dt.date

    @property
    def plot(self) -> Markup:
        """Risk over the tiers, with moves as marks and runs as bars."""
        scores = self.history.days
        title = ""
        if scores:
            first, last = scores[0], scores[-1]
            title = (
                f"Churn risk from {first.churn_risk_score} to {last.churn_risk_score} of 100 (high is bad), "
                f"health from {first.health_score} to {last.health_score} of 100 (high is good), "
                f"with {len(self.moves)} moves of the tier and {len(self.history.runs)} runs"
            )
        return plots.score_history(
            [(day.date, day.churn_risk_score) for day in scores],
            [(day.date, day.health_score) for day in scores],
            [_mark(move) for move in self.moves if move["state"].value == "acted"],
            [self._span(run.playbook, run.started_at, run.ended_at) for run in self.history.runs],
            title,
        )

    def _span(self, name: str, started: dt.datetime, ended: dt.datetime | None) -> Span:
        words_ = f"{name}, {started:%d %b} to {f'{ended:%d %b}' if ended else 'now'}"
        return Span(started.date(), ended.date() if ended else self.today, words_)

    @property
    def chance(self) -> Markup:
        """The probability of leaving, on its own scale."""
        points = [(day.date, day.churn_probability) for day in self.history.days]
        title = "Probability of leaving"
        if points:
            title += f": from {points[0][1]:.1%} to {points[-1][1]:.1%}"
        return plots.chance_history(points, title)

    @property
    def components(self) -> list[tuple[str, int | None]]:
        """Return the parts of health as they were stored on the chosen day."""
        score = self.then.score if self.then else None
        if score is None:
            return []
        return [
            (words(name), (score["components"].get(name.value) or {}).get("score"))
            for name in HealthComponent
        ]


def _mark(move: Mapping[str, Any]) -> Mark:
    told = f"{move['at']:%d %b}: {words(move['tier_before'])} to {words(move['tier'])}: {move['why']}"
    return Mark(move["at"].date(), told, is_worse=move["is_worse"])


def read_day(query: Query, today: dt.date) -> dt.date | None:
    """Return the day that is asked about; one to come is today, nonsense is none."""
    try:
        return min(dt.date.fromisoformat(text(query, "on", 10)), today)
    except ValueError:
        return None


class ScoreHistoryController(Controller):
    """For everyone who sees customers."""

    path = "/customers/{customer_id:uuid}/history"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)

    @get("/")
    async def show(self, desk: NamedDependency[Desk], customer_id: FromPath[uuid.UUID]) -> Template:
        """Show a range of the score; `on` adds what was known on that day."""
        days, today = range_of(number(desk.query, "days"), SHOWN), desk.now.date()
        on = read_day(desk.query, today)
        since = today - dt.timedelta(days=days)
        state = {"days": "" if days == SHOWN else str(days), "on": on.isoformat() if on else ""}
        async with desk.reading() as session:
            history = await load_score_history(session, customer_id, since)
            chosen = MoveFilter(start_of_day(since), state="", customer=customer_id)
            moves = await read_moves(session, chosen, None, MOST_MOVES)
            then = await load_known_then(session, customer_id, on) if on else None
        view = HistoryView(
            history, moves.rows, days, ListAddress(f"/customers/{customer_id}/history", state), then, today
        )
        return desk.page("customer_history.html", view=view, ranges=RANGES, shown=SHOWN, sentences=sentences)
