"""Keeps the nightly report of what playbooks bring about, shares of variants, and who is left in peace."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.do_not_disturb import KEY, DoNotDisturb, Harm, Word, stored_do_not_disturb
from domain.impact import ImpactReport
from domain.time import BusinessInstant
from domain.vocabulary import Segment
from models.digests import keep_digest, read_digest
from models.hands import Hand
from models.policies import hold_policy, put_policy
from models.tables.system import PolicyRow
from models.uplifts import keep_uplifts

REPORT, SHARES = "impact", "variant_shares"


async def keep_report(session: AsyncSession, report: ImpactReport, now: BusinessInstant) -> None:
    """Put a night's report in the place of the one before, with the shares and harms that follow from it."""
    await keep_digest(session, REPORT, now, report.model_dump(mode="json"))
    await keep_digest(session, SHARES, now, _shares(report))
    await keep_uplifts(session, report, now)
    policy, found = await _held(session), _harms(report, now)
    if _names(found) != _names(policy.found):
        await _save(session, policy.model_copy(update={"found": found}), None, now)


async def load_report(session: AsyncSession) -> ImpactReport:
    """Return the newest report, an empty one before the first night."""
    kept = await read_digest(session, REPORT)
    return ImpactReport.model_validate(kept.document) if kept is not None else ImpactReport()


async def load_shares(
    session: AsyncSession, playbook_key: str, segment: Segment
) -> dict[str, dict[str, float]]:
    """Return by step how often each variant is dealt in a segment; empty before the first night."""
    kept = await read_digest(session, SHARES)
    steps = kept.document.get(playbook_key, {}) if kept is not None else {}
    return {step: told.get(segment.value) or told["all"] for step, told in steps.items()}


def _shares(report: ImpactReport) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    shares: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for one in report.experiments:
        for_all = {each.variant: each.next_share for each in one.variants}
        shares.setdefault(one.playbook, {})[one.step] = {"all": for_all, **one.by_segment}
    return shares


def _harms(report: ImpactReport, now: BusinessInstant) -> tuple[Harm, ...]:
    return tuple(
        Harm(
            playbook=playbook.playbook,
            segment=Segment(part.segment),
            effect=part.late.drawn.value,
            low=part.late.drawn.low,
            high=part.late.drawn.high,
            customers=sum(arm.matured for arm in part.late.arms),
            found_at=now,
        )
        for playbook in report.playbooks
        for part in playbook.segments
        if part.does_harm and part.late.drawn is not None
    )


def _names(harms: tuple[Harm, ...]) -> set[tuple[str, Segment]]:
    return {(one.playbook, one.segment) for one in harms}


async def load_do_not_disturb(session: AsyncSession) -> DoNotDisturb:
    """Return where contact does harm, and what people say to that."""
    document = await session.scalar(select(PolicyRow.document).where(PolicyRow.key == KEY))
    return stored_do_not_disturb(document)


async def say_word(session: AsyncSession, word: Word, hand: Hand) -> DoNotDisturb:
    """Put a person's word in force: the next decision on a customer goes by it."""
    policy = (await _held(session)).with_word(word, hand.name, hand.now)
    await _save(session, policy, hand.user_id, hand.now)
    return policy


async def take_word_back(session: AsyncSession, playbook: str, segment: Segment, hand: Hand) -> DoNotDisturb:
    """Go by what is measured there again."""
    policy = (await _held(session)).without_word(playbook, segment)
    await _save(session, policy, hand.user_id, hand.now)
    return policy


async def _held(session: AsyncSession) -> DoNotDisturb:
    """Return the policy in force, which nobody else changes until the transaction ends."""
    await hold_policy(session, KEY)
    return await load_do_not_disturb(session)


async def _save(
    session: AsyncSession, policy: DoNotDisturb, user_id: uuid.UUID | None, now: BusinessInstant
) -> None:
    await put_policy(session, KEY, policy.model_dump(mode="json"), user_id, now)
