"""Prompts of runs: offered once per visit and person, under the customer's row lock."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from string import Template

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact_slots import WEEK
from domain.guard import Defer, Refuse
from domain.playbook_contacts import InAppPrompt
from domain.prompts import Onlooker, ProposedPrompt, may_prompt
from domain.time import BusinessInstant, WallInstant, after
from domain.vocabulary import DecisionKind, PromptState, StepState
from models.addressees import Addressee, everybody_meant
from models.arrays import among_ids
from models.contact_policy import load_contact_policy
from models.customer_state import lock_customer
from models.effects import NewEffect, payload_hash, record_done
from models.step_context import StepFacts, held_by_switch, load_step_facts, put_off
from models.step_records import Became, LoadedVisit
from models.tables.customers import ContactRow, CustomerRow
from models.tables.runs import PromptRow

KIND, IN_APP = "prompt", "in_app"
"""What the effect ledger calls them: the provider is our own door to the customer's product."""
SENTENCES = {
    "do_not_contact": "the customer asked not to be contacted",
    "holdout": "the customer is in the holdout group",
    "no_consent": "nobody whom the step means has agreed to such messages",
    "no_recipient": "nobody whom the step means is there",
    "budget": "each of these people has had as many prompts as the contact policy allows",
}
"""Why a prompt was not offered, in words."""


@dataclass(frozen=True)
class _Seen:
    """Everything that one offer looks at."""

    order: InAppPrompt
    facts: StepFacts
    people: Sequence[Addressee]


async def offer_prompts(
    session: AsyncSession, loaded: LoadedVisit, now: BusinessInstant, wall: WallInstant
) -> Became:
    """Offer the prompt of a visit, or say why not. A repeated attempt finds what the first one offered."""
    await lock_customer(session, loaded.customer_id)
    offered = await _offered(session, loaded)
    if offered:
        return _done(len(offered))
    held = await held_by_switch(session, loaded, now)
    if held is not None:
        return held
    seen = await _look(session, loaded, now)
    verdict = may_prompt(await _proposed(session, loaded, seen, now), now)
    if isinstance(verdict, Defer):
        return put_off(loaded, verdict, SENTENCES[verdict.reason])
    if isinstance(verdict, Refuse):
        sentence = f"No prompt offered: {SENTENCES[verdict.reason]}."
        return Became(StepState.SKIPPED, verdict.reason, sentence, DecisionKind.REFUSAL)
    chosen = [one for one in seen.people if one[1].key in verdict.keys]
    await _write(session, loaded, seen, chosen, now, wall)
    return _done(len(chosen))


async def _offered(session: AsyncSession, loaded: LoadedVisit) -> Sequence[uuid.UUID]:
    mine = PromptRow.effect_key.startswith(loaded.visit.origin, autoescape=True)
    return (await session.scalars(select(PromptRow.id).where(mine))).all()


def _done(people: int) -> Became:
    whom = "one person" if people == 1 else f"{people} people"
    return Became(
        StepState.DONE, None, f"Offered a prompt in the product to {whom}.", detail={"people": people}
    )


async def _look(session: AsyncSession, loaded: LoadedVisit, now: BusinessInstant) -> _Seen:
    order = loaded.step.in_app_prompt
    assert order is not None  # noqa: S101 - performers are chosen by kind
    facts = await load_step_facts(session, loaded, now)
    query = select(CustomerRow).where(CustomerRow.id == loaded.customer_id)
    customer = (await session.execute(query)).scalar_one()
    people = await everybody_meant(session, customer, order, frozenset(), now)
    return _Seen(order, facts, people)


async def _proposed(
    session: AsyncSession, loaded: LoadedVisit, seen: _Seen, now: BusinessInstant
) -> ProposedPrompt:
    offered = await _offered_lately(session, [person.contact_id for person, _ in seen.people], now)
    onlookers = tuple(
        Onlooker(recipient, tuple(offered.get(person.contact_id, ()))) for person, recipient in seen.people
    )
    policy = await load_contact_policy(session)
    return ProposedPrompt(
        onlookers,
        seen.order.at_most,
        seen.facts.do_not_contact,
        seen.facts.holdout and loaded.playbook.holdout,
        seen.facts.touch_tier,
        seen.facts.entered_at,
        policy.budget,
    )


async def _offered_lately(
    session: AsyncSession, contacts: Sequence[uuid.UUID], now: BusinessInstant
) -> dict[uuid.UUID, Sequence[BusinessInstant]]:
    """Return when each was offered any in a week; they are locked, since they may work at two customers."""
    people = select(ContactRow.id).where(among_ids(ContactRow.id, contacts)).order_by(ContactRow.id)
    await session.execute(people.with_for_update(key_share=True))
    query = (
        select(PromptRow.contact_id, func.array_agg(PromptRow.offered_at))
        .where(among_ids(PromptRow.contact_id, contacts), PromptRow.offered_at > now - WEEK)
        .group_by(PromptRow.contact_id)
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all()}


async def _write(
    session: AsyncSession,
    loaded: LoadedVisit,
    seen: _Seen,
    chosen: Sequence[Addressee],
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    order, digest = seen.order, payload_hash(seen.order)
    for person, _recipient in chosen:
        texts, key = seen.facts.texts | {"contact": person.name}, f"{loaded.visit.origin}{person.contact_id}"
        statement = upsert(PromptRow).values(
            id=uuid.uuid4(),
            customer_id=loaded.customer_id,
            contact_id=person.contact_id,
            intervention_id=loaded.visit.intervention_id,
            effect_key=key,
            title=Template(order.title).substitute(texts),
            body=Template(order.body).substitute(texts),
            link=order.link,
            state=PromptState.OFFERED,
            offered_at=now,
            expires_at=after(now, order.expires),
        )
        anew = statement.on_conflict_do_nothing(index_elements=["effect_key"]).returning(PromptRow.id)
        if await session.scalar(anew) is not None:
            effect = NewEffect(key, KIND, digest, loaded.customer_id, IN_APP)
            await record_done(session, effect, wall)
