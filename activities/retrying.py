"""The step `retry_payment`: one attempt at the oldest open invoice, by the case of that invoice."""

from activities.billing_calls import OpenBilling, asking
from activities.deeds import Deeds
from activities.dunning_deeds import Charge, collecting
from domain.dunning_state import DunningStep
from domain.errors import NotFoundError, PermanentProviderError
from domain.ports import Clock
from domain.vocabulary import DecisionKind, StepState
from models.case_steps import CaseVisit, begin_visit, find_record
from models.cases import StoredCase, read_case, ring_case
from models.customer_state import lock_customer
from models.database import Database
from models.dunnings import DunnedInvoice, invoice_of
from models.oldest_invoices import oldest_case
from models.step_records import Became, LoadedVisit

ASKED_BY_A_RUN = "A playbook asks for one attempt at the oldest open invoice."


class PaymentPerformer:
    """Collects the oldest open invoice once per visit, under the same ceilings as every attempt."""

    def __init__(self, database: Database, clock: Clock, open_billing: OpenBilling) -> None:
        """Take the system of record, both times, and how the account of a source is opened."""
        self._database, self._clock, self._open = database, clock, open_billing
        self._deeds = Deeds(database, clock)

    async def perform(self, loaded: LoadedVisit) -> Became:
        """Charge it, or say why not."""
        visit = await self._visit(loaded)
        if visit is None:
            return _left_out("nothing_unpaid", "no open invoice of theirs can be collected")
        async with self._database.transaction() as session:
            case = await read_case(session, visit.case_id)
            invoice = await invoice_of(session, visit.case_id)
        try:
            await self._collect(visit, case, invoice)
        except (NotFoundError, PermanentProviderError):
            return _left_out("no_billing_connected", "the billing provider cannot be reached for good")
        async with self._database.transaction() as session:
            record = await find_record(session, visit)
            await ring_case(session, visit.case_id, self._clock.wall_now())
        assert record is not None  # noqa: S101 - it was begun above
        return Became(record.state, record.reason, due_at=record.due_at)

    async def _collect(self, visit: CaseVisit, case: StoredCase, invoice: DunnedInvoice) -> None:
        async with self._open(invoice.source_id) as provider:
            async with asking():
                evidence = await provider.invoice(invoice.key)
            charge = Charge(visit, case, invoice, evidence, provider, self._clock)
            await self._deeds.do(collecting(charge))

    async def _visit(self, loaded: LoadedVisit) -> CaseVisit | None:
        """Return the same visit of the same case however often this is asked; None where nothing is owed."""
        run, now = loaded.visit, self._clock.now()
        step = f"asked-{run.intervention_id}-{run.step_id}"
        async with self._database.transaction() as session:
            await lock_customer(session, loaded.customer_id)
            case_id = await oldest_case(
                session, loaded.customer_id, step, ASKED_BY_A_RUN, now, self._clock.wall_now()
            )
            if case_id is None:
                return None
            visit = CaseVisit(case_id, step, run.occurrence)
            await begin_visit(session, visit, DunningStep.COLLECT, now)
            return visit


def _left_out(reason: str, words: str) -> Became:
    return Became(StepState.SKIPPED, reason, f"Left out: {words}.", DecisionKind.REFUSAL)
