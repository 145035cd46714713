"""A small company's database, straight into the tables: what pages are tested and photographed with."""

import datetime as dt
import hashlib
import random
import uuid
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import (
    ContactRole,
    CustomerStatus,
    HealthStatus,
    RiskTier,
    Role,
    Segment,
    TouchTier,
)
from models.tables.customers import ContactRoleRow, ContactRow, CustomerRow
from models.tables.data import SourceRow
from models.tables.people import UserRow
from models.tables.system import ClockSegmentRow, InstallationRow
from tests.support.replays import add_backtest
from tests.support.rows_kept import KeptRows, is_empty, keep_rows, put_rows
from tests.support.sample_cases import add_cases
from tests.support.sample_facts import add_facts
from tests.support.sample_judgement import add_judgement
from tests.support.sample_models import add_models
from tests.support.sample_runs import add_runs
from tests.support.sample_scores import add_scores
from tests.support.sample_trials import add_trials

NOW = BusinessInstant(dt.datetime(2026, 11, 20, 14, 30, tzinfo=dt.UTC))
SOURCE = "sample"
NAMES = [
    "Alder & Finch",
    "Northwind Freight",
    "Brightloom",
    "Cobalt Ridge",
    "Dunmore Health",
    "Elmstone Legal",
    "Fathom Analytics",
    "Greyhaven",
    "Harbour Grid",
    "Inkwell Press",
    "Juniper Labs",
    "Kestrel Aero",
    "Larkspur Foods",
    "Meridian Clinics",
    "Nimbus Rail",
    "Oakline Bank",
    "Paperbark",
    "Quillstone",
    "Redfern Energy",
    "Saltmarsh",
    "Tessera Retail",
    "Umber Studios",
    "Vantage Mutual",
    "Westerly Shipping",
    "Yarrow Pharma",
    "Zephyr Mobility",
    "Ashdown Motors",
    "Birch & Vale",
    "Calder Insurance",
    "Driftwood",
]
PEOPLE = (
    ("ada", "Ada Osei", Role.ADMIN, "Head of operations", "Europe/Berlin"),
    ("marta", "Marta Lindqvist", Role.MANAGER, "Director of customer success", "Europe/Stockholm"),
    ("jonas", "Jonas Weber", Role.CSM, "Senior CSM", "Europe/Berlin"),
    ("priya", "Priya Raman", Role.CSM, "CSM", "America/New_York"),
    ("tom", "Tom Okafor", Role.CSM, "CSM", "Europe/London"),
    ("sofia", "Sofia Marques", Role.SALES, "Account executive", "Europe/Lisbon"),
    ("omar", "Omar Haddad", Role.OPERATOR, "Platform operator", "UTC"),
    ("dev", "Dana Kim", Role.DEVELOPER, "Engineer", "UTC"),
    ("vera", "Vera Novak", Role.VIEWER, "Finance", "Europe/Prague"),
)
CONTACTS = (
    ("Hanna Brandt", "Operations", ContactRole.CHAMPION),
    ("Luis Ferrer", "Finance", ContactRole.BILLING),
    ("Grace Adeyemi", "Executive", ContactRole.EXECUTIVE_SPONSOR),
    ("Noah Petit", "IT", ContactRole.ADMIN),
)


@dataclass(frozen=True)
class Sample:
    """The ids that tests ask for: users by short name, customers in order of size, tasks."""

    now: BusinessInstant
    users: dict[str, uuid.UUID]
    customers: list[uuid.UUID]
    contacts: dict[uuid.UUID, list[uuid.UUID]]
    rows: list[dict[str, Any]]


def fixed_id(*parts: object) -> uuid.UUID:
    """The same id for the same words, so that pictures and tests stay the same."""
    return uuid.UUID(hashlib.blake2s("/".join(map(str, parts)).encode(), digest_size=16).hexdigest())


def instant(days: float) -> BusinessInstant:
    """So many days from the sample's now; negative is past."""
    return BusinessInstant(NOW + dt.timedelta(days=days))


