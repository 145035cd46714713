"""Whom an upload's rows speak of: customers and people that other sources told of stay one."""

from activities.import_rows import RowBatch
from domain.time import BusinessInstant
from models.customer_matching import link_facts
from models.database import Session
from models.intake_people import link_known_people


async def link_upload(session: Session, source_id: str, batch: RowBatch, now: BusinessInstant) -> None:
    """Link what the batch's facts name, and take out people whom we know at the same customer."""
    batch.facts = await link_facts(session, source_id, batch.facts, now)
    batch.leave_out_people(await link_known_people(session, source_id, batch.facts, now))
