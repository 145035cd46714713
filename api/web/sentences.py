"""Stored codes in words: why a run was opened, what a line of the story says, what ending a run cancelled."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from api.web.words import money, plural, words
from domain.case_vocabulary import CaseKind
from domain.decline_words import say_decline
from domain.playbook_words import why
from models.views.timeline import Entry, EntryKind

SENTENCES = {
    "ticket_opened": "Ticket opened",
    "ticket_resolved": "Ticket resolved",
    "survey_nps": "Answered the NPS survey, 0 to 10",
    "survey_csat": "Answered the satisfaction survey, 1 to 5",
    "meeting_qbr": "Quarterly business review",
    "meeting_executive": "Executive meeting",
    "meeting_check_in": "Check-in",
    "meeting_onboarding": "Onboarding meeting",
    "meeting_other": "Meeting",
    "invoice_issued": "Invoice issued",
    "invoice_paid": "Invoice paid",
    "cancelled": "Cancelled",
    "subscription_started": "Subscription started",
    "subscription_ended": "Subscription ended",
    "email_out": "E-mail sent",
    "email_in": "E-mail received",
    "call_out": "Call",
    "call_in": "Call from the customer",
    "meeting_out": "Meeting",
    "meeting_in": "Meeting",
    "chat_in": "Chat",
    "chat_out": "Chat",
    "note_out": "Note",
    "note_in": "Note",
    "in_app_out": "Message in the product",
    "in_app_in": "Answer in the product",
    "task_created": "Task created",
    "task_closed": "Task closed",
    "running": "Run started",
    "paused": "Run paused",
    "planned": "Run planned",
    "ended": "Run ended",
    "case_opened": "Case opened",
    "case_ended": "Case ended",
    "payment_by_everstay": "Payment tried",
    "payment_by_provider": "Payment tried by the provider",
    "payment_by_customer": "Payment by the customer",
    "assessed": "Assessment changed",
}
CASE_TITLES = {CaseKind.DUNNING: "Unpaid invoice", CaseKind.WIN_BACK: "Win-back"}
ICONS = {
    EntryKind.FACT: "fact",
    EntryKind.SIGNAL: "bell",
    EntryKind.CONTACT: "mail",
    EntryKind.DECISION: "decision",
    EntryKind.TASK: "task",
    EntryKind.RUN: "run",
    EntryKind.CASE: "money",
    EntryKind.ASSESSMENT: "eye",
}
KIND_NAMES = {
    EntryKind.FACT: "Facts",
    EntryKind.SIGNAL: "Signals",
    EntryKind.CONTACT: "E-mails and contacts",
    EntryKind.DECISION: "Decisions",
    EntryKind.TASK: "Tasks",
    EntryKind.RUN: "Runs",
    EntryKind.CASE: "Cases",
    EntryKind.ASSESSMENT: "Assessments",
}


def what(entry: Entry) -> str:
    """Return what sort of line it is."""
    return SENTENCES.get(entry.what, words(entry.what))


def title(entry: Entry) -> str:
    """Return the line's own text; amounts get their currency."""
    if entry.what.startswith(("invoice_", "payment_")):
        minor, _, currency = entry.title.partition(" ")
        return money(int(minor), currency)
    if entry.what == "cancelled":
        return f"Reason: {words(entry.title).lower()}"
    if entry.what.startswith("case_"):
        return CASE_TITLES[CaseKind(entry.title)]
    return entry.title


def detail(entry: Entry) -> str:
    """Return what stands below a line; why a payment was refused is put into words."""
    return say_decline(entry.detail) if entry.what.startswith("payment_") else entry.detail or ""


def reason(code: str) -> str:
    """Return why a run was opened: `tier:high` → Churn risk is high."""
    kind, _, value = code.partition(":")
    if kind == "tier":
        return f"Churn risk is {value}"
    if kind == "renewal":
        return f"Renewal on {_day(value)}"
    return words(value or kind)


def because(code: str) -> str:
    """Return the ground of a decision inside a sentence: `tier:high` → churn risk is high."""
    said = reason(code)
    return said if said[:2].isupper() else said[:1].lower() + said[1:]


def step_reason(code: str) -> str:
    """Return why a step's state is what it is: `timeout` → Time is up."""
    return words(why(code))


def _day(value: str) -> str:
    try:
        day = dt.date.fromisoformat(value)
    except ValueError:
        return value
    return f"{day.day} {day:%b %Y}"


def cause(document: Mapping[str, Any]) -> str:
    """Return one cause of a run in words."""
    if document.get("sentence"):
        return str(document["sentence"])
    if "tier" in document:
        return f"Churn risk was {document['tier']} (high is bad)"
    if "family" in document:
        points = float(document.get("points") or 0)
        return f"{words(document['family'])}: {points:+.1f} points of risk"
    if "signal" in document:
        return f"Signal: {words(document['signal'])}"
    if "renewal_on" in document:
        return f"Renewal on {_day(str(document['renewal_on']))}"
    return ", ".join(f"{words(name)}: {value}" for name, value in document.items())


def cancelled(receipt: Mapping[str, Any] | None) -> list[str]:
    """Return what ending a run cancelled, as one line per thing."""
    found = receipt or {}
    lines = [f"Task “{name}”" for name in found.get("cancelled_tasks") or ()]
    sends = [str(step) for step in found.get("cancelled_sends") or ()]
    steps = [str(step) for step in found.get("cancelled_steps") or () if step not in sends]
    lines += [f"E-mail of step {step}" for step in sends]
    return [*lines, *(f"Step {step}" for step in steps)]


UNITS = {"m": "minute", "h": "hour", "d": "day", "w": "week"}


def span(text: str | None) -> str:
    """Return a document's duration in words: `5d` → 5 days."""
    value = str(text or "")
    if value[:-1].isdigit() and value[-1] in UNITS:
        return plural(int(value[:-1]), UNITS[value[-1]])
    return value


def evidence(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what led to a decision as names and values, flat."""
    return [(words(name), _value(value)) for name, value in document.items() if value not in (None, [], {})]


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_value(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{words(name).lower()} {_value(each)}" for name, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
