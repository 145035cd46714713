"""Begin and end a write at the CRM: which company it is, what speaks against it, and its claims."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from string import Template

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.crm import CRMS, SETTLE, WRITES, not_allowed
from domain.playbook_steps import WriteCrm
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import DecisionKind, EffectState, StepState
from models.ciphers import Cipher, UnreadableSecretsError
from models.connections import Connection, connections_of
from models.customer_state import lock_customer
from models.effects import (
    Effect,
    NewEffect,
    claim,
    find_effect,
    payload_hash,
    reclaim,
    settle,
    settled_at,
)
from models.step_context import held_by_switch, load_step_facts
from models.step_records import Became, LoadedVisit
from models.tables.customers import CustomerRow
from models.tables.tracking import IdentityRow

KIND = "crm"
PROPERTIES, NOTE = "properties", "note"
"""The parts of a write, each an effect of its own, since each may happen without the other."""


@dataclass(frozen=True)
class ReadyWrite:
    """One part that this attempt may do; at a later attempt a note is looked for before it is left."""

    part: str
    effect: Effect
    company: str
    connection: Connection
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)
    note: str = field(default="", repr=False)


@dataclass(frozen=True)
class CrmTools:
    """What opens a connection's secrets, and how long after a note was left a look-up is trusted."""

    cipher: Cipher
    settle: timedelta = SETTLE


@dataclass(frozen=True)
class BusyWrite:
    """Another attempt holds the lease for this much longer."""

    left: timedelta


class NoCrm:
    """No connection to a CRM knows this customer."""


Begun = ReadyWrite | BusyWrite | NoCrm | Became


async def begin_write(
    session: AsyncSession, loaded: LoadedVisit, tools: CrmTools, now: BusinessInstant, wall: WallInstant
) -> Begun:
    """Return the part that comes next, or what has become of the visit."""
    await lock_customer(session, loaded.customer_id)
    order = order_of(loaded)
    effects = {part: await find_effect(session, f"{loaded.visit.origin}{part}") for part in parts_of(order)}
    standing = _standing(effects, tools.settle, wall)
    if standing is not None:
        return standing
    held = await held_by_switch(session, loaded, now)
    if held is not None:
        return held
    try:
        found = await _company(session, loaded, tools.cipher)
    except UnreadableSecretsError as error:
        return await _fail(session, effects, failed("crm_secret_unreadable", str(error)), wall)
    if found is None:
        return NoCrm()
    connection, company = found
    refused = not_allowed(connection.options, order.properties)
    if refused:
        return await _fail(session, effects, _forbidden(connection, refused), wall)
    part = next(name for name, effect in effects.items() if not _is_done(effect))
    effect = await _claim(session, loaded, part, effects[part], connection.provider, now, wall)
    texts = (await load_step_facts(session, loaded, now)).texts
    filled = {name: Template(text).substitute(texts) for name, text in order.properties.items()}
    note = Template(order.note or "").substitute(texts)
    return ReadyWrite(part, effect, company, connection, filled, note)


async def _claim(
    session: AsyncSession,
    loaded: LoadedVisit,
    part: str,
    before: Effect | None,
    provider: str,
    now: BusinessInstant,
    wall: WallInstant,
) -> Effect:
    """Claim a part, or claim it again under its old delivery id, which its note carries."""
    digest = payload_hash(order_of(loaded))
    if before is not None:
        return await reclaim(session, before, digest, now, wall)
    new = NewEffect(f"{loaded.visit.origin}{part}", KIND, digest, loaded.customer_id, provider)
    return await claim(session, new, wall)


def order_of(loaded: LoadedVisit) -> WriteCrm:
    """Return what the step asks for."""
    order = loaded.step.write_crm
    assert order is not None  # noqa: S101 - performers are chosen by kind
    return order


def parts_of(order: WriteCrm) -> tuple[str, ...]:
    """Return the parts that a step has, in order."""
    return (*([PROPERTIES] if order.properties else []), *([NOTE] if order.note is not None else []))


def _is_done(effect: Effect | None) -> bool:
    return effect is not None and effect.state is not EffectState.CLAIMED


def _standing(
    effects: Mapping[str, Effect | None], patience: timedelta, wall: WallInstant
) -> BusyWrite | Became | None:
    """Return what the ledger says of it, None while a part is free to be done.

    A note whose writer was lost is left alone until a look-up can be trusted to know of it.
    """
    known = [effect for effect in effects.values() if effect is not None]
    for effect in known:
        if effect.state in {EffectState.FAILED, EffectState.UNCERTAIN}:
            return failed("crm_refused", effect.error or "The CRM refused it.")
    if all(_is_done(effect) for effect in effects.values()):
        detail = {"deliveries": [effect.delivery_id for effect in known]}
        return Became(StepState.DONE, None, f"Wrote at the CRM: {' and '.join(effects)}.", detail=detail)
    for part, one in effects.items():
        if one is None or _is_done(one) or one.lease_until is None:
            continue
        until = settled_at(one, patience) if part == NOTE else one.lease_until
        left = until - wall
        if left > timedelta():
            return BusyWrite(left)
    return None


async def _company(
    session: AsyncSession, loaded: LoadedVisit, cipher: Cipher
) -> tuple[Connection, str] | None:
    """Return the first connected CRM that knows the customer, and its id there."""
    for provider in CRMS:
        for connection in await connections_of(session, provider, cipher):
            company = await _id_at(session, loaded, connection.source_id)
            if company is not None and connection.paused_at is None:
                return connection, company
    return None


async def _id_at(session: AsyncSession, loaded: LoadedVisit, source_id: str) -> str | None:
    """Return the id under which a source knows the customer: as its own row, or as one that was matched."""
    row, identity = CustomerRow, IdentityRow
    own = select(row.external_id).where(row.id == loaded.customer_id, row.source_id == source_id)
    matched = (
        select(identity.key)
        .where(
            identity.source_id == source_id,
            identity.kind == "group",
            identity.customer_id == loaded.customer_id,
            identity.until.is_(None),
        )
        .order_by(identity.since, identity.id)
        .limit(1)
    )
    return await session.scalar(own) or await session.scalar(matched)


def _forbidden(connection: Connection, refused: list[str]) -> Became:
    sentence = (
        f"The connection “{connection.source_id}” does not allow {', '.join(refused)} to be set; "
        f"name them in its option {WRITES}, or leave them out of the playbook."
    )
    return failed("crm_property_not_allowed", sentence)


async def _fail(
    session: AsyncSession, effects: Mapping[str, Effect | None], became: Became, wall: WallInstant
) -> Became:
    """Fail what was claimed and not done, together with the step."""
    for effect in effects.values():
        if effect is not None and effect.state is EffectState.CLAIMED:
            await settle(session, effect.key, EffectState.FAILED, wall, error=became.reason)
    return became


def failed(reason: str, sentence: str) -> Became:
    """Return a visit that has failed for good; its run goes on."""
    return Became(StepState.FAILED, reason, sentence, DecisionKind.REFUSAL)
