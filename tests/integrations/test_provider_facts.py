"""Translators alone: both shapes of Stripe's API, money, times, directions, roles."""

import datetime as dt
import json
from typing import Any

import pytest

from domain.facts import CustomerFact, InvoiceFact, MeetingFact, SubscriptionFact, TicketFact, TouchpointFact
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline
from domain.vocabulary import ContactRole, Direction
from integrations import hubspot_facts, stripe_facts, stripe_shapes, zendesk_facts
from tests.support.imports import shared_data

INSTALLED = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
TIMELINE = Timeline((Segment(WallInstant(INSTALLED), BusinessInstant(INSTALLED), 1.0),))
KNOWN = BusinessInstant(dt.datetime(2026, 7, 1, tzinfo=dt.UTC))
SET_BACK = BusinessInstant(dt.datetime(2024, 3, 1, tzinfo=dt.UTC))


def stripe(kind: str, **changes: Any) -> Any:
    fixtures = json.loads((shared_data("stripe-fixtures") / "fixtures3.json").read_text())["resources"]
    (fact,) = stripe_facts.facts_of(kind, fixtures[kind] | changes, KNOWN, TIMELINE)
    return fact


def subscription(**changes: Any) -> SubscriptionFact:
    fact = stripe("subscription", ended_at=None, cancel_at=None, **changes)
    assert isinstance(fact, SubscriptionFact)
    return fact


def item(amount: int, quantity: int, interval: str, count: int = 1, currency: str = "usd") -> dict[str, Any]:
    price = {
        "id": "price_1",
        "product": "prod_1",
        "currency": currency,
        "unit_amount": amount,
        "recurring": {"interval": interval, "interval_count": count},
    }
    return {"object": "list", "data": [{"id": "si_1", "price": price, "quantity": quantity}]}


@pytest.mark.parametrize(
    ("items", "mrr", "months"),
    [
        (item(2_000, 3, "month"), 6_000, 1),
        (item(120_000, 1, "year"), 10_000, 12),
        (item(30_000, 2, "month", 3), 20_000, 3),
        (item(700, 1, "week"), 3_042, 1),
        (item(50_000, 1, "month", currency="jpy"), 50_000, 1),
        (item(50_000, 1, "month", currency="isk"), 500, 1),
        (item(12_345, 1, "month", currency="kwd"), 12_345, 1),
    ],
)
def test_a_subscriptions_revenue_is_per_month_in_the_currencys_minor_unit(
    items: dict[str, Any], mrr: int, months: int
) -> None:
    fact = subscription(items=items)
    assert (fact.mrr_minor, fact.billing_months) == (mrr, months)


def test_a_price_of_the_old_shape_is_read_from_its_plan() -> None:
    old = {
        "id": "si_1",
        "quantity": 2,
        "plan": {"id": "gold", "amount": 900, "currency": "eur", "interval": "month"},
    }
    fact = subscription(items={"data": [old]})
    assert (fact.mrr_minor, fact.currency, fact.plan) == (1_800, "EUR", "gold")


def test_a_running_percentage_is_taken_off() -> None:
    coupon = {"coupon": {"percent_off": 25.0}}
    assert subscription(items=item(1_000, 4, "month"), discounts=[coupon]).mrr_minor == 3_000


def test_other_terms_are_another_fact_and_the_same_terms_the_same() -> None:
    keys = {subscription(items=item(2_000, seats, "month")).key for seats in (3, 3, 4)}
    assert len(keys) == 2
    assert len({key.split("#")[0] for key in keys}) == 1


def test_what_never_began_and_what_is_not_owed_yet_says_nothing() -> None:
    for kind, status in (
        ("subscription", "incomplete"),
        ("subscription", "incomplete_expired"),
        ("invoice", "draft"),
    ):
        with pytest.raises(ValueError, match="not enough values"):
            stripe(kind, status=status)


