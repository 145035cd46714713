"""What a step that is done elsewhere may know of its run and its customer."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.conditions import Value
from domain.contact_slots import DAY
from domain.guard import STOPPED_RETRY, Defer
from domain.known import known_of
from domain.time import BusinessInstant, after
from domain.vocabulary import DecisionKind, StepState, TouchTier
from models.condition_facts import load_values
from models.installation import load_installation
from models.playbooks import PlaybookShelf
from models.runs import load_run
from models.step_records import Became, LoadedVisit
from models.tables.customers import CustomerRow
from models.tables.playbooks import PlaybookRow

HELD = {
    "effects_stopped": "a person has stopped every outward effect",
    "observing": "the playbook has not been released",
}


@dataclass(frozen=True)
class StepFacts:
    """One visit's run and customer, as of now."""

    customer_id: uuid.UUID
    external_id: str
    name: str
    time_zone: str
    touch_tier: TouchTier
    do_not_contact: bool
    holdout: bool
    texts: dict[str, str]
    """What `$names` of texts are filled with."""
    facts: Mapping[str, Value]
    """The fields of conditions, by name."""
    entered_at: BusinessInstant


async def load_step_facts(session: AsyncSession, loaded: LoadedVisit, now: BusinessInstant) -> StepFacts:
    """Return what bears on a visit. The caller holds the customer's row lock."""
    run = await load_run(session, loaded.visit.intervention_id, PlaybookShelf(), now)
    query = select(CustomerRow).where(CustomerRow.id == loaded.customer_id)
    customer = (await session.execute(query)).scalar_one()
    return StepFacts(
        customer.id,
        customer.external_id,
        customer.name,
        customer.time_zone,
        run.view.touch_tier,
        customer.do_not_contact,
        customer.holdout,
        run.texts,
        {**await load_values(session, loaded.customer_id, now), **known_of(run.view.facts).values},
        run.view.position.entered_at or now,
    )


async def held_by_switch(session: AsyncSession, loaded: LoadedVisit, now: BusinessInstant) -> Became | None:
    """Put a step off while a person has stopped every effect, or has not released its playbook."""
    if (await load_installation(session)).effects_stopped_at is not None:
        return put_off(loaded, Defer(after(now, STOPPED_RETRY), "effects_stopped"), HELD["effects_stopped"])
    query = select(PlaybookRow.released_at).where(PlaybookRow.key == loaded.playbook.key)
    if await session.scalar(query) is None:
        return put_off(loaded, Defer(after(now, DAY), "observing"), HELD["observing"])
    return None


def put_off(loaded: LoadedVisit, verdict: Defer, words: str) -> Became:
    """Return a visit that is to be tried again at a named instant."""
    sentence = f"Put off “{loaded.step.id}” until {verdict.until:%d %B %Y %H:%M} UTC: {words}."
    return Became(StepState.DEFERRED, verdict.reason, sentence, DecisionKind.DEFERRAL, verdict.until)
