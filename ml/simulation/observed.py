"""What an installation would know of sample customers each week: the numbers that their facts come to.

The simulator tells facts for databases (facts_*.py); for loops over years this sums them up at once, from the
same hidden state with luck of its own. Weeks of use, tickets, invoices, a champion's leaving; no more.
"""

import datetime as dt
import math
import uuid
from collections import deque

import numpy as np

from domain.features import (
    KINDS,
    CommercialNumbers,
    CustomerFeatures,
    KindFreshness,
    RelationshipNumbers,
    SentimentNumbers,
    SupportNumbers,
    UsageNumbers,
)
from domain.time import BusinessInstant, start_of_day
from domain.vocabulary import CustomerStatus, Segment, TouchTier
from ml.simulation.archetypes import ORDINARY_TICKETS, Archetype
from ml.simulation.facts_support import ANSWERS, TOP_SCORE
from ml.simulation.facts_usage import MOOD_DAYS, MOOD_SWING
from ml.simulation.population import Mask, Numbers, Population
from ml.simulation.portfolio import Portfolio

SEGMENTS = (Segment.SMALL, Segment.MID_MARKET, Segment.ENTERPRISE)
TIERS = (TouchTier.TECH_TOUCH, TouchTier.MANAGED, TouchTier.MANAGED)
"""By size; strategic customers are in no holdout, so a measurement has none."""
WEEKS = 13
NOISE = 0.05
USES_PER_PERSON = 20.0
SILENT_USE = 0.02
PAST_DUE_FROM = 10
OVERDUE_SHARE = 0.25
CHAMPION_KNOWN_DAYS = 180