def test_an_invoice_is_read_in_both_shapes() -> None:
    assert stripe_shapes.subscription_of({"subscription": "sub_1"}) == "sub_1"
    parent = {"subscription_details": {"subscription": "sub_2"}}
    assert stripe_shapes.subscription_of({"subscription": None, "parent": parent}) == "sub_2"
    moments = {"finalized_at": 1_780_000_000, "paid_at": 1_780_086_400}
    fact = stripe("invoice", status="paid", attempt_count=3, amount_paid=1_000, status_transitions=moments)
    assert isinstance(fact, InvoiceFact)
    assert (fact.amount_due_minor, fact.amount_paid_minor, fact.failed_attempts) == (1_000, 1_000, 2)
    assert fact.paid_at == dt.datetime.fromtimestamp(1_780_086_400, dt.UTC)


def test_a_free_mail_address_is_no_domain_of_a_company() -> None:
    body = {
        "id": "cus_1",
        "created": 1,
        "email": "Ann@GMAIL.com",
        "name": "Ann",
        "metadata": {"customer_id": 7},
    }
    customer, contact = stripe_facts.facts_of("customer", body, KNOWN, TIMELINE)
    assert isinstance(customer, CustomerFact)
    assert (customer.domain, getattr(contact, "email", None)) == (None, "ann@gmail.com")
    (hint,) = stripe_facts.hints_of("customer", body)
    assert (hint.external_ids, hint.domains, hint.emails) == (("7",), (), ("ann@gmail.com",))


def test_history_keeps_its_distances_before_business_time_began_and_after_it_was_set_back() -> None:
    year = dt.timedelta(days=365)
    assert TIMELINE.happened_at(WallInstant(INSTALLED - year)) == INSTALLED - year
    later = WallInstant(INSTALLED + dt.timedelta(days=1))
    back = Timeline((*TIMELINE.segments, Segment(later, SET_BACK, 21_600.0)))
    assert back.happened_at(WallInstant(later - year)) == SET_BACK - year
    assert back.happened_at(WallInstant(later + dt.timedelta(seconds=4))) == SET_BACK + dt.timedelta(days=1)


COMPANY = {"id": "9", "properties": {"name": "Acme"}}
TALK = {
    "id": "5",
    "createdAt": "2026-06-02T08:00:00Z",
    "companies": [COMPANY],
    "owner_email": "sam@vendor.example",
}


@pytest.mark.parametrize(
    ("kind", "properties", "directions"),
    [
        ("emails", {"hs_email_direction": "INCOMING_EMAIL"}, {Direction.IN}),
        ("emails", {"hs_email_direction": "EMAIL"}, {Direction.OUT}),
        ("emails", {"hs_email_direction": "EMAIL", "hs_email_status": "BOUNCED"}, set()),
        ("calls", {"hs_call_direction": "INBOUND", "hs_call_status": "COMPLETED"}, {Direction.IN}),
        ("calls", {"hs_call_direction": "OUTBOUND", "hs_call_status": "NO_ANSWER"}, set()),
        ("notes", {}, {Direction.OUT}),
    ],
)
def test_hubspots_talk_has_a_direction_and_what_reached_nobody_is_none(
    kind: str, properties: dict[str, str], directions: set[Direction]
) -> None:
    body = TALK | {"contacts": ["1", "2"], "properties": {"hs_timestamp": "1780300800000", **properties}}
    facts = hubspot_facts.facts_of(kind, body, KNOWN, TIMELINE)
    touches = [fact for fact in facts if isinstance(fact, TouchpointFact)]
    assert {fact.direction for fact in touches} == directions
    assert [fact.contact for fact in touches] == (["1", "2"] if directions else [])


