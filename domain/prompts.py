"""When a prompt may be offered to a person: asked in the offering transaction, with the customer locked."""

from dataclasses import dataclass
from datetime import timedelta

from domain.calendar import local_day
from domain.contact_slots import DAY, ContactBudget
from domain.errors import EverstayError
from domain.guard import Defer, Recipient, Refuse
from domain.time import BusinessInstant, after
from domain.vocabulary import Purpose, TouchTier

HOUR = timedelta(hours=1)


class PromptOverError(EverstayError):
    """This prompt has expired or was withdrawn."""

    status = 410


@dataclass(frozen=True)
class Onlooker:
    """A person who could be shown a prompt, and when they were offered their last one."""

    recipient: Recipient
    offered_at: BusinessInstant | None


@dataclass(frozen=True)
class ProposedPrompt:
    """One prompt that a run asks for, and everything that could speak against it."""

    onlookers: tuple[Onlooker, ...]
    """Everybody whom the step means, the most wanted first."""
    at_most: int
    do_not_contact: bool
    holdout: bool
    touch_tier: TouchTier
    first_asked_at: BusinessInstant


@dataclass(frozen=True)
class Show:
    """Offer it to these people, by the keys of their recipients."""

    keys: tuple[str, ...]


def may_prompt(prompt: ProposedPrompt, now: BusinessInstant) -> Show | Defer | Refuse:
    """Return whom it may be offered to now; else put it off to a named instant, or refuse with a reason.

    The reasons are the guard's of mail. In the product there are no quiet hours: it is seen by who is there.
    """
    if prompt.do_not_contact:
        return Refuse("do_not_contact")
    if prompt.holdout and prompt.touch_tier is not TouchTier.STRATEGIC:
        return Refuse("holdout")
    if not prompt.onlookers:
        return Refuse("no_recipient")
    agreed = [one for one in prompt.onlookers if Purpose.LIFECYCLE in one.recipient.consents]
    if not agreed:
        return Refuse("no_consent")
    free = [one for one in agreed if _free_at(one, now) <= now]
    if free:
        return Show(tuple(one.recipient.key for one in free[: prompt.at_most]))
    until = min(_free_at(one, now) for one in agreed)
    longest = ContactBudget().longest_deferral
    return Refuse("budget") if until > prompt.first_asked_at + longest else Defer(until, "budget")


def _free_at(onlooker: Onlooker, now: BusinessInstant) -> BusinessInstant:
    """Return when a person may be offered the next prompt: a day, and a day of theirs, after the last."""
    last, zone = onlooker.offered_at, onlooker.recipient.time_zone
    if last is None:
        return now
    until = after(last, DAY)
    while local_day(until, zone) == local_day(last, zone):  # a day of 25 hours
        until = after(until, HOUR)
    return until
