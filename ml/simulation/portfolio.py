"""The sample customer base: who they are, what they pay, and which story each will live."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from domain.vocabulary import Role
from ml.simulation.archetypes import SHARES, TROUBLES, Archetype
from ml.simulation.people import SampleContact, SampleUser, contacts_of, our_team
from ml.simulation.words import FEATURES, FIRST_PARTS, INDUSTRIES, PLACES, SECOND_PARTS

HISTORY_DAYS = 120
UNOWNED_EVERY = 15
ALREADY_IN_TROUBLE = 0.2
"""Share of the troubled customers whose trouble began in the history: the baseline shows them."""
QBR_ARR_MINOR = 5_000_000


@dataclass(frozen=True)
class SampleConfig:
    """What decides a portfolio: the same values give the same one."""

    customers: int
    start: dt.date
    """First live business day."""
    days: int
    seed: int = 1
    history_days: int = HISTORY_DAYS
    shares: Mapping[Archetype, float] = field(default_factory=lambda: SHARES)

    @property
    def history_start(self) -> dt.date:
        """First day of the history."""
        return self.start - dt.timedelta(days=self.history_days)


@dataclass(frozen=True)
class SampleCustomer:
    """One customer as nature made it."""

    key: str
    name: str
    domain: str
    industry: str
    country: str
    time_zone: str
    employees: int
    plan: str
    arr_minor: int
    started_on: dt.date
    renewal_on: dt.date
    csm_email: str | None
    sales_owner_email: str | None
    archetype: Archetype
    onset: dt.date | None
    contacts: tuple[SampleContact, ...]
    features: tuple[tuple[str, float], ...]
    people: int
    """Users on a normal day."""
    phase: int
    """Days by which this customer's own rhythm (invoices, surveys, reviews, season) is shifted."""
    is_billed_monthly: bool

    @property
    def has_reviews(self) -> bool:
        """Whether we hold quarterly reviews with them."""
        return self.arr_minor >= QBR_ARR_MINOR


@dataclass(frozen=True)
class Portfolio:
    """Customers and our team."""

    config: SampleConfig
    team: tuple[SampleUser, ...]
    customers: tuple[SampleCustomer, ...]


def make_portfolio(config: SampleConfig) -> Portfolio:
    """Return the portfolio of a configuration."""
    team = our_team(config.customers, config.seed)
    names = _company_names(config)
    archetypes = _archetypes(config)
    customers = tuple(
        _customer(config, team, number, names[number], archetypes[number])
        for number in range(config.customers)
    )
    return Portfolio(config, team, customers)


def _archetypes(config: SampleConfig) -> list[Archetype]:
    """Give each story its share, exactly, in a shuffled order; what rounding leaves is healthy."""
    total = sum(config.shares.values())
    dealt: list[Archetype] = []
    dealt += [
        archetype
        for archetype, share in config.shares.items()
        if archetype is not Archetype.HEALTHY
        for _ in range(max(1, round(config.customers * share / total)) if share else 0)
    ][: config.customers]
    dealt += [Archetype.HEALTHY] * (config.customers - len(dealt))
    Random(f"{config.seed}/archetypes").shuffle(dealt)
    return dealt


def _company_names(config: SampleConfig) -> list[tuple[str, str]]:
    """Return different pairs of industry and company name."""
    random = Random(f"{config.seed}/names")
    stems = [first + second for first in FIRST_PARTS for second in SECOND_PARTS]
    random.shuffle(stems)
    found: list[tuple[str, str]] = []
    for number in range(config.customers):
        industry = random.choice(list(INDUSTRIES))
        lap, index = divmod(number, len(stems))
        suffix = f" {lap + 1}" if lap else ""
        found.append((industry, f"{stems[index]} {random.choice(INDUSTRIES[industry])}{suffix}"))
    return found


def _customer(
    config: SampleConfig,
    team: tuple[SampleUser, ...],
    number: int,
    named: tuple[str, str],
    archetype: Archetype,
) -> SampleCustomer:
    key, random = f"C-{number + 1:04d}", Random(f"{config.seed}/customer/{number}")
    size = random.choices((1, 2, 3), (0.58, 0.30, 0.12))[0]
    industry, name = named
    domain = name.lower().replace(" ", "-") + ".example"
    country, time_zone = random.choice(PLACES)
    started = config.history_start - dt.timedelta(days=random.randint(30, 900))
    low, high = {1: (300_000, 1_900_000), 2: (2_000_000, 9_500_000), 3: (12_000_000, 60_000_000)}[size]
    arr = int(random.triangular(low, high, low * 1.3)) // 10_000 * 10_000
    csms = [user for user in team if user.role is Role.CSM]
    is_owned = size == 3 or number % UNOWNED_EVERY != UNOWNED_EVERY - 1  # noqa: PLR2004 - the largest
    return SampleCustomer(
        key=key,
        name=name,
        domain=domain,
        industry=industry,
        country=country,
        time_zone=time_zone,
        employees=round(random.triangular(*{1: (8, 90), 2: (100, 900), 3: (1000, 9000)}[size])),
        plan={1: "starter", 2: "growth", 3: "enterprise"}[size],
        arr_minor=arr,
        started_on=started,
        renewal_on=_next_renewal(config, random),
        csm_email=csms[number % len(csms)].email if is_owned else None,
        sales_owner_email=next((user.email for user in team if user.role is Role.SALES), None),
        archetype=archetype,
        onset=_onset(config, archetype, random),
        contacts=contacts_of(random, key, domain, started, size),
        features=_features(random, size),
        people=max(3, round(random.triangular(*{1: (3, 15), 2: (12, 70), 3: (50, 400)}[size]))),
        phase=random.randint(0, 89),
        is_billed_monthly=size == 1 or archetype is Archetype.FAILING_PAYMENT,
    )


def _features(random: Random, size: int) -> tuple[tuple[str, float], ...]:
    """Return what the customer uses, with the uses per person and day of each."""
    used = ("dashboards", *random.sample(FEATURES[1:], size + 1))
    return tuple((feature, round(random.uniform(0.8, 4.0), 2)) for feature in used)


def _next_renewal(config: SampleConfig, random: Random) -> dt.date:
    """Return a renewal within the year that follows the history, spread evenly."""
    return config.start + dt.timedelta(days=random.randint(2, 365))


def _onset(config: SampleConfig, archetype: Archetype, random: Random) -> dt.date | None:
    """Return when trouble begins: for some in the history, for most spread over the live days."""
    if archetype not in TROUBLES:
        return None
    if random.random() < ALREADY_IN_TROUBLE:
        return config.start - dt.timedelta(days=random.randint(5, 40))
    return config.start + dt.timedelta(days=random.randint(-4, max(1, int(config.days * 0.7) - 4)))
