"""Replays of the past: how early scoring saw who left, how right it was, and how its tiers moved."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template
from markupsafe import Markup

from api.guards import needs
from api.web.backtest_charts import Series, bars, layers, lines
from api.web.desk import DESK, Desk
from api.web.words import compact, percent
from domain.permissions import Permission
from domain.scoring_policy import TIER_FLOORS
from domain.vocabulary import RiskTier
from models.backtests import list_backtests, show_backtest

Figures = Mapping[str, Any]
CUTS = {
    "tier": (
        "Tier high or critical",
        f"flagged whose score was {TIER_FLOORS[RiskTier.HIGH]} or more that day",
    ),
    "capacity": (
        "Within capacity",
        "flagged who were the most likely to leave, as many as people can look after",
    ),
}
BY = {
    "pace": "How they left (slowly: use was below three quarters of its earlier level two months before)",
    "cause": "Whose doing it was",
    "reason": "What they said",
    "group": "By the grouping that was handed in",
}
PACES = {"slow": "Slowly", "sudden": "Suddenly", "unknown": "Not known"}


class BacktestPage(Controller):
    """For whoever wants to know whether scores can be believed."""

    path = "/backtests"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)

    @get("/")
    async def list_(self, desk: NamedDependency[Desk]) -> Template:
        """List what was replayed."""
        async with desk.reading() as session:
            found = await list_backtests(session)
        return desk.page("backtests.html", found=found, backtest=_Words)

    @get("/{backtest_id:uuid}")
    async def show(self, desk: NamedDependency[Desk], backtest_id: FromPath[uuid.UUID]) -> Template:
        """Show one replay with its plots."""
        async with desk.reading() as session:
            one = await show_backtest(session, backtest_id)
        return desk.page("backtest.html", one=one, found=one.document, backtest=_Words)


class _Words:
    """How figures of a replay are said and drawn."""

    cuts, by, paces, percent = CUTS, BY, PACES, staticmethod(percent)

    @staticmethod
    def share(value: float | None) -> str:
        """Return a share, or that it is not known."""
        return "not known" if value is None else percent(value)

    @staticmethod
    def times(value: float | None) -> str:
        """Return how many times the base rate: `6.4 times`."""
        return "not known" if value is None else f"{value:.1f} times"

    @staticmethod
    def revenue(lead: Figures) -> list[str]:
        """Return by currency how much of the lost revenue was flagged in time."""
        return [
            f"{_Words.share(one['share'])} of {compact(one['lost_mrr_minor'], one['currency'])}"
            for one in lead["revenue"]
        ]

    @staticmethod
    def leads(lead: Figures) -> Markup:
        """Draw how long before their end those who left were flagged without a break."""
        names = [_span(one) for one in lead["histogram"]]
        counts = [float(one["departures"]) for one in lead["histogram"]]
        told = ", ".join(f"{name}: {count:.0f}" for name, count in zip(names, counts, strict=True))
        return bars(names, counts, f"Departures by days flagged without a break before the end. {told}")

    @staticmethod
    def calibration(months: Sequence[Figures]) -> Markup:
        """Draw what was foretold and what came, by month."""
        predicted, observed = (
            Series(name, tone, [one[key] for one in months])
            for name, tone, key in (("foretold", "health", "predicted"), ("left", "risk", "observed"))
        )
        title = "Share foretold to leave within 90 days, and share that left, by month"
        return lines([one["month"] for one in months], [predicted, observed], title)

    @staticmethod
    def precision(months: Sequence[Figures]) -> Markup:
        """Draw how many of the flagged left, beside the base rate, by month."""
        flagged, everyone = (
            Series(name, tone, [one[key] for one in months])
            for name, tone, key in (("flagged", "risk", "precision"), ("everyone", "health", "base_rate"))
        )
        title = "Share of the flagged that left within 90 days, beside the share of everyone, by month"
        return lines([one["month"] for one in months], [flagged, everyone], title)

    @staticmethod
    def mix(days: Sequence[Figures]) -> Markup:
        """Draw the share of each tier over time, the gravest at the bottom."""
        tiers = sorted(RiskTier, key=lambda one: -one.rank)
        parts = [Series(one.value, one.value, [day[one.value] for day in days]) for one in tiers]
        ends = (days[0]["day"], days[-1]["day"]) if days else ("", "")
        return layers([one["day"] for one in days], parts, f"Share of each tier from {ends[0]} to {ends[1]}")


def _span(one: Figures) -> str:
    low, high = one["from"], one["to"]
    if high == 0:
        return "not"
    return f"{low}+" if high is None else f"{low}-{high}"
