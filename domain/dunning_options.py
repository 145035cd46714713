"""What a case could do next, each with its time; the first that is due is carried out."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from domain.billing import FinalAction
from domain.case_vocabulary import CaseOutcome
from domain.dunning_state import (
    DEEDS,
    DunningEnding,
    DunningMemory,
    DunningRuling,
    DunningStage,
    DunningStep,
    Question,
    Sight,
)
from domain.time import BusinessInstant

NEVER = BusinessInstant(dt.datetime.max.replace(tzinfo=dt.UTC))


@dataclass(frozen=True)
class Option:
    """One thing that may come next: a step, a question to a person, or the end (neither)."""

    at: BusinessInstant
    step: DunningStep | None = None
    occurrence: int | None = None
    """Of a step that was ordered before; None for a new one."""
    question: Question | None = None
    by_schedule: bool = False
    """It is the next of the letters by the schedule."""
    before_due: bool = False
    asks_for: str | None = None
    """The refused card that the customer is asked to replace."""

    @property
    def words(self) -> str:
        """What it is, for boards."""
        if self.question is not None:
            return "ask a person"
        return WORDS.get(self.step, "send a letter") if self.step is not None else "come to an end"

    @property
    def name(self) -> str:
        """What tells one planned step from the next."""
        return f"{self.step or 'end'}"


WORDS = {
    DunningStep.COLLECT: "charge the card on file",
    DunningStep.END_SUBSCRIPTION: "carry out the final action",
    DunningStep.WRITE_OFF: "write the invoice off",
    DunningStep.FINAL_NOTICE: "send the final notice",
    DunningStep.CARD_UPDATE: "ask for another card",
    DunningStep.AUTHENTICATION: "ask the customer to confirm the payment",
}


@dataclass(frozen=True)
class Plan:
    """What a way of collecting asks for beside letters."""

    memory: DunningMemory
    options: tuple[Option, ...] = ()
    over_at: BusinessInstant | None = None
    """When nothing is left to try; None while something is."""
    ends_at: BusinessInstant | None = None
    """When the case comes to its end unless something happens."""
    asks_for: DunningStep | None = None
    """The letter that a refused card calls for at once."""
    is_neutral: bool = False


def choose(options: Sequence[Option], now: BusinessInstant) -> tuple[Option | None, BusinessInstant]:
    """Return the first option that is due, in the order given; else when the next one is."""
    due = next((one for one in options if one.at <= now), None)
    return due, min((one.at for one in options), default=NEVER)


def waiting(
    sight: Sight, stage: DunningStage, options: Sequence[Option], wake_at: BusinessInstant
) -> DunningRuling:
    """Return the ruling that nothing is due, with what comes next."""
    first = min(options, key=lambda one: one.at, default=None)
    words = f"Next, on {first.at:%d %B %Y}: {first.words}." if first is not None else "Waits for news."
    return DunningRuling(sight.memory, stage, words, wake_at=wake_at)


def carry_out(sight: Sight, stage: DunningStage, due: Option) -> DunningRuling:
    """Return the ruling that has something done now, and remember that it was ordered."""
    if due.question is not None:
        memory = sight.memory.model_copy(update={"asked": (*sight.memory.asked, due.question.key)})
        return DunningRuling(memory, stage, due.question.title, wake_at=sight.now, question=due.question)
    if due.step is None:
        return _at_the_end(sight)
    if due.occurrence is not None:
        return DunningRuling(sight.memory, stage, f"Now: {due.words}.", due.step, due.occurrence)
    memory, occurrence = _ordered(sight, due, due.step)
    return DunningRuling(memory, stage, f"Now: {due.words}.", due.step, occurrence)


def _ordered(sight: Sight, due: Option, step: DunningStep) -> tuple[DunningMemory, int]:
    memory = sight.memory
    if step is DunningStep.COLLECT:
        number = memory.collects + 1
        update = {"collects": number, "collects_since": memory.collects_since + 1}
        return memory.model_copy(update=update), number
    number = len(memory.notices) + 1
    letter: dict[str, object] = {"notices": (*memory.notices, sight.now)}
    if due.by_schedule:
        letter["notices_since"] = memory.notices_since + 1
    if due.before_due:
        letter["before_due"] = memory.before_due + 1
    if due.asks_for is not None:
        letter["asked_for"] = (*memory.asked_for, due.asks_for)
    if step is DunningStep.FINAL_NOTICE:
        letter["final_notice_at"] = sight.now
    return memory.model_copy(update=letter), number


def _at_the_end(sight: Sight) -> DunningRuling:
    """Order the last deed where there is one; else end the case."""
    deed = sight.final_deed
    if deed is None or sight.is_for_a_person:
        return finish(sight, DunningStage.FINAL)
    memory = sight.memory.model_copy(update={"final": deed})
    assert deed in DEEDS  # noqa: S101 - a letter ends nothing
    return DunningRuling(memory, DunningStage.FINAL, f"Now: {WORDS[deed]}.", deed)


def finish(sight: Sight, stage: DunningStage) -> DunningRuling:
    """End the case that was not paid: written off, given to a person, or exhausted."""
    memory, failed = sight.memory, sight.state.final_failed
    if failed or (memory.final is None and sight.is_for_a_person):
        reason = FINAL_FAILED if failed else "The amount is one about which a person decides."
        ending = DunningEnding(CaseOutcome.ESCALATED, reason)
        question = Question("escalated", "Decide about an unpaid invoice", f"{reason} {ESCALATED}")
        return DunningRuling(memory, stage, reason, ending=ending, question=question)
    if memory.final is DunningStep.WRITE_OFF:
        ending = DunningEnding(CaseOutcome.WRITTEN_OFF, "The amount is not worth more: it is written off.")
        return DunningRuling(memory, stage, ending.sentence, ending=ending)
    acted = memory.final is DunningStep.END_SUBSCRIPTION
    done = FINAL_WORDS[sight.policy.final_action] if acted else FINAL_WORDS[FinalAction.KEEP]
    ending = DunningEnding(CaseOutcome.EXHAUSTED, f"Nothing is left to try: {done}.")
    return DunningRuling(memory, stage, ending.sentence, ending=ending)


FINAL_FAILED = "The final action could not be carried out at the provider."
ESCALATED = (
    "Every attempt and every letter is behind us, and the invoice is still open. Nothing more is done by "
    "itself: agree with the customer on a way to pay, end the subscription, or write the invoice off at the "
    "provider."
)
FINAL_WORDS = {
    FinalAction.KEEP: "the subscription stays as it is",
    FinalAction.PAUSE: "the subscription is paused",
    FinalAction.CANCEL: "the subscription is cancelled",
}
