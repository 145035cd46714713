"""People of the sample portfolio: ours, and those at the customers."""

import datetime as dt
from dataclasses import dataclass
from random import Random

from domain.vocabulary import ContactRole, Purpose, Role
from ml.simulation.words import FAMILY_NAMES, GIVEN_NAMES

OUR_DOMAIN = "sample.example"
CUSTOMERS_PER_CSM = 40
DEPARTMENTS = {
    ContactRole.CHAMPION: "Operations",
    ContactRole.EXECUTIVE_SPONSOR: "Management",
    ContactRole.ADMIN: "IT",
    ContactRole.BILLING: "Finance",
    ContactRole.END_USER: "Operations",
}


@dataclass(frozen=True)
class SampleUser:
    """One of ours, who signs in and owns customers."""

    email: str
    name: str
    role: Role
    title: str
    manager_email: str | None = None


@dataclass(frozen=True)
class SampleContact:
    """A person at a sample customer."""

    key: str
    name: str
    email: str
    roles: tuple[ContactRole, ...]
    department: str
    since: dt.date
    consents: tuple[Purpose, ...]


def our_team(customers: int, seed: int) -> tuple[SampleUser, ...]:
    """Return one manager, an executive for sales, an admin, and as many CSMs as the portfolio needs."""
    random = Random(f"{seed}/team")
    count = max(2, round(customers / CUSTOMERS_PER_CSM))
    names = _names(random, count + 3)
    manager = _user(names[0], Role.MANAGER, "Head of Customer Success")
    others = [_user(names[1], Role.SALES, "Account executive"), _user(names[2], Role.ADMIN, "Administrator")]
    csms = [
        _user(name, Role.CSM, "Customer success manager", manager_email=manager.email) for name in names[3:]
    ]
    return (manager, *others, *csms)


def contacts_of(
    random: Random, key: str, domain: str, since: dt.date, size: int
) -> tuple[SampleContact, ...]:
    """Return the people of one customer: champion and billing always, the others by its size."""
    roles: list[tuple[ContactRole, ...]] = [(ContactRole.CHAMPION,), (ContactRole.BILLING,)]
    if size > 1:
        roles += [(ContactRole.EXECUTIVE_SPONSOR,), (ContactRole.ADMIN,)]
    else:
        roles[0] = (ContactRole.CHAMPION, ContactRole.ADMIN)
    roles += [(ContactRole.END_USER,)] * size
    names = _names(random, len(roles))
    return tuple(
        _contact(random, f"{key}-P{number}", name, role, domain, since)
        for number, (name, role) in enumerate(zip(names, roles, strict=True), start=1)
    )


def _contact(
    random: Random, key: str, name: str, roles: tuple[ContactRole, ...], domain: str, since: dt.date
) -> SampleContact:
    wants_news = random.random() < 0.5  # noqa: PLR2004 - half
    refuses = random.random() < 0.06 and ContactRole.CHAMPION not in roles  # noqa: PLR2004 - the share that refuses
    consents = (
        () if refuses else (Purpose.LIFECYCLE, Purpose.MARKETING) if wants_news else (Purpose.LIFECYCLE,)
    )
    return SampleContact(
        key=key,
        name=name,
        email=f"{_address(name)}@{domain}",
        roles=roles,
        department=DEPARTMENTS[roles[0]],
        since=since,
        consents=consents,
    )


def _user(name: str, role: Role, title: str, manager_email: str | None = None) -> SampleUser:
    return SampleUser(f"{_address(name)}@{OUR_DOMAIN}", name, role, title, manager_email)


def _names(random: Random, count: int) -> list[str]:
    """Return different full names."""
    pairs = random.sample(range(len(GIVEN_NAMES) * len(FAMILY_NAMES)), count)
    return [f"{GIVEN_NAMES[n % len(GIVEN_NAMES)]} {FAMILY_NAMES[n // len(GIVEN_NAMES)]}" for n in pairs]


def _address(name: str) -> str:
    return name.lower().replace(" ", ".")