def _user(key: str, name: str, role: Role, title: str, zone: str) -> dict[str, Any]:
    team = "success" if role in {Role.MANAGER, Role.CSM} else None
    manager = fixed_id("user", "marta") if role is Role.CSM else None
    return {
        "id": fixed_id("user", key),
        "email": f"{key}@example.com",
        "name": name,
        "role": role,
        "title": title,
        "team": team,
        "manager_id": manager,
        "time_zone": zone,
        "created_at": WallInstant(NOW),
    }


def _shape(index: int) -> tuple[RiskTier | None, HealthStatus | None]:
    shapes = (
        (RiskTier.CRITICAL, HealthStatus.AT_RISK),
        (RiskTier.LOW, HealthStatus.THRIVING),
        (RiskTier.HIGH, HealthStatus.NEEDS_ATTENTION),
        (RiskTier.LOW, HealthStatus.ENGAGED),
        (RiskTier.MEDIUM, HealthStatus.NEUTRAL),
        (RiskTier.LOW, HealthStatus.ENGAGED),
        (RiskTier.MEDIUM, HealthStatus.NEEDS_ATTENTION),
        (RiskTier.LOW, HealthStatus.THRIVING),
        (RiskTier.LOW, HealthStatus.NEUTRAL),
        (None, None),
    )
    return shapes[index % len(shapes)]


