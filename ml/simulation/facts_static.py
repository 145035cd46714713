"""The facts that say who the sample customers are."""

import datetime as dt
from collections.abc import Iterator

from domain.facts import ContactFact, CustomerFact, Fact
from domain.time import BusinessInstant, start_of_day
from ml.simulation.people import SampleContact
from ml.simulation.portfolio import SampleCustomer


def introduction(customer: SampleCustomer, known_at: BusinessInstant) -> list[Fact]:
    """Return the customer and its people."""
    people: list[Fact] = [contact_fact(customer, contact, known_at) for contact in customer.contacts]
    return [customer_fact(customer, known_at.date(), customer.timing.value_on, known_at), *people]


def customer_fact(
    customer: SampleCustomer, today: dt.date, value_on: dt.date | None, known_at: BusinessInstant
) -> CustomerFact:
    """Return the customer as it stands on a day. What it pays is told by its terms alone."""
    onboarded = customer.timing.onboarded_on
    return CustomerFact(
        key=customer.key,
        known_at=known_at,
        name=customer.name,
        domain=customer.domain,
        industry=customer.industry,
        country=customer.country,
        time_zone=customer.time_zone,
        employees=customer.employees,
        plan=customer.plan,
        status="active",
        started_at=start_of_day(customer.started_on),
        onboarded_at=start_of_day(onboarded) if onboarded <= today else None,
        first_value_at=start_of_day(value_on) if value_on is not None and value_on <= today else None,
        renewal_on=customer.next_renewal(today),
        currency="USD",
        csm_email=customer.csm_email,
        sales_owner_email=customer.sales_owner_email,
    )


def news(
    customer: SampleCustomer, day: dt.date, value_on: dt.date | None, known_at: BusinessInstant
) -> Iterator[CustomerFact]:
    """Yield the customer again when its onboarding ended, it first had value, or it renewed on a day."""
    if day in {customer.timing.onboarded_on, value_on} or customer.renews_on(day):
        yield customer_fact(customer, day, value_on, known_at)


def contact_fact(
    customer: SampleCustomer,
    contact: SampleContact,
    known_at: BusinessInstant,
    left_at: BusinessInstant | None = None,
) -> ContactFact:
    """Return a person, or that they have left."""
    return ContactFact(
        key=contact.key,
        known_at=known_at,
        customer=customer.key,
        name=contact.name,
        email=contact.email,
        roles=contact.roles,
        department=contact.department,
        locale="en",
        time_zone=customer.time_zone,
        since=start_of_day(contact.since),
        left_at=left_at,
        consents=contact.consents,
    )
