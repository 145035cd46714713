"""Cases of unpaid invoices in the database: open one, load what its rules ask, write what a look has said."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import Collection, InvoiceEvidence, PaymentMethod, Retries, retries_of
from domain.case_vocabulary import AttemptResult, CaseKind, CaseOutcome, PaidBy
from domain.dunning import first_memory
from domain.dunning_policy import DunningPolicy, stored_dunning_policy
from domain.dunning_schedule import Place
from domain.dunning_state import (
    DEEDS,
    Attempt,
    DunningEnding,
    DunningMemory,
    DunningStage,
    DunningState,
    DunningStep,
    Rest,
    Unfinished,
)
from domain.errors import NotFoundError
from domain.time import BusinessInstant, WallInstant
from domain.unpaid import has_term
from domain.vocabulary import StepState
from models.case_steps import CaseRecord, records_of
from models.cases import NewCase, StoredCase, open_case
from models.days_off import country_code, public_holidays
from models.dunning_policies import load_dunning_policy
from models.installation import load_installation
from models.pauses import pauses_of, rests
from models.payment_attempts import attempts_of, note_seen
from models.payment_ceilings import card_use
from models.tables.cases import DunningRow
from models.tables.connections import ConnectionRow
from models.tables.customers import CustomerRow
from models.tables.facts import InvoiceRow

RESTED = "A person has ordered a rest."


@dataclass(frozen=True)
class DunnedInvoice:
    """The invoice of a case, and where it is collected."""

    id: uuid.UUID
    key: str
    """Its id at the provider."""
    source_id: str
    number: str
    due_at: BusinessInstant
    retries: Retries


async def open_dunning(
    session: AsyncSession, invoice_id: uuid.UUID, sentence: str, now: BusinessInstant, wall: WallInstant
) -> uuid.UUID | None:
    """Open the case of an invoice, None where it has one already. The caller holds the customer's lock."""
    invoice = (await session.scalars(select(InvoiceRow).where(InvoiceRow.id == invoice_id))).one()
    policy = await load_dunning_policy(session)
    by_charge = invoice.failed_attempts > 0 or not has_term(invoice.issued_at, invoice.due_at)
    remaining = max(invoice.amount_due_minor - invoice.amount_paid_minor, 0)
    anchor = now if by_charge else max(invoice.due_at, now)
    memory = first_memory(remaining, anchor)
    new = NewCase(
        CaseKind.DUNNING,
        invoice.customer_id,
        str(invoice_id),
        f"dunning/{invoice_id}",
        policy.model_dump(mode="json", by_alias=True),
        DunningStage.RETRYING if by_charge else DunningStage.REMINDING,
        sentence,
        memory.model_dump(mode="json"),
        {"invoice_id": str(invoice_id), "remaining_minor": remaining, "currency": invoice.currency},
    )
    case_id = await open_case(session, new, now, wall)
    if case_id is not None:
        await session.execute(
            insert(DunningRow).values(
                case_id=case_id,
                invoice_id=invoice_id,
                source_id=invoice.source_id,
                collection=Collection.CHARGE if by_charge else Collection.TRANSFER,
                currency=invoice.currency,
                opened_minor=remaining,
                remaining_minor=remaining,
                anchored_at=anchor,
                final_action=policy.final_action,
            )
        )
    return case_id


