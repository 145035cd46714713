"""When a prompt may be offered to a person: asked in the offering transaction, with the customer locked."""

from dataclasses import dataclass

from domain.contact_slots import Ask, ContactBudget, Spent, earliest
from domain.errors import EverstayError
from domain.guard import Defer, Recipient, Refuse
from domain.time import BusinessInstant, after
from domain.vocabulary import Channel, Purpose, TouchTier


class PromptOverError(EverstayError):
    """This prompt has expired or was withdrawn."""

    status = 410


@dataclass(frozen=True)
class Onlooker:
    """A person who could be shown a prompt, and when they were offered any in the last week."""

    recipient: Recipient
    offered: tuple[BusinessInstant, ...] = ()


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
    budget: ContactBudget


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
    free_at = [(_free_at(one, prompt, now), one.recipient.key) for one in agreed]
    free = [key for at, key in free_at if at is not None and at <= now]
    if free:
        return Show(tuple(free[: prompt.at_most]))
    until = min((at for at, _key in free_at if at is not None), default=None)
    return Refuse("budget") if until is None else Defer(until, "budget")


def _free_at(onlooker: Onlooker, prompt: ProposedPrompt, now: BusinessInstant) -> BusinessInstant | None:
    """Return when the contact policy lets a person be offered the next prompt, None if that is too late."""
    key, latest = onlooker.recipient.key, after(prompt.first_asked_at, prompt.budget.longest_deferral)
    ask = Ask(
        key, 0.0, prompt.first_asked_at, latest, key, onlooker.recipient.time_zone, channel=Channel.IN_APP
    )
    return earliest(ask, [Spent(at, key, Channel.IN_APP) for at in onlooker.offered], prompt.budget, now)
