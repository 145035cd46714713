"""The mix of tiers over time, and who moved, when, why, and whether anybody acted on it."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template
from markupsafe import Markup

from api.guards import needs
from api.web import plots, words
from api.web.desk import DESK, Desk
from api.web.plots import Column
from api.web.query import ListAddress, Query, chosen, key, number, text
from domain.permissions import Permission
from domain.time import BusinessInstant, start_of_day
from domain.vocabulary import RiskTier, Segment
from models.resources.keyset import Slice
from models.resources.tier_moves import MoveFilter, read_moves
from models.views.portfolio_summary import load_owners
from models.views.tier_mix import ACTED, RANGES, SCORED, MixDay, TierMix, load_tier_mix, range_of

PAGE_SIZE = 50
SHOWN = 30
"""Days that are shown first."""
STATES = {"acted": "Acted on", "held": "Not acted on", "all": "Both"}
DIRECTIONS = {"worse": "To a worse tier", "better": "To a better tier"}


@dataclass(frozen=True)
class Chosen:
    """What the address asks for."""

    days: int
    by_revenue: bool
    currency: str
    field: str
    state: str
    direction: str
    segment: Segment | None
    owner: uuid.UUID | None
    after: str | None

    def address(self) -> ListAddress:
        """Return the address of this choice, defaults left out."""
        state: Mapping[str, list[str] | str] = {
            "days": "" if self.days == SHOWN else str(self.days),
            "by": "mrr" if self.by_revenue else "",
            "currency": self.currency,
            "tier": "scored" if self.field == SCORED else "",
            "state": "" if self.state == "acted" else self.state,
            "direction": self.direction,
            "segment": self.segment.value if self.segment else "",
            "owner": str(self.owner or ""),
        }
        return ListAddress("/tiers", state)

    def filter(self, now: BusinessInstant) -> MoveFilter:
        """Return which moves are asked for."""
        first = now.date() - dt.timedelta(days=self.days)
        state = "" if self.state == "all" else self.state
        return MoveFilter(start_of_day(first), self.direction, state, self.segment, self.owner)


@dataclass(frozen=True)
class TierView:
    """Everything that the template shows."""

    chosen: Chosen
    address: ListAddress
    mix: TierMix
    moves: Slice
    owners: list[tuple[uuid.UUID, str]]

    @property
    def currency(self) -> str:
        """The currency that is drawn: the one asked for, or the largest."""
        known = self.mix.currencies
        return self.chosen.currency if self.chosen.currency in known else next(iter(known), "USD")

    def sizes(self, day: MixDay) -> dict[RiskTier, int]:
        """Return a day's customers, or its revenue, by tier."""
        found = day.mrr_minor.get(self.currency, {}) if self.chosen.by_revenue else day.customers
        return {tier: found.get(tier, 0) for tier in RiskTier}

    def say(self, size: float) -> str:
        """Return a count, or an amount with its currency."""
        return words.compact(round(size), self.currency) if self.chosen.by_revenue else f"{size:,.0f}"

    @property
    def first(self) -> MixDay:
        """The first day of the range on which anybody was in a tier."""
        return next((day for day in self.mix.days if self.total(day)), self.mix.days[0])

    @property
    def is_empty(self) -> bool:
        """Whether nobody was in any tier."""
        return not any(sum(self.sizes(day).values()) for day in self.mix.days)

    @property
    def plot(self) -> Markup:
        """The mix as columns."""
        columns = [
            Column(day.date, {tier.value: size for tier, size in self.sizes(day).items()})
            for day in self.mix.days
        ]
        first, last = (self._mix_in_words(day) for day in (self.first, self.mix.days[-1]))
        what = f"Monthly revenue in {self.currency}" if self.chosen.by_revenue else "Customers"
        return plots.stacked_columns(
            columns,
            self.say,
            f"{what} by churn risk tier in {self.chosen.days} days (high is bad): first {first}; now {last}",
        )

    def _mix_in_words(self, day: MixDay) -> str:
        sizes = self.sizes(day)
        return ", ".join(
            f"{words.words(tier).lower()} {self.say(sizes[tier])}" for tier in reversed(RiskTier)
        )

    def change(self, tier: RiskTier) -> tuple[int, float, float]:
        """Return what a tier holds now, its share, and by how many points that has changed."""
        first, last = self.sizes(self.first), self.sizes(self.mix.days[-1])
        share = _share(last, tier)
        return last[tier], share, 100 * (share - _share(first, tier))

    def total(self, day: MixDay) -> int:
        """Return a day's whole."""
        return sum(self.sizes(day).values())


def _share(sizes: Mapping[RiskTier, int], tier: RiskTier) -> float:
    whole = sum(sizes.values())
    return sizes[tier] / whole if whole else 0.0


def read_chosen(query: Query, me: uuid.UUID) -> Chosen:
    """Return what the address asks for; what nobody knows is left out."""
    state, direction = text(query, "state"), text(query, "direction")
    return Chosen(
        days=range_of(number(query, "days"), SHOWN),
        by_revenue=text(query, "by") == "mrr",
        currency=text(query, "currency", 3),
        field=SCORED if text(query, "tier") == "scored" else ACTED,
        state=state if state in STATES else "acted",
        direction=direction if direction in DIRECTIONS else "",
        segment=next(iter(chosen(query, "segment", Segment)), None),
        owner=me if text(query, "owner") == "me" else key(query, "owner"),
        after=text(query, "after", 500) or None,
    )


class TierController(Controller):
    """For everyone who sees customers."""

    path = "/tiers"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show the mix over a range, and its moves, the newest first."""
        asked = read_chosen(desk.query, desk.user.id)
        async with desk.reading() as session:
            view = TierView(
                chosen=asked,
                address=asked.address(),
                mix=await load_tier_mix(session, asked.days, asked.field, desk.now),
                moves=await read_moves(session, asked.filter(desk.now), asked.after, PAGE_SIZE),
                owners=await load_owners(session),
            )
        return desk.page(
            "tiers.html",
            view=view,
            ranges=RANGES,
            tiers=list(reversed(RiskTier)),
            states=STATES,
            directions=DIRECTIONS,
            segments=Segment,
        )