@pytest.mark.parametrize(
    ("outcome", "held", "cancelled", "touches"),
    [("COMPLETED", True, False, 1), ("CANCELED", False, True, 0), ("NO_SHOW", False, False, 0)],
)
def test_a_hubspot_meeting_tells_how_it_went(
    outcome: str, *, held: bool, cancelled: bool, touches: int
) -> None:
    properties = {
        "hs_timestamp": "2026-06-20T10:00:00Z",
        "hs_meeting_title": "QBR with Acme",
        "hs_meeting_outcome": outcome,
    }
    meeting, *spoken = hubspot_facts.facts_of(
        "meetings", TALK | {"contacts": [], "properties": properties}, KNOWN, TIMELINE
    )
    assert isinstance(meeting, MeetingFact)
    assert (meeting.kind, meeting.held_at is not None, meeting.cancelled_at is not None) == (
        "qbr",
        held,
        cancelled,
    )
    assert len(spoken) == touches


def test_a_deal_gives_revenue_when_won_and_the_renewal_date_while_a_renewal_is_open() -> None:
    won = {
        "hs_is_closed": "true",
        "hs_is_closed_won": "true",
        "hs_arr": "1200.50",
        "deal_currency_code": "JPY",
    }
    open_renewal = {"hs_is_closed": "false", "pipeline": "Renewals", "closedate": "2026-09-30T00:00:00Z"}
    plain = {"hs_is_closed": "true", "hs_is_closed_won": "true", "amount": "9"}
    told = [
        hubspot_facts.facts_of("deals", TALK | {"properties": properties}, KNOWN, TIMELINE)
        for properties in (won, open_renewal, plain)
    ]
    (first,), (second,), nothing = told
    assert isinstance(first, CustomerFact)
    assert isinstance(second, CustomerFact)
    assert (first.arr_minor, first.currency, second.renewal_on) == (1_201, "JPY", dt.date(2026, 9, 30))
    assert nothing == []


@pytest.mark.parametrize(
    ("properties", "role"),
    [
        ({"hs_buying_role": "CHAMPION"}, ContactRole.CHAMPION),
        ({"hs_buying_role": "BUDGET_HOLDER;OTHER"}, ContactRole.BILLING),
        ({"jobtitle": "Chief Technology Officer"}, ContactRole.EXECUTIVE_SPONSOR),
        ({"jobtitle": "Office Manager"}, ContactRole.END_USER),
    ],
)
def test_a_hubspot_contacts_role_comes_from_its_buying_role_or_title(
    properties: dict[str, str], role: ContactRole
) -> None:
    (person,) = hubspot_facts.facts_of("contacts", TALK | {"properties": properties}, KNOWN, TIMELINE)
    assert getattr(person, "roles", ()) == (role,)


def ticket(**changes: Any) -> TicketFact:
    body = {
        "id": 1,
        "created_at": "2026-06-10T10:00:00Z",
        "status": "open",
        "organization_id": 4,
        "requester_id": 5,
        "priority": "high",
    }
    (fact,) = zendesk_facts.facts_of("ticket", body | changes, KNOWN, TIMELINE)
    assert isinstance(fact, TicketFact)
    return fact


def test_a_tickets_targets_come_from_the_breach_then_the_policy_then_the_priority() -> None:
    applied = {"type": "apply_sla", "time": "2026-06-10T10:00:00Z", "instance_id": 1, "sla": {"target": 90}}
    breach = {"policy_metrics": [{"metric": "first_reply_time", "breach_at": "2026-06-10T10:30:00Z"}]}
    opened = dt.datetime(2026, 6, 10, 10, tzinfo=dt.UTC)
    for changes, minutes in (
        ({"slas": breach, "metric_events": {"reply_time": [applied]}}, 30),
        ({"metric_events": {"reply_time": [applied]}}, 90),
        ({"has_policies": False}, 240),
        ({"has_policies": False, "targets": {"high": [15, 60]}}, 15),
    ):
        due = ticket(**changes).first_response_due_at
        assert due == opened + dt.timedelta(minutes=minutes)
    assert ticket(has_policies=True).first_response_due_at is None


def test_what_an_agent_opened_or_somebody_deleted_is_no_request() -> None:
    for changes in ({"requester": {"role": "agent"}}, {"status": "deleted"}):
        with pytest.raises(ValueError, match="not enough values"):
            ticket(**changes)
