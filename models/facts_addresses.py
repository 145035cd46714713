"""Whose an e-mail address or a domain is: how facts of calendars, mailboxes and chats find their customer."""

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.addresses import domain_in, is_address, mail_in
from models.arrays import among
from models.tables.customers import ContactRoleRow, ContactRow, CustomerRow


async def customers_at(session: AsyncSession, names: Sequence[str]) -> dict[str, uuid.UUID]:
    """Return the customers of those names that are addresses and belong to somebody.

    An e-mail address is its person's, at the customer that they joined last; else, like a domain, the only
    customer's with that domain. A domain that two customers share is nobody's.
    """
    addresses = [name for name in names if is_address(name)]
    if not addresses:
        return {}
    people = {mail: customer for mail, (_, customer) in (await _people(session, addresses)).items()}
    domains = await _domains(session, addresses)
    found = {
        name: people.get(mail_in(name) or "") or domains.get(domain_in(name) or "") for name in addresses
    }
    return {name: customer for name, customer in found.items() if customer is not None}


async def contacts_at(session: AsyncSession, names: Sequence[str]) -> dict[str, uuid.UUID]:
    """Return the people of those names that are e-mail addresses of somebody."""
    people = await _people(session, names)
    mails = {name: mail_in(name) for name in names}
    return {name: people[mail][0] for name, mail in mails.items() if mail is not None and mail in people}


async def _people(session: AsyncSession, names: Sequence[str]) -> Mapping[str, tuple[uuid.UUID, uuid.UUID]]:
    """Return person and customer by e-mail address."""
    mails = [mail for name in names if (mail := mail_in(name))]
    if not mails:
        return {}
    query = (
        select(func.lower(ContactRow.email), ContactRow.id, ContactRoleRow.customer_id)
        .join(ContactRoleRow, ContactRoleRow.contact_id == ContactRow.id)
        .where(among(func.lower(ContactRow.email), mails), ContactRoleRow.until.is_(None))
        .order_by(ContactRoleRow.since, ContactRoleRow.customer_id.desc())
    )
    return {mail: (contact, customer) for mail, contact, customer in await session.execute(query)}


async def _domains(session: AsyncSession, names: Sequence[str]) -> Mapping[str, uuid.UUID]:
    domains = list({domain for name in names if (domain := domain_in(name))})
    query = select(func.lower(CustomerRow.domain), CustomerRow.id)
    rows = (await session.execute(query.where(among(func.lower(CustomerRow.domain), domains)))).all()
    owners: dict[str, list[uuid.UUID]] = {}
    for domain, customer in rows:
        owners.setdefault(domain, []).append(customer)
    return {domain: customers[0] for domain, customers in owners.items() if len(customers) == 1}