class Observed:
    """The weeks of everybody, newest first."""

    def __init__(self, portfolio: Portfolio, population: Population, seed: int) -> None:
        """Look at a population from now on."""
        self._customers, self._population = portfolio.customers, population
        self._world = portfolio.config.world
        self._random = np.random.default_rng([seed, 7])
        self._weeks: deque[Numbers] = deque(maxlen=WEEKS)
        self._tickets: deque[Numbers] = deque(maxlen=WEEKS)
        self._mrr: deque[Numbers] = deque(maxlen=WEEKS)
        self._phases = np.array([one.phase for one in self._customers])
        self._stories = np.array([one.archetype.value for one in self._customers])
        self._silent = np.zeros(len(self._customers))
        self._used = np.zeros(len(self._customers))
        self._nps = np.full(len(self._customers), np.nan)
        self._week = 0
        self._touched = np.full(len(self._customers), -30.0)
        self.ids = [uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}/{one.key}") for one in self._customers]
        connected = start_of_day(portfolio.config.history_start)
        self._freshness = {kind: KindFreshness(provided=True, connected_at=connected) for kind in KINDS}

    def see_day(self, day: dt.date) -> None:
        """Add a day's use."""
        engagement = self._population.engagement * self._population.here
        self._used += engagement * self._moods(day) / 7
        self._silent = np.where(engagement > SILENT_USE, 0, self._silent + 1)

    def end_week(self) -> None:
        """Close the week that the last seven days made."""
        people = np.array([one.people for one in self._customers])
        noise = np.exp(self._random.normal(0, NOISE, len(people)))
        self._weeks.appendleft(self._used * noise * people * USES_PER_PERSON)
        self._used = np.zeros(len(people))
        troubles = self._world.troubles
        rate = np.array([troubles[one.archetype].tickets if one.archetype in troubles else 0.0
                         for one in self._customers])  # fmt: skip
        troubled = self._population.trouble_since > 0
        self._tickets.appendleft(
            self._random.poisson(7 * np.where(troubled, rate, ORDINARY_TICKETS)).astype(float)
        )
        self._mrr.appendleft(self._population.revenue.copy())
        self._ask()

    def _ask(self) -> None:
        """Ask some of them the quarterly question, as facts_support.py does."""
        self._week += 1
        engagement = np.minimum(1.0, self._population.engagement)
        storms = self._stories == Archetype.TICKET_STORM.value
        storm = np.where(storms & (self._population.trouble_since > 0), 0.7, 0.0)
        frustration = np.minimum(1.0, storm + 1 - engagement)
        luck, mood = self._random.random(len(storms)), self._random.normal(0, 1, len(storms))
        answers = ((self._week + self._phases) % WEEKS == 0) & (luck < ANSWERS * (0.3 + 0.7 * engagement))
        score = np.clip(np.round(8.6 - 5 * frustration + mood), 0, TOP_SCORE)
        self._nps = np.where(answers, score, self._nps)

    def touched(self, place: int, day: dt.date) -> None:
        """Remember that somebody of ours reached the customer."""
        self._touched[place] = day.toordinal()

    def arr_minor(self, place: int) -> int:
        """Return what the customer pays a year now."""
        return round(self._customers[place].arr_minor * float(self._population.revenue[place]))

    def segment(self, place: int) -> Segment:
        """Return its size in the model's words."""
        return SEGMENTS[self._customers[place].size - 1]

    def tier(self, place: int) -> TouchTier:
        """Return how much attention it gets."""
        return TIERS[self._customers[place].size - 1]

    def is_scored(self, place: int, day: dt.date) -> bool:
        """Tell whether it is a customer, and has been for long enough to have a usual week."""
        is_here = bool(self._population.here[place])
        return is_here and (day - self._customers[place].started_on).days > 7 * WEEKS

    def stirs(self) -> Mask:
        """Tell of whom anything could add points today; the others are as calm as they were."""
        weeks = np.stack(self._weeks)
        usual = np.maximum(np.median(weeks[1:9], axis=0), 1e-9)
        before = np.maximum(weeks[4:12].mean(axis=0), 1e-9)
        falls = (weeks[0] < 0.85 * usual) | (weeks[:4].mean(axis=0) < 0.9 * before)
        many = np.stack(self._tickets)[:4].sum(axis=0) >= 3  # noqa: PLR2004 - LEAST_TICKETS of the table
        told = np.isin(self._stories, [Archetype.CHAMPION_LEFT.value, Archetype.FAILING_PAYMENT.value])
        poor = np.nan_to_num(self._nps, nan=TOP_SCORE) <= 6  # noqa: PLR2004 - where answers add points
        found: Mask = falls | many | poor | (told & (self._population.trouble_since > 0))
        return found

    def has_recovered(self, place: int, before: float) -> bool:
        """Tell whether the last week is back at a usual week of before."""
        return bool(self._weeks[0][place] >= 0.85 * before)

    def features(self, place: int, day: dt.date) -> CustomerFeatures:
        """Return one customer as of a day, in the shape that verdicts are made of."""
        customer = self._customers[place]
        return CustomerFeatures(
            customer_id=self.ids[place],
            as_of=start_of_day(day),
            segment=self.segment(place),
            touch_tier=self.tier(place),
            status=CustomerStatus.ACTIVE,
            known_on=customer.started_on,
            tenure_days=(day - customer.started_on).days,
            is_onboarded=True,
            has_first_value=True,
            usage=self._usage(place),
            support=self._support(place),
            sentiment=SentimentNumbers(nps=None if np.isnan(self._nps[place]) else float(self._nps[place])),
            relationship=self._relationship(place, day),
            commercial=self._commercial(place, day),
            freshness=self._freshness,
        )

    def _usage(self, place: int) -> UsageNumbers:
        weeks = tuple(float(week[place]) for week in self._weeks)
        days = int(self._silent[place])
        return UsageNumbers(
            weeks=weeks,
            active_days_7=max(0, 7 - days),
            active_days_28=max(0, 28 - days),
            usual_gap_days=1.0,
            days_since_last=days,
            users_28=sum(weeks[:4]) / 4 / USES_PER_PERSON,
            users_before=sum(weeks[4:12]) / 8 / USES_PER_PERSON,
            users_peak_28=round(max(weeks[:4]) / USES_PER_PERSON),
            features_28=4,
            features_before=4,
        )

    def _support(self, place: int) -> SupportNumbers:
        weeks = [float(week[place]) for week in self._tickets]
        lately, before = sum(weeks[:4]), sum(weeks[4:]) / max(1, len(weeks) - 4) * 4
        overdue = int(lately * OVERDUE_SHARE) if self._is_in(place, Archetype.TICKET_STORM) else 0
        return SupportNumbers(open=overdue, overdue=overdue, opened_30=int(lately), opened_usual=before)

    def _relationship(self, place: int, day: dt.date) -> RelationshipNumbers:
        gone = self._trouble_days(place, day) if self._is_in(place, Archetype.CHAMPION_LEFT) else None
        has_gone = gone is not None and gone <= CHAMPION_KNOWN_DAYS
        touch = min(int(day.toordinal() - self._touched[place]), 45)
        return RelationshipNumbers(
            contacts=3, champions=0 if has_gone else 1, executives=1,
            champion_left_days=gone if has_gone else None,
            touch_out_days=touch, executive_days=60,
        )  # fmt: skip

    def _commercial(self, place: int, day: dt.date) -> CommercialNumbers:
        customer = self._customers[place]
        failing = self._is_in(place, Archetype.FAILING_PAYMENT)
        late = self._trouble_days(place, day) - PAST_DUE_FROM if failing else 0
        monthly = customer.arr_minor / 12
        mrr, before = (round(monthly * float(one[place])) for one in (self._mrr[0], self._mrr[-1]))
        return CommercialNumbers(
            active_subscriptions=1, past_subscriptions=1, mrr_minor=mrr, mrr_before_minor=before,
            seats=customer.people,
            auto_renew=True, renewal_days=(customer.next_renewal(day) - day).days,
            past_due_days=max(0, late), failed_attempts=min(3, max(0, late // 7)),
        )  # fmt: skip

    def _is_in(self, place: int, story: Archetype) -> bool:
        is_troubled = self._population.trouble_since[place] > 0
        return self._customers[place].archetype is story and bool(is_troubled)

    def _trouble_days(self, place: int, day: dt.date) -> int:
        return day.toordinal() - int(self._population.trouble_since[place])

    def _moods(self, day: dt.date) -> Numbers:
        """Return what moves use though nothing is wrong, as facts_usage.py has it."""
        turns = day.toordinal() + self._phases
        seasonal = self._stories == Archetype.SEASONAL.value
        erratic = self._stories == Archetype.ERRATIC.value
        season = 1 + self._world.season_swing * np.sin(2 * math.pi * turns / self._world.season_days)
        moods = np.exp(MOOD_SWING * sum(np.sin(2 * math.pi * turns / days + days) for days in MOOD_DAYS))
        return np.where(seasonal, season, np.where(erratic, moods, 1.0))


def instant(day: dt.date, hours: float = 8.0) -> BusinessInstant:
    """Return a time of that day."""
    return BusinessInstant(start_of_day(day) + dt.timedelta(hours=hours))
