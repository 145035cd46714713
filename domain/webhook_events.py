"""The events that other systems may subscribe to: what each is, what it tells, and when it is tried again.

No field holds an address or a text that a person wrote: ids, words of our vocabulary, numbers and instants.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import InvalidInputError
from domain.time import BusinessInstant, WallInstant

EVERY = "*"
RETRY_DELAYS = tuple(
    dt.timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400)
)
"""Between one attempt and the next, four and a half days in all. After the last the message has failed."""
SPREAD = 0.2
"""Each delay is up to so much longer, by chance: what failed together does not come back together."""
LONGEST_DELAY = dt.timedelta(days=1)
"""An endpoint that asks for more is asked again after a day."""


@dataclass(frozen=True)
class EventType:
    """One kind of event. Its fields stand in `data` beside the customer; those that do not apply are null."""

    name: str
    description: str
    fields: Mapping[str, str]
    """What each holds, with an example of it after the colon."""

    @property
    def example(self) -> dict[str, str | None]:
        """What its fields may look like."""
        return {name: told.rpartition(": ")[2] for name, told in self.fields.items()}


_RUN = {"run_id": "the run: 6f0c…", "playbook": "its key: renewal-save", "reason": "why it was opened: tier"}
_TASK = {
    "task_id": "the task: 31aa…",
    "kind": "call, email, meeting, review …: call",
    "severity": "info, medium, high or critical: high",
    "assignee_id": "one of ours, by id: 8d21…",
    "run_id": "the run that asked for it: 6f0c…",
    "case_id": "the case that asked for it: null",
}
_CASE = {"case_id": "the case: 77b0…", "kind": "dunning or win_back: dunning", "stage": "a word: reminding"}
_OFFER = {
    "offer_id": "the offer: 0d5e…",
    "kind": "discount, pause …: discount",
    "percent": "of the price: 20",
    "months": "for so long: 3",
    "cost_minor": "revenue forgone, in minor units: 180000",
    "currency": "of the cost: EUR",
    "run_id": "the run that it belongs to: 6f0c…",
    "case_id": "the case that it belongs to: null",
}
_MESSAGE = {
    "message_id": "our touchpoint: c1d4…",
    "channel": "email, in_app …: email",
    "purpose": "transactional, lifecycle or marketing: lifecycle",
    "template": "the template's name: renewal-check-in",
    "contact_id": "the person, by id: e93f…",
    "run_id": "the run that sent it: 6f0c…",
    "case_id": "the case that sent it: null",
    "sent_at": "business time: 2026-03-02T10:00:00+00:00",
}
_SIGNAL = {
    "signal_id": "the signal: 5b1c…",
    "kind": "docs/signals.md lists them: usage_drop",
    "severity": "info, medium, high or critical: high",
}
_HEADS_UP = {
    "heads_up_id": "the heads-up: 90ce…",
    "severity": "info, medium, high or critical: high",
    "signal_id": "the signal that it is about: 5b1c…",
    "owner_id": "one of ours, by id: 8d21…",
}


def _instant(name: str) -> dict[str, str]:
    return {name: "business time: 2026-03-02T10:00:00+00:00"}


EVENT_TYPES: tuple[EventType, ...] = (
    EventType(
        "customer.tier_changed",
        "The tier that we act on has changed; a first score is none.",
        {
            "tier": "low, medium, high or critical: high",
            "before": "the same: medium",
            "churn_risk_score": "0 to 100: 71",
            **_instant("changed_at"),
        },
    ),
    EventType(
        "customer.churned",
        "The customer has left.",
        {
            **_instant("churned_at"),
            "cancellation_reason": "a word: too_expensive",
            "arr_minor": "in minor units: 4800000",
            "currency": "of the ARR: EUR",
        },
    ),
    EventType(
        "customer.returned", "A customer that had left is back.", {"status": "trial or active: active"}
    ),
    EventType("signal.opened", "Something was noticed that matters.", {**_SIGNAL, **_instant("opened_at")}),
    EventType("signal.resolved", "The evidence has reversed.", {**_SIGNAL, **_instant("resolved_at")}),
    EventType("heads_up.opened", "One of ours is warned.", {**_HEADS_UP, **_instant("opened_at")}),
    EventType("heads_up.closed", "The warning is over.", {**_HEADS_UP, **_instant("closed_at")}),
    EventType("run.started", "A run of a playbook has begun.", {**_RUN, **_instant("started_at")}),
    EventType(
        "run.ended",
        "A run that had begun is over.",
        {**_RUN, "outcome": "saved, churned …: saved", **_instant("started_at"), **_instant("ended_at")},
    ),
    EventType("task.created", "There is work for one of ours.", {**_TASK, **_instant("due_at")}),
    EventType(
        "task.done", "It is done.", {**_TASK, "outcome": "reached …: resolved", **_instant("closed_at")}
    ),
    EventType("task.cancelled", "Nobody needs to do it any more.", {**_TASK, **_instant("closed_at")}),
    EventType("case.opened", "An invoice is unpaid, or a customer lost.", {**_CASE, **_instant("opened_at")}),
    EventType(
        "case.ended",
        "The case has come to its end.",
        {**_CASE, "outcome": "recovered, lost …: recovered", **_instant("ended_at")},
    ),
    EventType("offer.granted", "Something that costs us was granted.", {**_OFFER, **_instant("decided_at")}),
    EventType("offer.refused", "It was not granted.", {**_OFFER, **_instant("decided_at")}),
    EventType("offer.redeemed", "The customer has used it.", {**_OFFER, **_instant("redeemed_at")}),
    EventType("message.sent", "A provider took a message of ours.", _MESSAGE),
    EventType("message.delivered", "The recipient's side took it.", _MESSAGE),
    EventType("message.opened", "It was opened.", _MESSAGE),
    EventType("message.clicked", "Somebody followed a link in it.", _MESSAGE),
    EventType("message.bounced", "It could not be delivered.", _MESSAGE),
    EventType("message.suppressed", "The provider sends nothing to that address any more.", _MESSAGE),
    EventType("message.failed", "It never left.", _MESSAGE),
    EventType(
        "effect.uncertain",
        "Nobody knows whether something happened; a person may say.",
        {
            "effect": "its key: 6f0c…/hello/1/e93f…",
            "kind": "email, webhook …: email",
            "provider": "who was asked: sendgrid",
            "delivery_id": "ours: 4be7…",
        },
    ),
)
"""The triggers of the database write what stands here; a test holds the one against the other."""
NAMES = frozenset(one.name for one in EVENT_TYPES)
FAMILIES = tuple(dict.fromkeys(one.name.partition(".")[0] for one in EVENT_TYPES))
PATTERNS = frozenset({EVERY, *NAMES, *(f"{family}.*" for family in FAMILIES)})


def check_events(given: Sequence[str]) -> tuple[str, ...]:
    """Return the chosen events, each once and sorted; raises InvalidInputError for an unknown one."""
    chosen = tuple(sorted({one.strip() for one in given if one.strip()}))
    unknown = [one for one in chosen if one not in PATTERNS]
    if unknown:
        reason = f"there is no {', '.join(unknown)}; there are *, {', '.join(f'{one}.*' for one in FAMILIES)}"
        raise InvalidInputError(field="events", reason=f"{reason}, and what docs/outgoing-webhooks.md lists")
    return chosen


def next_attempt(
    tried: int, asked: dt.timedelta | None, chance: float, wall: WallInstant
) -> WallInstant | None:
    """Return when a message is posted again after so many attempts in a row, None where it has failed.

    `asked` is the endpoint's Retry-After, which never shortens a delay; `chance` lies between 0 and 1.
    """
    if tried > len(RETRY_DELAYS):
        return None
    ours = RETRY_DELAYS[tried - 1] * (1 + SPREAD * chance)
    return WallInstant(wall + max(ours, min(asked or dt.timedelta(), LONGEST_DELAY)))


def body_of(event: str, data: Mapping[str, Any], at: BusinessInstant) -> bytes:
    """Return what is posted: for the same event the same bytes, at every attempt."""
    told = {"type": event, "timestamp": at.isoformat(), "data": data}
    return json.dumps(told, sort_keys=True).encode()
