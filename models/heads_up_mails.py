"""Mail about warnings in the ledger: which are untold, what a mail may say, and its claim.

A warning is in one mail to a person, ever: the row that says so is written with the claim. What is closed,
seen, snoozed or handed over before the mail leaves is taken out again.
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.heads_up_mail import MailKind, PlannedMail, Reader, Untold
from domain.notifications import DEFAULTS, MailChoice, NotificationChoices
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import EffectState, Severity
from models.effects import FIELDS, Effect, NewEffect, claim, reclaim, settle
from models.given_up_endpoints import PREFIX as ENDPOINT
from models.given_up_endpoints import is_still_given_up
from models.mass_alert_mails import is_still_held
from models.notifications import COLUMNS
from models.tables.ledger import EffectRow
from models.tables.people import NotificationPreferenceRow, UserRow
from models.tables.scoring import SignalRow
from models.tables.work import HeadsUpMailRow, HeadsUpRow
from models.views.chrome import due_heads_up

KIND = "internal_email"
"""Effects of this kind are mail to our own people: no touchpoint of a customer, and outside their budget."""
MOST = 5000
"""Warnings looked at in one round."""
FIRST_WAIT, LONGEST_WAIT = dt.timedelta(seconds=5), dt.timedelta(minutes=15)
MOST_ATTEMPTS = 60
"""At most a quarter of an hour apart: after some fourteen hours a mail is no use any more."""
NOTHING_LEFT = "nothing was left to say"
STILL: Mapping[MailKind, Callable[[AsyncSession, str, uuid.UUID], Awaitable[bool]]] = {
    MailKind.MASS_HELD: is_still_held,
    MailKind.ENDPOINT: is_still_given_up,
}
"""Mails about something else than warnings, and whether it still holds for their reader."""


@dataclass(frozen=True)
class Unsettled:
    """A mail that was claimed and of which nobody knows, or that the provider did not take."""

    effect: Effect
    user_id: uuid.UUID

    @property
    def is_lost(self) -> bool:
        """Whether its sender died, so that the provider must be asked first."""
        return self.effect.lease_until is not None


async def load_untold(session: AsyncSession, now: BusinessInstant) -> list[tuple[Reader, list[Untold]]]:
    """Return, for everyone who wants mail, the open warnings of theirs that are in no mail to them yet."""
    row, preference, user = HeadsUpRow, NotificationPreferenceRow, UserRow
    query = (
        select(
            user.id,
            user.time_zone,
            preference.user_id.is_not(None),
            *COLUMNS,
            row.id,
            row.severity,
            _came_at(now),
            SignalRow.mass_alert_id,
            _alert_told(),
        )
        .select_from(row)
        .join(user, and_(user.id == row.owner_id, user.disabled_at.is_(None)))
        .outerjoin(preference, preference.user_id == user.id)
        .outerjoin(SignalRow, SignalRow.id == row.signal_id)
        .where(due_heads_up(now), ~_is_told(row.id.expression, row.owner_id.expression), _is_wanted())
        .order_by(user.id, row.opened_at, row.id)
        .limit(MOST)
    )
    found: dict[uuid.UUID, tuple[Reader, list[Untold]]] = {}
    for user_id, zone, has_chosen, *columns in await session.execute(query):
        choices = NotificationChoices(*columns[:4]) if has_chosen else DEFAULTS
        mine = found.setdefault(user_id, (Reader(user_id, zone, choices), []))
        mine[1].append(Untold(*columns[4:]))
    return list(found.values())


def _came_at(now: BusinessInstant) -> ColumnElement[dt.datetime]:
    woken = case((HeadsUpRow.snoozed_until <= now, HeadsUpRow.snoozed_until))
    return func.greatest(HeadsUpRow.opened_at, HeadsUpRow.owner_since, woken)


def _is_told(
    heads_up_id: ColumnElement[uuid.UUID], user_id: ColumnElement[uuid.UUID | None]
) -> ColumnElement[bool]:
    return exists().where(HeadsUpMailRow.heads_up_id == heads_up_id, HeadsUpMailRow.user_id == user_id)


def _alert_told() -> ColumnElement[bool]:
    key = func.concat("mass-alert/", SignalRow.mass_alert_id, "/", HeadsUpRow.owner_id)
    effect = aliased(EffectRow)
    return and_(SignalRow.mass_alert_id.is_not(None), exists().where(effect.key == key))


def _is_wanted() -> ColumnElement[bool]:
    """Leave out what a person never wants, which would be looked at for ever."""
    never = [
        and_(
            HeadsUpRow.severity == severity,
            getattr(NotificationPreferenceRow, severity.value) == MailChoice.NEVER,
        )
        for severity in Severity
    ]
    return ~func.coalesce(or_(*never), False)


async def claim_mail(
    session: AsyncSession, mail: PlannedMail, provider: str, now: BusinessInstant, wall: WallInstant
) -> Effect | None:
    """Claim a mail and mark what it tells; None where it was claimed before or nothing of it is left.

    The caller holds the stage's lock, so that nobody plans the same mail beside it.
    """
    known = await session.scalar(select(EffectRow.key).where(EffectRow.key == mail.key))
    if known is not None:
        return None
    new = NewEffect(mail.key, KIND, payload_hash(mail.kind, mail.user_id), None, provider, mail.user_id)
    if mail.kind in STILL:
        holds = await STILL[mail.kind](session, mail.key, mail.user_id)
        return await claim(session, new, wall) if holds else None
    left = await _still_due(session, mail.heads_up_ids, mail.user_id, now)
    told = select(HeadsUpMailRow.heads_up_id).where(
        HeadsUpMailRow.heads_up_id.in_(left), HeadsUpMailRow.user_id == mail.user_id
    )
    fresh = sorted(set(left) - set(await session.scalars(told)))
    if not fresh:
        return None
    effect = await claim(session, new, wall)
    rows = [
        {"heads_up_id": one, "user_id": mail.user_id, "effect_key": mail.key, "told_at": now} for one in fresh
    ]
    await session.execute(insert(HeadsUpMailRow), rows)
    return effect


async def reclaim_mail(
    session: AsyncSession, found: Unsettled, now: BusinessInstant, wall: WallInstant
) -> Effect | None:
    """Try a mail again that certainly did not leave, with what is left of it; None where nothing is."""
    query = select(EffectRow.state, EffectRow.attempts).where(EffectRow.key == found.effect.key)
    effect = (await session.execute(query.with_for_update())).one_or_none()
    if effect is None or tuple(effect) != (EffectState.CLAIMED, found.effect.attempts):
        return None  # it was settled, or somebody has tried it again, since it was found
    mine = HeadsUpMailRow.effect_key == found.effect.key
    ids = list(await session.scalars(select(HeadsUpMailRow.heads_up_id).where(mine)))
    left = await _still_due(session, ids, found.user_id, now)
    await session.execute(delete(HeadsUpMailRow).where(mine, HeadsUpMailRow.heads_up_id.not_in(left)))
    kind = kind_of(found.effect.key)
    still = STILL.get(kind)
    holds = left if still is None else await still(session, found.effect.key, found.user_id)
    if not holds or found.effect.attempts >= MOST_ATTEMPTS:
        await settle(
            session, found.effect.key, EffectState.FAILED, wall, error=found.effect.error or NOTHING_LEFT
        )
        return None
    same = payload_hash(kind, found.user_id)
    return await reclaim(session, found.effect, same, now, wall)


async def _still_due(
    session: AsyncSession, ids: Sequence[uuid.UUID], user_id: uuid.UUID, now: BusinessInstant
) -> list[uuid.UUID]:
    """Return those that still wait for this person, locked: nobody closes one between claim and commit."""
    enabled = select(UserRow.id).where(UserRow.id == user_id, UserRow.disabled_at.is_(None))
    query = (
        select(HeadsUpRow.id)
        .where(HeadsUpRow.id.in_(ids), due_heads_up(now), HeadsUpRow.owner_id.in_(enabled))
        .order_by(HeadsUpRow.id)
        .with_for_update()
    )
    return list((await session.scalars(query)).all())


async def load_unsettled(session: AsyncSession, wall: WallInstant, limit: int) -> list[Unsettled]:
    """Return the mails whose sender died, and those that the provider could not take and may take by now."""
    query = (
        select(*FIELDS, EffectRow.user_id)
        .where(EffectRow.kind == KIND, EffectRow.state == EffectState.CLAIMED)
        .order_by(EffectRow.claimed_at, EffectRow.key)
    )
    rows = (await session.execute(query)).all()
    found = [Unsettled(Effect(*effect), user) for *effect, user in map(tuple, rows) if user is not None]
    return [one for one in found if _may_be_tried(one.effect, wall)][:limit]


def _may_be_tried(effect: Effect, wall: WallInstant) -> bool:
    """Whether its lease is dead, or the provider has had a rest that doubles with each attempt."""
    if effect.lease_until is not None:
        return bool(effect.lease_until <= wall)
    rest = min(FIRST_WAIT * 2 ** min(effect.attempts - 1, 10), LONGEST_WAIT)
    return bool(effect.claimed_at + rest <= wall)


async def ask_again_later(session: AsyncSession, key: str, later: WallInstant) -> None:
    """Let the provider be asked about a mail at that time: it cannot say now."""
    still = (EffectRow.key == key, EffectRow.state == EffectState.CLAIMED)
    await session.execute(update(EffectRow).where(*still).values(lease_until=later))


def payload_hash(kind: MailKind, user_id: uuid.UUID) -> str:
    """Return the hash of what makes a mail to one of ours the same mail: its kind and its reader."""
    return hashlib.sha256(f"{kind.value}/{user_id}".encode()).hexdigest()


def kind_of(key: str) -> MailKind:
    """Return what a mail is about, from its key."""
    first, _, rest = key.partition("/")
    if first == "mass-alert" and "/held/" in rest:
        return MailKind.MASS_HELD
    return KINDS.get(first, MailKind.HEADS_UP)


KINDS = {"digest": MailKind.DIGEST, "mass-alert": MailKind.MASS_ALERT, ENDPOINT: MailKind.ENDPOINT}
