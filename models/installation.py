"""The installation's switches: it observes until a person releases it, and one switch stops every effect."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import GOING_ON, InterventionState, NoticeKind, StepState
from models.outbox import Notice, put_notices
from models.tables.playbooks import InterventionRow, InterventionStepRow, PlaybookRow
from models.tables.system import InstallationRow

QUERY = select(
    InstallationRow.company_name,
    InstallationRow.product_name,
    InstallationRow.released_at,
    InstallationRow.release_per_day,
    InstallationRow.effects_stopped_at,
    InstallationRow.holdout_salt,
    InstallationRow.holdout_share,
)


@dataclass(frozen=True)
class Installation:
    """The one row."""

    company_name: str
    product_name: str
    released_at: BusinessInstant | None
    release_per_day: int | None
    effects_stopped_at: BusinessInstant | None
    holdout_salt: str
    holdout_share: float


async def load_installation(session: AsyncSession) -> Installation:
    """Return the installation, making its row on first use: observing, effects on, own holdout salt."""
    row = (await session.execute(QUERY)).one_or_none()
    if row is None:
        statement = upsert(InstallationRow).values(
            id=1,
            company_name="Our company",
            product_name="our product",
            holdout_salt=secrets.token_hex(8),
        )
        await session.execute(statement.on_conflict_do_nothing())
        row = (await session.execute(QUERY)).one()
    return Installation(*row)


async def playbook_holdout_share(session: AsyncSession) -> float:
    """Return which share of customers is left without a playbook that names no share of its own."""
    await load_installation(session)
    return float((await session.scalars(select(InstallationRow.playbook_holdout_share))).one())


async def withhold_playbooks(session: AsyncSession, share: float) -> None:
    """Set that share (0 to 0.5): a larger one takes customers in, a smaller one lets some out."""
    await load_installation(session)
    await session.execute(update(InstallationRow).values(playbook_holdout_share=share))


async def release(
    session: AsyncSession,
    now: BusinessInstant,
    wall: WallInstant,
    *,
    playbook_key: str | None = None,
    per_day: int | None = None,
) -> int:
    """Let everything, or one playbook, act from now on, at most `per_day` planned runs a day.

    Returns how many customers have a run that hears of it.
    """
    await load_installation(session)
    await session.execute(update(InstallationRow).values(release_per_day=per_day))
    if playbook_key is None:
        await session.execute(update(InstallationRow).values(released_at=now))
    chosen = update(PlaybookRow).where(PlaybookRow.released_at.is_(None))
    if playbook_key is not None:
        chosen = chosen.where(PlaybookRow.key == playbook_key)
    await session.execute(chosen.values(released_at=now))
    await _ask_again_now(session, "observing", now)
    open_states = [InterventionState.PLANNED, *GOING_ON]
    waiting = await _customers_with(session, open_states, playbook_key)
    running = await _customers_with(session, GOING_ON, playbook_key)
    await _ring(session, list({*waiting, *running}), NoticeKind.RELEASED, now, wall)
    return len(waiting)


async def observe_again(session: AsyncSession, *, playbook_key: str | None = None) -> None:
    """Take a release back: new runs are only planned; those that run go on until they are stopped."""
    chosen = update(PlaybookRow)
    if playbook_key is not None:
        chosen = chosen.where(PlaybookRow.key == playbook_key)
    else:
        await session.execute(update(InstallationRow).values(released_at=None))
    await session.execute(chosen.values(released_at=None))


async def stop_effects(session: AsyncSession, now: BusinessInstant, user_id: uuid.UUID | None = None) -> None:
    """Stop every outward effect at once; runs go on deciding and their sends are put off."""
    await load_installation(session)
    await session.execute(
        update(InstallationRow).values(effects_stopped_at=now, effects_stopped_by_id=user_id)
    )


async def start_effects(session: AsyncSession, now: BusinessInstant, wall: WallInstant) -> int:
    """Allow effects again and ring every open run, so that what was put off is asked about now."""
    await load_installation(session)
    await session.execute(update(InstallationRow).values(effects_stopped_at=None, effects_stopped_by_id=None))
    await _ask_again_now(session, "effects_stopped", now)
    customers = await _customers_with(session, GOING_ON, None)
    await _ring(session, customers, NoticeKind.SWITCHED, now, wall)
    return len(customers)


async def _ask_again_now(session: AsyncSession, reason: str, now: BusinessInstant) -> None:
    """Let every send that was put off for this reason be asked for at its run's next look."""
    await session.execute(
        update(InterventionStepRow)
        .where(InterventionStepRow.state == StepState.DEFERRED, InterventionStepRow.reason == reason)
        .values(due_at=now)
    )


async def _customers_with(
    session: AsyncSession, states: Sequence[InterventionState], playbook_key: str | None
) -> list[uuid.UUID]:
    query = select(InterventionRow.customer_id).where(InterventionRow.state.in_(states)).distinct()
    if playbook_key is not None:
        query = query.where(InterventionRow.playbook_key == playbook_key)
    return list((await session.scalars(query)).all())


async def _ring(
    session: AsyncSession,
    customers: Sequence[uuid.UUID],
    kind: NoticeKind,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    await put_notices(session, [Notice(customer, kind, {}, now) for customer in customers], wall)


async def release_left(session: AsyncSession, per_day: int | None, now: BusinessInstant) -> int | None:
    """Return how many planned runs may still be released today, None without a rate."""
    if per_day is None:
        return None
    today = func.date_trunc("day", now)
    started = await session.scalar(
        select(func.count())
        .select_from(InterventionRow)
        .where(InterventionRow.started_at >= today, InterventionRow.planned_at < InterventionRow.started_at)
    )
    return max(per_day - (started or 0), 0)
