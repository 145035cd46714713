"""Begin and end a call of an endpoint: what speaks against it is asked here, then it is claimed."""

import json
from dataclasses import dataclass
from datetime import timedelta
from string import Template

from sqlalchemy.ext.asyncio import AsyncSession

from domain.outgoing_webhooks import AnswerLinks
from domain.playbook_steps import CallWebhook
from domain.time import BusinessInstant, WallInstant, after
from domain.vocabulary import DecisionKind, EffectState, StepState
from models.ciphers import Cipher, UnreadableSecretsError
from models.customer_state import lock_customer
from models.effects import Effect, NewEffect, claim, find_effect, payload_hash, reclaim, settle
from models.endpoints import OpenEndpoint, give_up_endpoint, open_endpoint
from models.step_context import StepFacts, held_by_switch, load_step_facts
from models.step_records import Became, LoadedVisit

KIND = "webhook"
MOST_ATTEMPTS = 40
"""Over all times that it was put off: then the step has failed."""


@dataclass(frozen=True)
class ReadyCall:
    """A claimed call that this attempt may make."""

    effect: Effect
    endpoint: OpenEndpoint
    body: bytes
    answer_by: BusinessInstant | None


@dataclass(frozen=True)
class BusyCall:
    """Another attempt holds the lease for this much longer."""

    left: timedelta


@dataclass(frozen=True)
class CallTools:
    """What a call needs from the installation."""

    cipher: Cipher
    links: AnswerLinks


async def begin_call(
    session: AsyncSession, loaded: LoadedVisit, tools: CallTools, now: BusinessInstant, wall: WallInstant
) -> ReadyCall | BusyCall | Became:
    """Return what this attempt may do, or what has become of the visit already."""
    await lock_customer(session, loaded.customer_id)
    order = order_of(loaded)
    effect = await find_effect(session, loaded.visit.origin)
    standing = _standing(loaded, effect, wall)
    if standing is not None:
        return standing
    held = await held_by_switch(session, loaded, now)
    if held is not None:
        return held
    endpoint = await _endpoint(session, order, tools.cipher)
    if isinstance(endpoint, Became):
        if effect is not None:
            await settle(session, effect.key, EffectState.FAILED, wall, error=endpoint.reason)
        return endpoint
    facts = await load_step_facts(session, loaded, now)
    effect = await _claim(session, loaded, effect, now, wall)
    answer_by = after(facts.entered_at, order.timeout) if order.timeout is not None else None
    return ReadyCall(effect, endpoint, _body(loaded, facts, tools.links, answer_by, now), answer_by)


def order_of(loaded: LoadedVisit) -> CallWebhook:
    """Return what the step asks for."""
    order = loaded.step.call_webhook
    assert order is not None  # noqa: S101 - performers are chosen by kind
    return order


def _standing(loaded: LoadedVisit, effect: Effect | None, wall: WallInstant) -> BusyCall | Became | None:
    """Return what the ledger says of a call that was begun before, None if it is free to be made."""
    if effect is None:
        return None
    if effect.state in {EffectState.SENT, EffectState.CONFIRMED}:
        return told(loaded, effect)
    if effect.state is not EffectState.CLAIMED:
        return failed("endpoint_refused", effect.error or "The endpoint refused it.")
    if effect.lease_until is not None and effect.lease_until > wall:
        return BusyCall(effect.lease_until - wall)
    return None


async def _endpoint(session: AsyncSession, order: CallWebhook, cipher: Cipher) -> OpenEndpoint | Became:
    try:
        endpoint = await open_endpoint(session, order.endpoint, cipher)
    except UnreadableSecretsError as error:
        return failed("endpoint_secret_unreadable", str(error))
    if endpoint is None:
        sentence = f"There is no endpoint “{order.endpoint}”; add it, or name another in the playbook."
        return failed("unknown_endpoint", sentence)
    if endpoint.disabled_reason is not None:
        sentence = f"The endpoint “{order.endpoint}” is disabled: {endpoint.disabled_reason}."
        return Became(StepState.SKIPPED, "endpoint_disabled", sentence, DecisionKind.REFUSAL)
    return endpoint


async def _claim(
    session: AsyncSession,
    loaded: LoadedVisit,
    effect: Effect | None,
    now: BusinessInstant,
    wall: WallInstant,
) -> Effect:
    """Claim the call, or claim it again under its old delivery id: whoever heard it knows it by that."""
    digest = payload_hash(order_of(loaded))
    if effect is not None:
        return await reclaim(session, effect, digest, now, wall)
    endpoint = order_of(loaded).endpoint
    key = f"{loaded.visit.origin}{endpoint}"
    return await claim(session, NewEffect(key, KIND, digest, loaded.customer_id, endpoint), wall)


def _body(
    loaded: LoadedVisit,
    facts: StepFacts,
    links: AnswerLinks,
    answer_by: BusinessInstant | None,
    now: BusinessInstant,
) -> bytes:
    visit = loaded.visit
    where = {"run_id": str(visit.intervention_id), "playbook": loaded.playbook.key}
    data = {
        **where,
        "step": visit.step_id,
        "occurrence": visit.occurrence,
        "customer": {
            "id": str(facts.customer_id),
            "external_id": facts.external_id,
            "name": facts.name,
        },
        "body": {
            name: Template(text).substitute(facts.texts) for name, text in order_of(loaded).body.items()
        },
    }
    if answer_by is not None:
        link = links.link(visit.intervention_id, visit.step_id, visit.occurrence)
        data |= {"callback_url": link, "answer_by": answer_by.isoformat()}
    return json.dumps({"type": "everstay.step", "timestamp": now.isoformat(), "data": data}).encode()


def failed(reason: str, sentence: str) -> Became:
    """Return a visit that has failed for good; its run goes on."""
    return Became(StepState.FAILED, reason, sentence, DecisionKind.REFUSAL)


def told(loaded: LoadedVisit, effect: Effect) -> Became:
    """Return a visit whose call was taken: it is done, or waits for the answer."""
    order = order_of(loaded)
    detail = {"endpoint": order.endpoint, "delivery_id": effect.delivery_id}
    if order.timeout is None:
        return Became(StepState.DONE, None, f"Told the endpoint “{order.endpoint}”.", detail=detail)
    sentence = f"Told the endpoint “{order.endpoint}”, and wait for its answer."
    return Became(StepState.WAITING, "callback", sentence, detail=detail)


async def disable_gone(session: AsyncSession, key: str, wall: WallInstant) -> None:
    """Post nothing more to an endpoint that says that it is gone for good."""
    await give_up_endpoint(session, key, "it answered 410 Gone", wall)
