"""What the columns of a dropped file may mean: the fields that people are offered, by kind of fact."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """One field that a column may fill. `expects` is what its cells look like."""

    field: str
    label: str
    synonyms: tuple[str, ...]
    expects: str = "text"
    """text, id, moment, number, money, email, domain, currency, boolean or score."""
    required: bool = False


def _target(
    field: str, label: str, synonyms: str, expects: str = "text", *, required: bool = False
) -> Target:
    return Target(field, label, tuple(synonyms.split("|")), expects, required)


_CUSTOMER = _target(
    "customer",
    "Customer (id, domain or name)",
    "customer id|customer|account id|account|company id|company|organization id|organization|org id|client id"
    "|client|workspace id|workspace|tenant id|tenant|group id|account name|company name|customer name",
    "id",
    required=True,
)
_CONTACT = _target(
    "contact",
    "Contact (id or e-mail)",
    "contact id|contact|contact email|user id|user email|requester|email",
    "id",
)
_CURRENCY = _target("currency", "Currency", "currency|currency code", "currency")

TARGETS: Mapping[str, tuple[Target, ...]] = {
    "customer": (
        _target(
            "key",
            "Customer's id",
            "id|customer id|account id|company id|organization id|org id|client id|workspace id|tenant id"
            "|external id",
            "id",
        ),
        _target(
            "name",
            "Name",
            "name|company|company name|customer|customer name|account|account name|organization|client"
            "|client name",
            required=True,
        ),
        _target("domain", "Domain", "domain|website|url|web site|company domain|homepage", "domain"),
        _target(
            "arr_minor",
            "Yearly revenue (ARR)",
            "arr|annual recurring revenue|annual revenue|acv|contract value|yearly value|mrr x 12",
            "money",
        ),
        _CURRENCY,
        _target("plan", "Plan", "plan|tier|package|edition|plan name|subscription plan"),
        _target("status", "Status", "status|state|lifecycle|customer status|account status"),
        _target(
            "started_at",
            "Customer since",
            "customer since|since|signup date|signed up|start date|started at|created at|created"
            "|onboarding start|contract start",
            "moment",
        ),
        _target(
            "renewal_on",
            "Renewal date",
            "renewal date|renewal|renews on|contract end|contract end date|next renewal|term end",
            "moment",
        ),
        _target(
            "onboarded_at",
            "Onboarded on",
            "onboarded at|onboarded|onboarding completed|go live|go live date",
            "moment",
        ),
        _target("industry", "Industry", "industry|sector|vertical"),
        _target("country", "Country", "country|country code|region"),
        _target("time_zone", "Time zone", "time zone|timezone|tz"),
        _target(
            "employees",
            "Employees",
            "employees|employee count|headcount|company size|size|number of employees",
            "number",
        ),
        _target(
            "csm_email",
            "Success manager's e-mail",
            "csm|csm email|owner|owner email|account manager|success manager",
            "email",
        ),
        _target(
            "sales_owner_email",
            "Sales owner's e-mail",
            "sales owner|ae|account executive|sales rep|sales owner email",
            "email",
        ),
    ),
    "contact": (
        _target("key", "Contact's id", "contact id|id|user id|person id|lead id", "id"),
        _CUSTOMER,
        _target("name", "Full name", "name|full name|contact name|user name|contact"),
        _target("first_name", "First name", "first name|firstname|given name|forename"),
        _target("last_name", "Last name", "last name|lastname|surname|family name"),
        _target("email", "E-mail", "email|e mail|email address|mail|contact email|work email", "email"),
        _target("roles", "Role", "role|roles|contact role|persona|contact type"),
        _target("department", "Department or title", "department|title|job title|team|function|position"),
        _target("time_zone", "Time zone", "time zone|timezone|tz"),
        _target("locale", "Language", "locale|language|lang"),
        _target(
            "since",
            "There since",
            "since|created at|created|first seen|added on|date added|signup date",
            "moment",
        ),
        _target("left_at", "Left on", "left at|left on|deactivated at|end date|departed", "moment"),
    ),
    "subscription": (
        _target("key", "Subscription's id", "subscription id|id|contract id|sub id|item id", "id"),
        _CUSTOMER,
        _target("product", "Product", "product|product name|item|sku|line item"),
        _target("plan", "Plan", "plan|tier|package|edition|plan name|price name"),
        _target(
            "mrr_minor",
            "Monthly revenue (MRR)",
            "mrr|monthly amount|monthly recurring revenue|monthly price|mrr amount|amount|price",
            "money",
        ),
        _target(
            "arr_minor",
            "Yearly revenue (ARR)",
            "arr|arr amount|annual recurring revenue|annual amount|yearly amount|acv",
            "money",
        ),
        _CURRENCY,
        _target("seats", "Seats", "seats|licenses|licences|quantity|users|seat count", "number"),
        _target("status", "Status", "status|state|subscription status"),
        _target("is_trial", "Trial", "is trial|trial|trial flag", "boolean"),
        _target(
            "auto_renew", "Renews by itself", "auto renew|auto renew flag|autorenew|auto renewal", "boolean"
        ),
        _target(
            "billing_months",
            "Months per bill",
            "billing months|billing interval months|term months",
            "number",
        ),
        _target(
            "started_at",
            "Began on",
            "started at|start date|start|began|current period start|created at|created|from",
            "moment",
            required=True,
        ),
        _target(
            "ended_at", "Ended on", "ended at|end date|end|canceled at|cancelled at|cancel date|to", "moment"
        ),
    ),
    "usage": (
        _target("key", "Event's id", "event id|message id|id|usage id|uuid", "id"),
        _CUSTOMER,
        _CONTACT,
        _target(
            "feature",
            "Feature or event",
            "feature|event|event name|feature name|action|activity|metric|module",
        ),
        _target(
            "quantity",
            "How often",
            "quantity|count|usage count|events|times|total|uses|amount|value",
            "number",
        ),
        _target("users", "People", "users|active users|unique users|dau|distinct users", "number"),
        _target(
            "occurred_at",
            "When",
            "occurred at|date|day|timestamp|time|usage date|event time|event date|created at|at",
            "moment",
            required=True,
        ),
        _target("count_of", "Count of a feature named like the column", "", "number"),
    ),
    "ticket": (
        _target(
            "key",
            "Ticket's id",
            "ticket id|id|case id|case number|ticket number|ticket|conversation id|issue id",
            "id",
        ),
        _CUSTOMER,
        _CONTACT,
        _target("subject", "Subject", "subject|title|summary|description|topic"),
        _target("priority", "Priority", "priority|severity|urgency"),
        _target(
            "opened_at",
            "Opened",
            "opened at|created at|created|submitted at|opened|open date|date opened|created date|created on",
            "moment",
            required=True,
        ),
        _target(
            "first_responded_at",
            "First answer",
            "first response at|first responded at|first reply at|first response",
            "moment",
        ),
        _target(
            "resolved_at",
            "Resolved",
            "resolved at|closed at|solved at|resolved|closed|close date|closed date|resolution date",
            "moment",
        ),
        _target("escalated", "Escalated", "escalated|escalation|escalation flag|is escalated", "boolean"),
        _target("reopened", "Times reopened", "reopened|reopens|reopen count", "number"),
        _target(
            "satisfaction",
            "Satisfaction (1 to 5)",
            "satisfaction|csat|satisfaction score|rating|csat score",
            "score",
        ),
    ),
    "survey": (
        _target("key", "Answer's id", "response id|id|answer id|survey id|survey response id", "id"),
        _CUSTOMER,
        _CONTACT,
        _target(
            "score",
            "Score",
            "score|nps|nps score|rating|csat|answer|value|csat score",
            "score",
            required=True,
        ),
        _target("comment", "Comment", "comment|feedback|verbatim|comments|text|reason"),
        _target(
            "responded_at",
            "Answered",
            "responded at|response date|date|answered at|submitted at|completed at|created at|survey date"
            "|timestamp",
            "moment",
            required=True,
        ),
    ),
    "meeting": (
        _target("key", "Meeting's id", "meeting id|id|event id|calendar id", "id"),
        _CUSTOMER,
        _target("title", "Title", "title|subject|meeting|name|summary|meeting title"),
        _target("kind", "Kind", "kind|type|meeting type"),
        _target(
            "scheduled_at",
            "When",
            "scheduled at|start|start time|date|meeting date|starts at|when|begin",
            "moment",
            required=True,
        ),
        _target("answer", "Answer", "answer|response|rsvp|attendance"),
        _target("held_at", "Held", "held at|held on|completed at|took place", "moment"),
        _target("cancelled_at", "Cancelled", "cancelled at|canceled at|cancelled", "moment"),
    ),
    "goal": (
        _target("key", "Goal's id", "goal id|id|objective id", "id"),
        _CUSTOMER,
        _target("title", "Goal", "goal|title|objective|name|success criteria|outcome", required=True),
        _target("metric", "Measured by", "metric|kpi|measure"),
        _target("target", "Target", "target|target value|goal value", "number"),
        _target("due_on", "Due", "due on|due date|due|deadline|target date", "moment"),
        _target("progress", "Progress (0 to 1)", "progress|completion|share done", "number"),
        _target("achieved_at", "Achieved", "achieved at|achieved|completed at|done at", "moment"),
    ),
    "invoice": (
        _target("key", "Invoice's id", "invoice id|id|invoice|document id", "id"),
        _CUSTOMER,
        _target("number", "Number", "invoice number|number|invoice no"),
        _target(
            "amount_due_minor",
            "Amount",
            "amount due|amount|total|invoice total|amount billed|invoice amount|total amount",
            "money",
            required=True,
        ),
        _target("amount_paid_minor", "Paid", "amount paid|paid amount|paid total", "money"),
        _CURRENCY,
        _target("status", "Status", "status|state|invoice status|payment status"),
        _target(
            "issued_at",
            "Issued",
            "issued at|invoice date|date|issue date|created at|created|billed on",
            "moment",
            required=True,
        ),
        _target("due_at", "Due", "due at|due date|due|payment due", "moment"),
        _target("paid_at", "Paid on", "paid at|paid on|payment date|paid date|date paid", "moment"),
    ),
    "touchpoint": (
        _target(
            "key", "Touchpoint's id", "touchpoint id|activity id|engagement id|id|message id|call id", "id"
        ),
        _CUSTOMER,
        _CONTACT,
        _target("direction", "Direction", "direction|in or out|inbound outbound"),
        _target("channel", "Channel", "channel|type|activity type|medium|engagement type"),
        _target("subject", "Subject", "subject|title|summary|note|topic"),
        _target(
            "user_email",
            "Our person's e-mail",
            "owner|owner email|user email|rep|csm|csm email|agent|assignee",
            "email",
        ),
        _target(
            "occurred_at",
            "When",
            "occurred at|date|activity date|timestamp|created at|sent at|time|when|logged at",
            "moment",
            required=True,
        ),
    ),
    "cancellation": (
        _target("key", "Cancellation's id", "churn event id|cancellation id|id|event id", "id"),
        _CUSTOMER,
        _target(
            "occurred_at",
            "When",
            "cancelled at|canceled at|churn date|churned at|date|cancellation date|occurred at",
            "moment",
            required=True,
        ),
        _target("reason", "Reason", "reason|churn reason|reason code|cancellation reason"),
        _target("comment", "Comment", "comment|feedback|feedback text|notes|details"),
        _target("involuntary", "Involuntary", "involuntary|is involuntary", "boolean"),
        _target("reactivated", "Came back", "reactivated|is reactivation|reactivation", "boolean"),
    ),
}
"""Every kind; the first words of `synonyms` are the usual name of such a column."""

KIND_LABELS: Mapping[str, str] = {
    "customer": "Customers",
    "contact": "Contacts",
    "subscription": "Subscriptions",
    "usage": "Product usage",
    "ticket": "Support tickets",
    "survey": "Survey answers (NPS, CSAT)",
    "meeting": "Meetings",
    "goal": "Customers' goals",
    "invoice": "Invoices",
    "touchpoint": "Touchpoints (calls, e-mails, notes)",
    "cancellation": "Cancellations",
}
FILE_WORDS: Mapping[str, tuple[str, ...]] = {
    "customer": ("customer", "account", "compan", "client", "organi"),
    "contact": ("contact", "people", "person", "user"),
    "subscription": ("subscription", "contract", "plan"),
    "usage": ("usage", "event", "activit", "login", "feature"),
    "ticket": ("ticket", "case", "support", "conversation", "issue"),
    "survey": ("survey", "nps", "csat", "feedback", "response"),
    "meeting": ("meeting", "calendar", "qbr"),
    "goal": ("goal", "objective", "success"),
    "invoice": ("invoice", "billing", "payment"),
    "touchpoint": ("touchpoint", "engagement", "call", "email", "note"),
    "cancellation": ("churn", "cancel"),
}
"""Beginnings of words in the names of files."""


def targets(kind: str) -> Mapping[str, Target]:
    """Return the fields of a kind by name."""
    return {target.field: target for target in TARGETS[kind]}