def customer_row(index: int, dice: random.Random) -> dict[str, Any]:
    """One customer; sizes fall with the index, the mix of shapes repeats every ten."""
    cycle, name = divmod(index, len(NAMES))
    tier, health = _shape(index)
    score = {None: None, "low": 12, "medium": 38, "high": 63, "critical": 84}[tier.value if tier else None]
    segment = (Segment.ENTERPRISE, Segment.MID_MARKET, Segment.SMALL)[min(2, index * 3 // 30)]
    touch = (TouchTier.STRATEGIC, TouchTier.MANAGED, TouchTier.TECH_TOUCH)[min(2, index * 3 // 30)]
    left = index == 29
    return {
        "id": fixed_id("customer", index),
        "source_id": SOURCE,
        "external_id": f"C-{1000 + index}",
        "content_hash": "0",
        "name": NAMES[name] + (f" {cycle + 1}" if cycle else ""),
        "domain": NAMES[name].lower().replace(" & ", "-").replace(" ", "-") + ".example",
        "industry": "Logistics",
        "country": "DE",
        "time_zone": "Europe/Berlin",
        "employees": 900 - index * 12 if index < 70 else 40,
        "segment": segment,
        "plan": "Scale" if segment is not Segment.SMALL else "Starter",
        "arr_minor": max(240_000, int(42_000_000 / (1 + index * 0.55)) // 10_000 * 10_000),
        "currency": "EUR" if index % 7 == 3 else "USD",
        "touch_tier": touch,
        "csm_id": fixed_id("user", ("jonas", "priya", "tom")[index % 3]),
        "sales_owner_id": fixed_id("user", "sofia"),
        "status": CustomerStatus.CHURNED if left else CustomerStatus.ACTIVE,
        "started_at": instant(-500 + index),
        "onboarded_at": instant(-470 + index),
        "first_value_at": None,
        "renewal_on": (NOW + dt.timedelta(days=(index * 37) % 360 + 5)).date(),
        "churned_at": instant(-9) if left else None,
        "churn_known_at": instant(-9) if left else None,
        "known_at": instant(-500 + index),
        "acted_tier": tier,
        "acted_tier_at": instant(-6),
        "churn_risk_tier": tier,
        "churn_risk_score": score + dice.randint(-6, 6) if score is not None else None,
        "churn_probability": round((score or 0) ** 1.6 / 6000, 4) if score is not None else None,
        "health_score": {None: None, "thriving": 91, "engaged": 78, "neutral": 61, "needs_attention": 44}.get(
            health.value if health else None, 27
        ),
        "health_status": health,
        "last_touch_at": instant(-dice.uniform(0.2, 45)),
        "last_usage_on": (NOW - dt.timedelta(days=0 if index % 6 else 12)).date(),
    }


def _contacts(customer: uuid.UUID, index: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    people, roles = [], []
    for place, (name, department, role) in enumerate(CONTACTS[: 4 if index < 10 else 2]):
        contact = fixed_id("contact", index, place)
        left = instant(-11) if index == 0 and place == 0 else None
        people.append(
            {
                "id": contact,
                "source_id": SOURCE,
                "external_id": f"P-{index}-{place}",
                "content_hash": "0",
                "name": name,
                "email": f"{name.split()[0].lower()}@customer{index}.example",
                "department": department,
                "time_zone": "Europe/Berlin",
                "left_at": left,
                "last_active_at": instant(-1 - place * 4),
                "known_at": instant(-400),
            }
        )
        roles.append(
            {
                "id": fixed_id("role", index, place),
                "customer_id": customer,
                "contact_id": contact,
                "role": role,
                "since": instant(-400),
                "until": left,
            }
        )
    return people, roles


async def _add_system(session: AsyncSession, *, released: bool) -> None:
    source = {"id": SOURCE, "name": "Sample CRM", "kind": "sample", "provides": ["usage", "tickets"]}
    await session.execute(
        insert(SourceRow).values(
            **source, connected_at=instant(-90), rhythm_hours=24, last_fact_at=instant(-0.1)
        )
    )
    await session.execute(
        insert(InstallationRow).values(
            id=1,
            company_name="Everline",
            product_name="Everline",
            released_at=instant(-60) if released else None,
            holdout_salt="salt",
            holdout_share=0.05,
        )
    )
    wall = WallInstant(dt.datetime.now(dt.UTC))
    await session.execute(
        insert(ClockSegmentRow).values(wall_start=wall, business_start=NOW, rate=1.0, reason="start")
    )
    await session.execute(insert(UserRow), [_user(*person) for person in PEOPLE])


_filled: dict[tuple[int, bool], tuple[Sample, KeptRows]] = {}


async def fill(session: AsyncSession, *, customers: int = 30, released: bool = True) -> Sample:
    """Write everything: people, customers, their facts, scores, signals, runs, tasks and decisions.

    The second time in an empty database the rows of the first are put back, with a clock that begins now.
    """
    if not await is_empty(session):
        return await _fill(session, customers=customers, released=released)
    known = _filled.get((customers, released))
    if known is None:
        sample = await _fill(session, customers=customers, released=released)
        _filled[customers, released] = deepcopy(sample), await keep_rows(session)
        return sample
    await put_rows(session, known[1])
    await session.execute(update(ClockSegmentRow).values(wall_start=dt.datetime.now(dt.UTC)))
    return deepcopy(known[0])


async def _fill(session: AsyncSession, *, customers: int, released: bool) -> Sample:
    dice = random.Random(7)
    await _add_system(session, released=released)
    rows = [customer_row(index, dice) for index in range(customers)]
    await session.execute(insert(CustomerRow), rows)
    contacts = {row["id"]: _contacts(row["id"], index) for index, row in enumerate(rows)}
    await session.execute(insert(ContactRow), [each for people, _ in contacts.values() for each in people])
    await session.execute(insert(ContactRoleRow), [each for _, roles in contacts.values() for each in roles])
    sample = Sample(
        now=NOW,
        users={key: fixed_id("user", key) for key, *_ in PEOPLE},
        customers=[row["id"] for row in rows],
        contacts={key: [person["id"] for person in people] for key, (people, _) in contacts.items()},
        rows=rows,
    )
    await add_scores(session, rows, NOW)
    await add_facts(session, rows, sample.contacts, NOW)
    await add_runs(session, rows, sample.contacts, NOW, released=released)
    await add_judgement(session, rows, NOW)
    await add_models(session, NOW)
    await add_trials(session, rows, NOW)
    await add_cases(session, rows, sample.contacts, NOW)
    await add_backtest(session, NOW)
    return sample
