import datetime as dt

import pytest

from domain.facts import ContactFact, CustomerFact, MeetingFact, TouchpointFact
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline
from domain.vocabulary import Channel
from integrations.salesforce_facts import facts_of

BEGAN = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
TIMELINE = Timeline((Segment(WallInstant(BEGAN), BusinessInstant(BEGAN), 1.0),))
KNOWN = BusinessInstant(dt.datetime(2026, 11, 20, tzinfo=dt.UTC))


def told(kind: str, **fields: str) -> list[object]:
    return list(facts_of(kind, {"Id": "1", **fields}, KNOWN, TIMELINE))


def test_a_completed_call_is_a_contact_in_its_direction() -> None:
    call = {"AccountId": "0011", "TaskSubtype": "Call", "Status": "Completed", "WhoId": "003A"}
    (out,) = told("Task", **call)
    (came,) = told("Task", **call, CallType="Inbound")
    assert isinstance(out, TouchpointFact)
    assert isinstance(came, TouchpointFact)
    assert (out.direction.value, came.direction.value, out.contact) == ("out", "in", "003A")


@pytest.mark.parametrize(
    "fields", [{"Status": "Open"}, {"TaskSubtype": "Task"}], ids=["still to do", "no contact"]
)
def test_other_tasks_are_no_contact(fields: dict[str, str]) -> None:
    assert told("Task", **{"AccountId": "0011", "TaskSubtype": "Call", "Status": "Completed", **fields}) == []


def test_a_note_on_an_account_or_a_contact_is_told_and_others_are_not() -> None:
    (on_account,) = told("Note", ParentId="0011", Title="Budget", CreatedDate="2026-11-01T10:00:00Z")
    (on_contact,) = told("Note", ParentId="003A", AccountId="0011")
    assert isinstance(on_account, TouchpointFact)
    assert isinstance(on_contact, TouchpointFact)
    assert (on_account.customer, on_account.channel, on_account.subject) == ("0011", Channel.NOTE, "Budget")
    assert (on_contact.customer, on_contact.contact) == ("0011", "003A")
    assert told("Note", ParentId="006D") == []


def test_a_mail_is_told_by_the_address_of_the_other_side() -> None:
    mail = {
        "FromAddress": "jonas@example.com",
        "ToAddress": "x; Ann@Acme.example",
        "MessageDate": "2026-11-01T10:00:00Z",
    }
    (out,) = told("EmailMessage", **mail, Incoming="false")
    assert isinstance(out, TouchpointFact)
    assert (out.customer, out.user_email) == ("mailto:ann@acme.example", "jonas@example.com")
    assert out.occurred_at == dt.datetime(2026, 11, 1, 10, tzinfo=dt.UTC)


def test_a_meeting_that_is_over_was_held_and_is_a_contact() -> None:
    fields = {"AccountId": "0011", "Subject": "Quarterly Business Review"}
    meeting, spoken = told("Event", **fields, StartDateTime="2026-11-01T10:00:00.000+0000")
    assert isinstance(meeting, MeetingFact)
    assert isinstance(spoken, TouchpointFact)
    assert (meeting.kind, meeting.held_at) == ("qbr", meeting.scheduled_at)
    (planned,) = told("Event", **fields, StartDateTime="2026-12-01T10:00:00Z")
    assert isinstance(planned, MeetingFact)
    assert planned.held_at is None


def test_accounts_and_contacts() -> None:
    (account,) = told("Account", Name="Acme", Website="https://www.acme.example/x", NumberOfEmployees="120.0")
    (contact,) = told("Contact", FirstName="Ann", LastName="Lee", AccountId="0011", Email="ann@acme.example")
    assert isinstance(account, CustomerFact)
    assert isinstance(contact, ContactFact)
    assert (account.domain, account.employees, contact.name) == ("acme.example", 120, "Ann Lee")
    assert told("Opportunity", Name="x") == []


def test_a_missing_field_is_named_with_the_fix() -> None:
    with pytest.raises(ValueError, match="AccountId: is missing; add the field to the outbound message"):
        told("Task", TaskSubtype="Call", Status="Completed")


def test_a_note_on_a_contact_whose_account_is_not_sent_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="ParentId: names a contact without its account; send AccountId"):
        told("Note", ParentId="003A")
