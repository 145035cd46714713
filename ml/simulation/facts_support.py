"""What a customer asks our support, and what they think of us."""

import datetime as dt
from collections.abc import Iterator
from random import Random

from domain.facts import Fact, SurveyFact, TicketFact
from ml.simulation.archetypes import ORDINARY_TICKETS, Archetype
from ml.simulation.life import Life, OpenTicket, at
from ml.simulation.words import BAD_COMMENTS, GOOD_COMMENTS, TICKET_SUBJECTS

SURVEY_DAYS = 90
ANSWERS = 0.55
RATES = 0.5
"""Share of resolved tickets that are rated."""
TOP_SCORE = 10


def support(life: Life, day: dt.date, random: Random) -> Iterator[Fact]:
    """Yield tickets that open and tickets that are resolved."""
    trouble = life.latent.trouble
    rate = trouble.tickets if trouble else ORDINARY_TICKETS
    for number in range(_count(random, rate)):
        ticket = _open(life, day, number, random)
        life.tickets.append(ticket)
        yield ticket.fact
    for ticket in [each for each in life.tickets if each.resolves_on <= day]:
        life.tickets.remove(ticket)
        yield _resolve(life, ticket, day, random)


def surveys(life: Life, day: dt.date, random: Random) -> Iterator[Fact]:
    """Yield an answer to the quarterly question, where one is given."""
    asked = (day.toordinal() + life.customer.phase) % SURVEY_DAYS == 0
    luck, mood, comment = random.random(), random.gauss(0, 1), random.random()
    if not asked or luck > ANSWERS * (0.3 + 0.7 * min(1.0, life.latent.engagement)):
        return
    score = max(0, min(TOP_SCORE, round(8.6 - 5 * _frustration(life) + mood)))
    words = GOOD_COMMENTS if score > TOP_SCORE * 0.7 else BAD_COMMENTS
    yield SurveyFact(
        key=f"{life.customer.key}/nps/{day}",
        known_at=life.evening(day),
        customer=life.customer.key,
        contact=life.customer.contacts[-1].key,
        kind="nps",
        score=score,
        comment=words[int(comment * len(words))],
        responded_at=at(day, 11),
    )


def _frustration(life: Life) -> float:
    """From 0 to 1: how much worse than usual it is."""
    storm = 0.7 if life.latent.trouble and life.customer.archetype is Archetype.TICKET_STORM else 0.0
    return min(1.0, storm + max(0.0, 1 - life.latent.engagement))


def _count(random: Random, rate: float) -> int:
    """Draw how many tickets, at most three."""
    return sum(random.random() < rate / 3 for _ in range(3))


def _open(life: Life, day: dt.date, number: int, random: Random) -> OpenTicket:
    storm = _frustration(life) > 0.5  # noqa: PLR2004 - more than half
    hour = random.uniform(7, 17)
    fact = TicketFact(
        key=f"{life.customer.key}/ticket/{day}/{number}",
        known_at=life.evening(day),
        customer=life.customer.key,
        contact=random.choice(life.customer.contacts).key,
        subject=random.choice(TICKET_SUBJECTS),
        priority=random.choices(("low", "medium", "high", "urgent"), (1, 3, 4, 2) if storm else (3, 5, 1, 0))[
            0
        ],
        opened_at=at(day, hour),
        first_response_due_at=at(day, hour + 8),
        resolve_due_at=at(day, hour + 72),
        escalated=storm and random.random() < 0.15,  # noqa: PLR2004 - the share of a storm
        sentiment=round(max(-1.0, min(1.0, random.gauss(-0.5 if storm else 0.1, 0.25))), 2),
    )
    days = random.randint(4, 9) if storm else random.randint(0, 2)
    return OpenTicket(fact, day + dt.timedelta(days=days))


def _resolve(life: Life, ticket: OpenTicket, day: dt.date, random: Random) -> TicketFact:
    rating = max(1.0, min(5.0, round(random.gauss(4.4 - 2.6 * _frustration(life), 0.6))))
    is_rated, known = random.random() < RATES, life.evening(day)
    resolved = max(at(day, 18), ticket.fact.opened_at)
    return ticket.fact.model_copy(
        update={
            "first_responded_at": min(resolved, at(ticket.resolves_on, 17)),
            "resolved_at": resolved,
            "resolved_known_at": known,
            "satisfaction": rating if is_rated else None,
            "satisfaction_known_at": known if is_rated else None,
        }
    )
