"""The sample customer base: who they are, what they pay, and which story each will live."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from domain.vocabulary import Role
from ml.simulation.archetypes import Archetype
from ml.simulation.people import SampleContact, SampleUser, contacts_of, our_team
from ml.simulation.timing import Timing, timing_of
from ml.simulation.words import FEATURES, FIRST_PARTS, INDUSTRIES, PLACES, SECOND_PARTS
from ml.simulation.worlds import WORLDS, Preset, World

UNOWNED_EVERY = 15
QBR_ARR_MINOR = 5_000_000
YEAR = 365
SIZE_SHARES = (0.58, 0.30, 0.12)
"""Of small, middle and large customers."""


@dataclass(frozen=True)
class SampleConfig:
    """What decides a portfolio: the same values give the same one."""

    customers: int
    start: dt.date
    """First live business day."""
    days: int
    seed: int = 1
    history_days: int | None = None
    """Days of facts before the start; None: as the preset has it."""
    shares: Mapping[Archetype, float] | None = None
    """Share of each story; None: as the preset has them."""
    preset: Preset = Preset.DEMO
    card_share: float = 0.0
    """Share of the small customers who pay by card; above 0, so does everybody whose payments will fail."""

    @property
    def world(self) -> World:
        """How customers fare."""
        return WORLDS[self.preset]

    @property
    def end(self) -> dt.date:
        """The day after the last live one."""
        return self.start + dt.timedelta(days=self.days)

    @property
    def history_start(self) -> dt.date:
        """First day of the history."""
        days = self.world.history_days if self.history_days is None else self.history_days
        return self.start - dt.timedelta(days=days)


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
    """Recurring revenue that it began with."""
    size: int
    """1 small, 2 middle, 3 large."""
    csm_email: str | None
    sales_owner_email: str | None
    archetype: Archetype
    timing: Timing
    contacts: tuple[SampleContact, ...]
    features: tuple[tuple[str, float], ...]
    people: int
    """Users on a normal day."""
    phase: int
    """Days by which this customer's own rhythm (invoices, surveys, reviews, season) is shifted."""
    is_billed_monthly: bool
    pays_by_card: bool

    @property
    def started_on(self) -> dt.date:
        """First day as a customer."""
        return self.timing.started_on

    @property
    def renewal_on(self) -> dt.date:
        """First renewal while we look; the others follow each year."""
        return self.timing.renewal_on

    @property
    def onset(self) -> dt.date | None:
        """When trouble comes for the first time, if ever."""
        return self.timing.onset

    def renews_on(self, day: dt.date) -> bool:
        """Tell whether its contract comes up for renewal on a day."""
        past = (day - self.renewal_on).days
        return past >= 0 and past % YEAR == 0

    def next_renewal(self, day: dt.date) -> dt.date:
        """Return the first renewal after a day."""
        terms = max(0, (day - self.renewal_on).days // YEAR + 1)
        return self.renewal_on + dt.timedelta(days=YEAR * terms)

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
    shares = config.world.shares if config.shares is None else config.shares
    total = sum(shares.values())
    dealt: list[Archetype] = []
    dealt += [
        archetype
        for archetype, share in shares.items()
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
    size = random.choices((1, 2, 3), SIZE_SHARES)[0]
    industry, name = named
    domain = name.lower().replace(" ", "-") + ".example"
    country, time_zone = random.choice(PLACES)
    timing = timing_of(
        Random(f"{config.seed}/timing/{number}"),
        config.world,
        archetype,
        size,
        (config.history_start, config.start, config.end),
    )
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
        size=size,
        csm_email=csms[number % len(csms)].email if is_owned else None,
        sales_owner_email=next((user.email for user in team if user.role is Role.SALES), None),
        archetype=archetype,
        timing=timing,
        contacts=contacts_of(random, key, domain, timing.started_on, size),
        features=_features(random, size),
        people=max(3, round(random.triangular(*{1: (3, 15), 2: (12, 70), 3: (50, 400)}[size]))),
        phase=random.randint(0, 89),
        is_billed_monthly=size == 1 or archetype is Archetype.FAILING_PAYMENT,
        pays_by_card=_pays_by_card(config, number, archetype, size),
    )


def _pays_by_card(config: SampleConfig, number: int, archetype: Archetype, size: int) -> bool:
    if archetype is Archetype.FAILING_PAYMENT:
        return config.card_share > 0
    return size == 1 and Random(f"{config.seed}/card/{number}").random() < config.card_share


def _features(random: Random, size: int) -> tuple[tuple[str, float], ...]:
    """Return what the customer uses, with the uses per person and day of each."""
    used = ("dashboards", *random.sample(FEATURES[1:], size + 1))
    return tuple((feature, round(random.uniform(0.8, 4.0), 2)) for feature in used)
