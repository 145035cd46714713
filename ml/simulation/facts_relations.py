"""What passes between a customer's people and ours without Everstay: calls, notes, reviews, people who go."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from domain.facts import Fact, MeetingFact, TouchpointFact
from domain.vocabulary import Channel, ContactRole, Direction
from ml.simulation.archetypes import Archetype
from ml.simulation.facts_static import contact_fact
from ml.simulation.life import Life, at
from ml.simulation.people import SampleContact
from ml.simulation.words import FAMILY_NAMES, GIVEN_NAMES, TOUCH_SUBJECTS

FRIDAY = 4
TOUCH_DAYS = {"starter": 26, "growth": 20, "enterprise": 13}
FORGETS = 0.15
"""Share of touches after which ours forget the customer for a while."""
WRITES = 0.02
"""Chance per day that an engaged customer writes by themselves."""
REVIEW_DAYS = 90
MISSES_REVIEW = 0.65
"""Share of reviews that a customer in trouble does not come to."""


def touches(life: Life, day: dt.date, random: Random) -> Iterator[Fact]:
    """Yield what ours do out of habit, and what the customer writes."""
    stretch, forgets, writes = random.uniform(0.7, 1.3), random.random(), random.random()
    if day.weekday() > FRIDAY:
        return
    if life.customer.csm_email and day >= life.next_touch_on:
        gap = TOUCH_DAYS[life.customer.plan] * stretch * (2.5 if forgets < FORGETS else 1.0)
        life.next_touch_on = day + dt.timedelta(days=round(gap))
        yield _touch(life, day, Direction.OUT, random.choice((Channel.CALL, Channel.EMAIL)), "habit")
    if writes < WRITES * life.latent.engagement:
        yield _touch(life, day, Direction.IN, Channel.EMAIL, "letter")


def reviews(life: Life, day: dt.date, random: Random) -> Iterator[Fact]:
    """Yield the quarterly review after its day, held or missed."""
    misses = life.latent.trouble is not None and random.random() < MISSES_REVIEW
    if not life.customer.has_reviews or (day.toordinal() + life.customer.phase) % REVIEW_DAYS:
        return
    scheduled = at(day, 14)
    yield MeetingFact(
        key=f"{life.customer.key}/review/{day}",
        known_at=life.evening(day),
        customer=life.customer.key,
        kind="qbr",
        title="Quarterly review",
        scheduled_at=scheduled,
        answer="declined" if misses else "accepted",
        answered_at=at(day - dt.timedelta(days=3), 10),
        held_at=None if misses else scheduled,
    )


def people(life: Life, day: dt.date, random: Random) -> Iterator[Fact]:
    """Yield that the champion leaves, and who follows when the customer has found itself again."""
    if life.customer.archetype is not Archetype.CHAMPION_LEFT:
        return
    champion = life.customer.contacts[0]
    if life.latent.trouble is not None and life.champion_left_on is None:
        life.champion_left_on = day
        yield contact_fact(life.customer, champion, life.evening(day), left_at=at(day, 9))
    elif life.latent.returned_on == day and life.champion_left_on is not None:
        yield contact_fact(life.customer, _successor(life, champion, day, random), life.evening(day))


def _successor(life: Life, champion: SampleContact, day: dt.date, random: Random) -> SampleContact:
    name = f"{random.choice(GIVEN_NAMES)} {random.choice(FAMILY_NAMES)}"
    email = f"{name.lower().replace(' ', '.')}@{life.customer.domain}"
    key = f"{champion.key}/{day}"
    return replace(champion, key=key, name=name, email=email, roles=(ContactRole.CHAMPION,), since=day)


def _touch(life: Life, day: dt.date, direction: Direction, channel: Channel, why: str) -> TouchpointFact:
    subject = TOUCH_SUBJECTS[day.toordinal() % len(TOUCH_SUBJECTS)]
    return TouchpointFact(
        key=f"{life.customer.key}/{why}/{day}",
        known_at=life.evening(day),
        customer=life.customer.key,
        contact=life.customer.contacts[0].key,
        direction=direction,
        channel=channel,
        subject=subject,
        user_email=life.customer.csm_email,
        occurred_at=at(day, 10),
    )
