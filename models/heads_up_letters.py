"""What a mail about warnings says: by customer, the largest revenue at stake first."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.evidence_words import say_evidence
from domain.heads_up_mail import MailKind
from domain.money import say_money
from domain.time import BusinessInstant
from domain.vocabulary import Severity, SignalState
from domain.wording import day
from models.given_up_endpoints import GivenUp, load_told
from models.heads_up_mails import kind_of
from models.installation import load_installation
from models.mass_alert_mails import alert_of
from models.tables.customers import CustomerRow
from models.tables.people import UserRow
from models.tables.scoring import SignalRow
from models.tables.work import HeadsUpMailRow, HeadsUpRow
from models.views.chrome import due_heads_up

SEVERITIES = tuple(Severity)
MOST_CUSTOMERS = 25
"""Shown in one mail; the rest is a number and a link."""
SEE_THE_CUSTOMER = "Open the customer to see the evidence."

CUSTOMER = (
    CustomerRow.name,
    CustomerRow.arr_minor,
    CustomerRow.currency,
    CustomerRow.renewal_on,
    CustomerRow.churn_risk_tier,
    CustomerRow.churn_risk_score,
    CustomerRow.csm_id,
)


@dataclass(frozen=True)
class InternalLetter:
    """One mail to one of ours, before it is put in words."""

    kind: MailKind
    email: str
    name: str
    product_name: str
    written_at: BusinessInstant
    customers: tuple[dict[str, Any], ...]
    """name, arr, renewal, risk, note, id, warnings (title, evidence, severity): what the templates say."""
    more_customers: int
    warnings: int
    waiting: int
    """Open warnings of this person in all."""
    endpoint: GivenUp | None = None
    """What it is about where that is no customer."""


async def load_letter(
    session: AsyncSession, effect_key: str, user_id: uuid.UUID, now: BusinessInstant
) -> InternalLetter:
    """Return what the claimed mail says now."""
    reader = (await session.execute(select(UserRow.email, UserRow.name).where(UserRow.id == user_id))).one()
    kind = kind_of(effect_key)
    is_held = kind is MailKind.MASS_HELD
    rows = await (_held_back(session, effect_key) if is_held else _warnings(session, effect_key))
    endpoint = await load_told(session, effect_key) if kind is MailKind.ENDPOINT else None
    groups: dict[uuid.UUID, list[Any]] = {}
    for row in sorted(rows, key=_rank):
        groups.setdefault(row.customer_id, []).append(row)
    customers = tuple(
        _customer(group, user_id, now, is_held=is_held) for group in list(groups.values())[:MOST_CUSTOMERS]
    )
    waiting = select(func.count()).where(HeadsUpRow.owner_id == user_id, due_heads_up(now))
    return InternalLetter(
        kind,
        reader.email,
        reader.name,
        (await load_installation(session)).product_name,
        now,
        customers,
        len(groups) - len(customers),
        len(rows),
        await session.scalar(waiting) or 0,
        endpoint,
    )


async def _warnings(session: AsyncSession, effect_key: str) -> Sequence[Any]:
    csm = aliased(UserRow)
    query = (
        select(
            HeadsUpRow.customer_id,
            HeadsUpRow.title,
            HeadsUpRow.body,
            HeadsUpRow.severity,
            HeadsUpRow.opened_at,
            SignalRow.evidence,
            *CUSTOMER,
            csm.name.label("csm"),
        )
        .join(HeadsUpMailRow, HeadsUpMailRow.heads_up_id == HeadsUpRow.id)
        .join(CustomerRow, CustomerRow.id == HeadsUpRow.customer_id)
        .outerjoin(SignalRow, SignalRow.id == HeadsUpRow.signal_id)
        .outerjoin(csm, csm.id == CustomerRow.csm_id)
        .where(HeadsUpMailRow.effect_key == effect_key)
    )
    return (await session.execute(query)).all()


async def _held_back(session: AsyncSession, effect_key: str) -> Sequence[Any]:
    """Return the signals that a mass alert holds back, as the warnings that they would be."""
    csm = aliased(UserRow)
    query = (
        select(
            SignalRow.customer_id,
            SignalRow.title,
            literal("").label("body"),
            SignalRow.severity,
            SignalRow.opened_at,
            SignalRow.evidence,
            *CUSTOMER,
            csm.name.label("csm"),
        )
        .join(CustomerRow, CustomerRow.id == SignalRow.customer_id)
        .outerjoin(csm, csm.id == CustomerRow.csm_id)
        .where(SignalRow.mass_alert_id == alert_of(effect_key), SignalRow.state == SignalState.OPEN)
    )
    return (await session.execute(query)).all()


def _rank(row: Any) -> tuple[object, ...]:
    worst = -SEVERITIES.index(row.severity)
    return (-row.arr_minor, row.name.casefold(), row.customer_id, worst, row.opened_at, row.title)


def _customer(
    rows: Sequence[Any], user_id: uuid.UUID, now: BusinessInstant, *, is_held: bool
) -> dict[str, Any]:
    one, today = rows[0], now.date()
    tier = one.churn_risk_tier
    return {
        "id": str(one.customer_id),
        "name": one.name,
        "arr": say_money(one.arr_minor, one.currency),
        "renewal": day(one.renewal_on, today) if one.renewal_on else "",
        "risk": f"{tier.value} churn risk, {one.churn_risk_score} of 100" if tier else "",
        "note": "" if one.csm_id == user_id else _why_to_you(one.csm, is_held=is_held),
        "warnings": [_warning(row, now) for row in rows],
    }


def _why_to_you(csm: str | None, *, is_held: bool) -> str:
    """Return why it comes to somebody who does not own the customer."""
    if is_held:
        return f"Owner: {csm}" if csm else "It has no owner."
    return f"{csm} owns it; this comes to you instead." if csm else "It has no owner, so this comes to you."


def _warning(row: Any, now: BusinessInstant) -> dict[str, str]:
    told = row.body if row.body and row.body not in {row.title, SEE_THE_CUSTOMER} else ""
    evidence = say_evidence(row.evidence or {}, now.date())
    return {
        "title": row.title,
        "severity": row.severity.value,
        "told": told,
        "evidence": evidence,
        "since": day(row.opened_at.date(), now.date()),
    }
