"""Charges in doubt: they count for the networks' ceilings like any that was made."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import InvoiceEvidence
from domain.dunning_state import DunningStep
from domain.vocabulary import EffectState, StepState
from models.case_steps import CaseVisit, records_of
from models.cases import StoredCase
from models.dunnings import DunnedInvoice
from models.effects import find_effect
from models.payment_attempts import note_ours


async def note_doubts(
    session: AsyncSession, case: StoredCase, invoice: DunnedInvoice, evidence: InvoiceEvidence | None
) -> None:
    """Write every charge of which nobody can say whether it was made, once."""
    if evidence is None:
        return
    for record in (await records_of(session, case.id)).values():
        if record.state is not StepState.WAITING or record.kind != DunningStep.COLLECT:
            continue
        visit = CaseVisit(case.id, record.step, record.occurrence)
        effect = await find_effect(session, visit.origin)
        if effect is not None and effect.state is EffectState.UNCERTAIN:
            await note_ours(session, invoice.id, case.id, effect.key, evidence, None, record.started_at)
