"""Two playbooks as they stand in the database, for runs of the sample customers."""

from typing import Any

from domain.playbook import Playbook

LOW_ENGAGEMENT: dict[str, Any] = {
    "key": "low-engagement",
    "name": "Low engagement",
    "description": "Use fell well below what is usual for this customer: ask what changed, and help.",
    "motion": "retention",
    "priority": 60,
    "trigger": {"tier": "high", "drivers": ["usage", "adoption"]},
    "steps": [
        {
            "id": "first-mail",
            "send_email": {"template": "low-engagement-check-in", "to": ["champion", "admin"]},
        },
        {"id": "wait-for-answer", "wait": {"event": "touchpoint", "timeout": "3d", "on_timeout": "call"}},
        {
            "id": "call",
            "create_task": {
                "kind": "call",
                "title": "Call $customer about falling use",
                "body": "$reason",
                "severity": "high",
            },
        },
        {"id": "wait-for-call", "wait": {"event": "task_done", "step": "call", "timeout": "5d"}},
        {"id": "second-mail", "send_email": {"template": "low-engagement-value-tip", "to": ["champion"]}},
    ],
}
ESCALATED_SAVE: dict[str, Any] = {
    "key": "escalated-save",
    "name": "Escalated save",
    "description": "Risk is critical: a manager leads and the executive sponsor is called first.",
    "motion": "retention",
    "priority": 90,
    "replaces": True,
    "trigger": {"tier": "critical"},
    "steps": [
        {
            "id": "manager-knows",
            "notify": {
                "to": "manager",
                "title": "$customer is critical",
                "body": "$reason",
                "severity": "critical",
            },
        },
        {
            "id": "executive-call",
            "create_task": {
                "kind": "executive",
                "title": "Call the sponsor at $customer",
                "body": "$reason",
                "severity": "critical",
            },
        },
        {"id": "wait-for-call", "wait": {"event": "task_done", "step": "executive-call", "timeout": "3d"}},
        {
            "id": "executive-mail",
            "send_email": {"template": "executive-check-in", "to": ["executive_sponsor"]},
        },
    ],
}
DOCUMENTS = (LOW_ENGAGEMENT, ESCALATED_SAVE)


def stored_documents() -> list[dict[str, Any]]:
    """The documents as publishing stores them, checked by the product's own model."""
    return [Playbook.model_validate(each).model_dump(mode="json", by_alias=True) for each in DOCUMENTS]
