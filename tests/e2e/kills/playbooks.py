"""Short playbooks of every kind of effect: letters, tasks nobody does, calls of an endpoint, heads-ups."""

from typing import Any

from domain.playbook import Playbook
from domain.vocabulary import SignalKind

ENDPOINT = "billing-desk"
KINDS = (SignalKind.USAGE_DROP, SignalKind.LOGIN_SILENCE, SignalKind.FEATURE_DROP_OFF)
"""What opens them, in their order."""


def _letter(name: str, template: str, purpose: str = "lifecycle") -> dict[str, Any]:
    to = {"template": template, "to": ["champion"], "purpose": purpose, "useful_for": "20d"}
    return {"id": name, "send_email": to}


def _playbook(key: str, kind: SignalKind, priority: int, **more: Any) -> Playbook:
    document = {
        "key": key,
        "name": key.replace("-", " ").capitalize(),
        "description": "A playbook of the tests.",
        "motion": "retention",
        "priority": priority,
        "trigger": {"signals": [kind.value]},
        "cooldown": "1d",
    }
    return Playbook.model_validate(document | more)


def short_playbooks() -> tuple[Playbook, ...]:
    """One that ends with its cause, one that nothing holds up, one that asks and waits.

    What a killed worker had in hand is taken up when its lease has run out, which is days later in
    compressed time: letters and goals last longer than that.
    """
    call = {"kind": "call", "title": "Call $customer", "body": "$reason", "due_in": "1d"}
    told = {"to": "manager", "title": "$customer was written to", "body": "$reason"}
    return (
        _playbook(
            "short-nudge",
            KINDS[0],
            40,
            goal={"when": "causes_reversed", "dwell": "6h", "window": "10d"},
            steps=[
                _letter("nudge", "usage-nudge"),
                {"id": "breathe", "wait": {"duration": "1d"}},
                {"id": "call", "create_task": call},
                {"id": "wait-for-call", "wait": {"event": "task_done", "step": "call", "timeout": "1d"}},
                _letter("tip", "low-engagement-value-tip"),
            ],
        ),
        _playbook(
            "short-bill",
            KINDS[1],
            50,
            goal={"when": "steps_taken", "outcome": "no_change", "window": "20d"},
            steps=[
                _letter("bill", "stay-in-touch", "transactional"),
                {"id": "tell-desk", "call_webhook": {"endpoint": ENDPOINT, "body": {"said": "$reason"}}},
                {"id": "rest", "wait": {"duration": "1d"}},
                {"id": "tell-manager", "notify": told},
                _letter("receipt", "support-follow-up", "transactional"),
            ],
        ),
        _playbook(
            "short-question",
            KINDS[2],
            45,
            goal={"when": "steps_taken", "outcome": "no_change", "window": "20d"},
            steps=[
                {
                    "id": "ask-desk",
                    "call_webhook": {"endpoint": ENDPOINT, "body": {"ask": "$reason"}, "timeout": "1d"},
                },
                _letter("question", "low-engagement-check-in", "transactional"),
                {"id": "wait-for-reply", "wait": {"event": "reply", "timeout": "2d"}},
                _letter("last-word", "thank-you", "transactional"),
            ],
        ),
    )
