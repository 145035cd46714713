"""The facts that say who the sample customers are."""

import datetime as dt

from domain.facts import ContactFact, CustomerFact, Fact, SubscriptionFact
from domain.time import BusinessInstant, start_of_day
from ml.simulation.people import SampleContact
from ml.simulation.portfolio import SampleCustomer


def introduction(customer: SampleCustomer, known_at: BusinessInstant) -> list[Fact]:
    """Return the customer, its subscription and its people."""
    people: list[Fact] = [contact_fact(customer, contact, known_at) for contact in customer.contacts]
    return [
        customer_fact(customer, customer.renewal_on, known_at),
        _subscription(customer, known_at),
        *people,
    ]


def customer_fact(customer: SampleCustomer, renewal_on: dt.date, known_at: BusinessInstant) -> CustomerFact:
    """Return the customer with its next renewal."""
    started = start_of_day(customer.started_on)
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
        started_at=started,
        onboarded_at=BusinessInstant(started + dt.timedelta(days=21)),
        first_value_at=BusinessInstant(started + dt.timedelta(days=9)),
        renewal_on=renewal_on,
        arr_minor=customer.arr_minor,
        currency="USD",
        csm_email=customer.csm_email,
        sales_owner_email=customer.sales_owner_email,
    )


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


def _subscription(customer: SampleCustomer, known_at: BusinessInstant) -> SubscriptionFact:
    return SubscriptionFact(
        key=f"{customer.key}/subscription",
        known_at=known_at,
        customer=customer.key,
        product="Atlas",
        plan=customer.plan,
        mrr_minor=customer.arr_minor // 12,
        seats=round(customer.people * 1.25),
        auto_renew=True,
        billing_months=1 if customer.is_billed_monthly else 12,
        started_at=start_of_day(customer.started_on),
    )
