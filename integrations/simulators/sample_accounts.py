"""A small company's customers, as HubSpot, Zendesk and Stripe each know them: the same ones, by other ids."""

import datetime as dt
import random
from dataclasses import dataclass

FIRST = ("Ada", "Ben", "Chloe", "Dmitri", "Eva", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kira", "Leo")
LAST = ("Adler", "Brandt", "Costa", "Dubois", "Egger", "Fischer", "Garcia", "Haas", "Ivanov", "Jensen")
HEADS = ("North", "Blue", "Iron", "Bright", "Silver", "Quiet", "Rapid", "Green", "Amber", "Stone")
TAILS = ("Foundry", "Labs", "Logistics", "Health", "Systems", "Works", "Media", "Energy", "Retail", "Bank")
TITLES = ("Head of Operations", "Chief Technology Officer", "Office Manager")
START = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)
"""When the oldest of it began; everything is seeded, so that two runs tell the same."""


@dataclass(frozen=True)
class Person:
    """Somebody at a customer."""

    number: int
    first: str
    last: str
    email: str
    title: str


@dataclass(frozen=True)
class Company:
    """One customer, or, where `is_lead`, a company that is none."""

    number: int
    name: str
    domain: str
    since: dt.datetime
    people: tuple[Person, ...]
    seats: int
    is_lead: bool = False


def sample_companies(seed: int = 7, customers: int = 12, leads: int = 3) -> list[Company]:
    """Return the same companies for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - plausible data, no secrets
    names = chance.sample([f"{head} {tail}" for head in HEADS for tail in TAILS], customers + leads)
    return [_company(number, name, chance, number > customers) for number, name in enumerate(names, 1)]


def _company(number: int, name: str, chance: random.Random, is_lead: bool) -> Company:  # noqa: FBT001 - private
    domain = f"{name.lower().replace(' ', '-')}.example"
    people = tuple(_person(number * 10 + place, domain, chance) for place in range(1, 4))
    since = START + dt.timedelta(days=chance.randrange(120), minutes=chance.randrange(600))
    return Company(number, name, domain, since, people, chance.randrange(3, 60), is_lead)


def _person(number: int, domain: str, chance: random.Random) -> Person:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    email = f"{first}.{last}.{number}@{domain}".title()  # as people type it: with capitals
    return Person(number, first, last, email, chance.choice(TITLES))


def iso(instant: dt.datetime) -> str:
    """Return an instant as these providers write it."""
    return instant.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
