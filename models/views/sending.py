"""How much each sender domain has sent, may send, and keeps waiting: what a page says of late mail."""

from dataclasses import dataclass

from sqlalchemy import func, select

from domain.sending import SENDING_LIMIT, SendingPolicy, StoredSendingPolicyError, day_of, hour_of
from domain.sending_places import caps_now
from domain.time import BusinessInstant
from domain.vocabulary import StepState
from models.database import Session
from models.sending_limits import earned_now
from models.sending_policy import load_sending_policy
from models.tables.mail import SendingHourRow
from models.tables.playbooks import InterventionStepRow


@dataclass(frozen=True)
class DomainSending:
    """One sender domain now. Caps are messages, None where there is none; `because` is the warm-up's word."""

    domain: str
    sent_this_hour: int
    sent_today: int
    per_hour: int | None
    per_day: int | None
    because: str


@dataclass(frozen=True)
class Sending:
    """Domains with a cap, and how many messages wait for one. `problem`: why all optional mail does."""

    domains: tuple[DomainSending, ...]
    waiting: int
    problem: str = ""


async def load_sending(session: Session, domain: str, now: BusinessInstant) -> Sending:
    """Return the state of the domain that is sent from now, and of every other that the policy names."""
    waiting = await _waiting(session)
    try:
        policy = await load_sending_policy(session)
    except StoredSendingPolicyError as error:
        return Sending((), waiting, str(error))
    names = sorted({domain, *policy.domains})
    found = [
        await _domain(session, each, policy, now) for each in names if policy.limits_of(each) is not None
    ]
    return Sending(tuple(found), waiting)


async def _domain(
    session: Session, domain: str, policy: SendingPolicy, now: BusinessInstant
) -> DomainSending:
    limits = policy.limits_of(domain)
    assert limits is not None  # noqa: S101 - the caller looked
    allowed = await earned_now(session, domain, policy, limits, now)
    per_hour, per_day = caps_now(limits, allowed)
    row = SendingHourRow
    count = row.optional + row.transactional
    query = select(
        func.coalesce(func.sum(count).filter(row.hour == hour_of(now)), 0), func.coalesce(func.sum(count), 0)
    ).where(row.domain == domain, row.hour >= day_of(now), row.hour <= now)
    this_hour, today = (await session.execute(query)).one()
    because = allowed.because if allowed is not None else ""
    return DomainSending(domain, int(this_hour), int(today), per_hour, per_day, because)


async def _waiting(session: Session) -> int:
    row = InterventionStepRow
    late = (row.state == StepState.DEFERRED, row.reason == SENDING_LIMIT)
    return await session.scalar(select(func.count()).select_from(row).where(*late)) or 0