async def invoice_of(session: AsyncSession, case_id: uuid.UUID) -> DunnedInvoice:
    """Return the invoice of a case; raises NotFoundError."""
    invoice, row = InvoiceRow, DunningRow
    query = (
        select(
            invoice.id,
            invoice.external_id,
            row.source_id,
            invoice.number,
            invoice.due_at,
            ConnectionRow.options,
        )
        .join(row, row.invoice_id == invoice.id)
        .outerjoin(ConnectionRow, ConnectionRow.source_id == row.source_id)
        .where(row.case_id == case_id)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFoundError(what="dunning case", key=case_id)
    invoice_id, key, source_id, number, due_at, options = found
    return DunnedInvoice(invoice_id, key, source_id, number or key, due_at, retries_of(options or {}))


def memory_of(case: StoredCase) -> DunningMemory:
    """Return what a case of this kind remembers."""
    return DunningMemory.model_validate(case.memory)


def policy_of(case: StoredCase) -> DunningPolicy:
    """Return the policy that the case was opened with."""
    return stored_dunning_policy(case.policy)


async def load_dunning(
    session: AsyncSession,
    case: StoredCase,
    invoice: DunnedInvoice,
    evidence: InvoiceEvidence | None,
    now: BusinessInstant,
) -> DunningState:
    """Return everything that the rules ask of a case. What the provider counts and we do not is written."""
    attempts = await attempts_of(session, invoice.id)
    if evidence is not None and await note_seen(session, invoice.id, case.id, evidence, attempts, now):
        attempts = await attempts_of(session, invoice.id)
    memory, policy = memory_of(case), policy_of(case)
    customer = (
        await session.execute(select(CustomerRow).where(CustomerRow.id == case.customer_id))
    ).scalar_one()
    installation = await load_installation(session)
    pauses = await pauses_of(session, customer.id, customer.segment, now)
    is_resting, until = rests(pauses, case.kind.value, case.id)
    records = await records_of(session, case.id)
    method = evidence.method if evidence is not None else None
    return DunningState(
        str(case.id),
        memory,
        invoice.retries,
        place_of(customer, policy, now),
        _with_told(attempts, evidence, method, now),
        await card_use(session, method, policy.retries.ceilings, now),
        customer.do_not_contact,
        Rest(RESTED, until) if is_resting else None,
        installation.effects_stopped_at is not None or installation.released_at is None,
        _unfinished(records, now),
        _final_failed(memory, records, now),
    )


def _with_told(
    attempts: tuple[Attempt, ...],
    evidence: InvoiceEvidence | None,
    method: PaymentMethod | None,
    now: BusinessInstant,
) -> tuple[Attempt, ...]:
    """Add the refusal that the provider tells of without counting an attempt."""
    told = evidence.decline if evidence is not None else None
    if told is None or any(one.decline is not None for one in attempts) or method is None:
        return attempts
    seen = Attempt(told.at or now, PaidBy.PROVIDER, AttemptResult.DECLINED, method.key, method.brand, told)
    return (*attempts, seen)


def place_of(customer: CustomerRow, policy: DunningPolicy, now: BusinessInstant) -> Place:
    """Return where the customer is, with the bank holidays there where they are known."""
    code = country_code(customer.country) if policy.retries.public_holidays else None
    if code is None:
        return Place(customer.time_zone)
    years = (public_holidays(code, now.year + more) for more in (-1, 0, 1))
    return Place(customer.time_zone, frozenset[dt.date]().union(*years))


Records = Mapping[tuple[str, int], CaseRecord]


def _unfinished(records: Records, now: BusinessInstant) -> Unfinished | None:
    """Return the step that is not over; what is in doubt is waited for only so long."""
    ours = {step.value for step in DunningStep}
    for one in records.values():
        in_doubt = one.state is StepState.WAITING
        if one.stands_open(now) and (in_doubt or one.step in ours):
            step = DunningStep(one.step) if one.step in ours else DunningStep.COLLECT
            return Unfinished(step, one.occurrence, one.due_at, in_doubt)
    return None


def _final_failed(memory: DunningMemory, records: Records, now: BusinessInstant) -> bool:
    """Tell whether the last deed was ordered and certainly, or for all we know, not done."""
    if memory.final is None or memory.final not in DEEDS:
        return False
    record = records.get((memory.final.value, 1))
    if record is None or record.stands_open(now):
        return False
    return record.state is not StepState.DONE


async def write_dunning(
    session: AsyncSession,
    case_id: uuid.UUID,
    memory: DunningMemory,
    evidence: InvoiceEvidence | None,
    ending: DunningEnding | None,
) -> None:
    """Keep what lists and sums ask of the case: what is still owed, what came in, why it was refused."""
    values: dict[str, object] = {
        "remaining_minor": memory.remaining_minor,
        "recovered_minor": memory.recovered_minor,
        "anchored_at": memory.anchored_at,
    }
    if evidence is not None:
        values["collection"] = evidence.collection
    if evidence is not None and evidence.decline is not None:
        values |= {"decline_code": evidence.decline.code, "decline_advice": evidence.decline.advice}
    if ending is not None:
        values |= said_at_the_end(ending)
    await session.execute(update(DunningRow).where(DunningRow.case_id == case_id).values(values))


def said_at_the_end(ending: DunningEnding) -> dict[str, object]:
    """Return what an ending changes: what was paid in time was not recovered."""
    if ending.outcome is CaseOutcome.RECOVERED:
        return {"recovered_by": ending.paid_by}
    return {"recovered_minor": 0} if ending.paid_by is not None else {}
