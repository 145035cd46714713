"""The reference year of a customer: twelve notices, a renewal, two interventions, a check-in."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from domain.playbook import Playbook
from domain.vocabulary import TouchTier

DAYS = 365
RENEWS_ON = 330
"""Day of the year on which the contract renews; its countdown begins sixty days before."""
RENEWAL, CHECK_IN, TOUCHES = "renewal-check-in", "stay-in-touch", "four-touches"
RUNS = {RENEWAL: 1, CHECK_IN: 1, TOUCHES: 2}
"""How many runs of each playbook a whole year has."""
PARTS = {RENEWAL: "renewal countdown", CHECK_IN: "no-contact check-in", TOUCHES: "interventions"}


class Verb(StrEnum):
    """What is told of a customer."""

    DECLINE = "decline"
    """Use falls, and the tier with it: it opens an intervention."""
    RECOVER = "recover"
    """Use comes back, and the tier: it ends the intervention as saved."""
    WARN = "warn"
    """A smaller signal opens."""
    CALM = "calm"
    """The smaller signal is over."""
    TOUCH = "touch"
    """Somebody of ours speaks with the customer, and the CRM tells of it."""
    RENEW = "renew"
    """The contract is prolonged."""


@dataclass(frozen=True)
class Told:
    """One thing told on one day of the year."""

    day: float
    verb: Verb


YEAR = (
    Told(15.0, Verb.DECLINE),
    Told(37.0, Verb.RECOVER),
    Told(50.0, Verb.WARN),
    Told(70.0, Verb.TOUCH),
    Told(72.0, Verb.CALM),
    Told(92.0, Verb.DECLINE),
    Told(114.0, Verb.RECOVER),
    Told(148.0, Verb.TOUCH),
    Told(190.0, Verb.TOUCH),
    # 45 days of silence: the check-in opens on day 235; the countdown begins on day 270
    Told(300.0, Verb.TOUCH),
    Told(320.0, Verb.RENEW),
    Told(343.0, Verb.TOUCH),
)
"""The twelve notices. Touches and our own letters keep the silence from running out, all but once."""
TOUCH_TIER = TouchTier.TECH_TOUCH
"""Where our own letters count as contact: the many customers, whose number decides the bill."""

_WAIT = {"wait": {"event": "reply", "timeout": "5d"}}
_LETTERS = ("low-engagement-check-in", "low-engagement-value-tip", "stay-in-touch", "support-follow-up")


def four_touches() -> Playbook:
    """Return the intervention of the mix: four letters, five days apart, until the customer is back."""
    steps = [
        {"id": f"{word}-{place}", **step}
        for place, letter in enumerate(_LETTERS, start=1)
        for word, step in (
            ("letter", {"send_email": {"template": letter, "to": ["champion", "admin"]}}),
            ("answer", _WAIT),
        )
    ]
    document = {
        "key": TOUCHES,
        "name": "Four touches",
        "description": "The intervention of the reference year.",
        "motion": "retention",
        "priority": 60,
        "trigger": {"tier": "high"},
        "cooldown": "30d",
        "goal": {"when": "causes_reversed", "outcome": "saved", "dwell": "12h", "window": "45d"},
        "steps": steps,
    }
    return Playbook.model_validate(document)


def renewal_date(begins: dt.datetime) -> dt.date:
    """Return when the contract of a customer whose year begins then renews."""
    return (begins + dt.timedelta(days=RENEWS_ON)).date()
