"""A little replay whose figures can be counted by hand, and the same as it is filed."""

import datetime as dt
import uuid
from typing import Any

from domain.backtest import Gone, Look, Replay
from domain.backtest_figures import document
from domain.time import BusinessInstant
from models.backtests import file_backtest
from models.database import Session

BACKTEST = uuid.UUID("00000000-0000-4000-8000-00000000b7e5")
FIRST = dt.date(2025, 1, 6)
WEEKS, STAYING = 52, 16
SLOW_END, SUDDEN_END = FIRST + dt.timedelta(days=250), FIRST + dt.timedelta(days=200)
SETTLED = FIRST + dt.timedelta(days=7 * WEEKS)
SLOW_FLAGGED = FIRST + dt.timedelta(days=126)
ALARM = range(10, 14)
"""Weeks in which one who stays is flagged."""


def replay(capacity: int | None = 1) -> Replay:
    """Return a year: one leaves slowly and was seen, one suddenly, and one alarm was for nothing."""
    days = [FIRST + dt.timedelta(days=7 * week) for week in range(WEEKS)]
    gone = (
        Gone("slow", SLOW_END, "voluntary", "unused", "declining"),
        Gone("sudden", SUDDEN_END, "involuntary", "", "silent"),
    )
    return Replay({day: _looks(day) for day in days}, gone, SETTLED, capacity)


def _looks(day: dt.date) -> list[Look]:
    week = (day - FIRST).days // 7
    found = [_look(f"stays-{place:02}", 0.03 + place / 1000, 20) for place in range(STAYING)]
    if week in ALARM:
        found[0] = _look("stays-00", 0.15, 60)
    if day < SUDDEN_END:
        found.append(_look("sudden", 0.02, 10))
    if day < SLOW_END:
        is_flagged = day >= SLOW_FLAGGED
        found.append(
            _look("slow", 0.3 if is_flagged else 0.03, 80 if is_flagged else 25, max(10, 100 - 2.5 * week))
        )
    return found


def _look(name: str, probability: float, score: int, use: float = 100.0) -> Look:
    mrr = 90_000 if name == "slow" else 30_000
    return Look(name, probability, score, mrr, "USD", use)


def filed(model: str = "scorecard", *, has_seen: bool = False) -> dict[str, Any]:
    """Return the replay as the command files it."""
    days = replay().days
    return {
        "model": model,
        "from": days[0].isoformat(),
        "to": days[-1].isoformat(),
        "every": "week",
        "known_until": (SETTLED + dt.timedelta(days=30)).isoformat(),
        "has_seen": has_seen,
        "note": "it had learned from outcomes up to 2025-12-01" if has_seen else "",
        "stages": [
            {
                "since": days[0].isoformat(),
                "model": "scorecard-2",
                "churners": 0,
                "why": "no model was asked for",
            }
        ],
    } | document(replay())


async def add_backtest(session: Session, now: BusinessInstant) -> None:
    """File it, for the pages."""
    await file_backtest(session, BACKTEST, filed(), "ada", now)
