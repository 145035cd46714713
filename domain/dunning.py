"""What comes next for an unpaid invoice: one pure function over fresh evidence, called before every step."""

import datetime as dt
from dataclasses import replace

from domain.billing import Collection, InvoiceEvidence, InvoiceStatus, Retries
from domain.case_vocabulary import AttemptResult, CaseOutcome
from domain.dunning_charges import charge_options, reading_of
from domain.dunning_endings import paid_or_void
from domain.dunning_notices import letters_of
from domain.dunning_options import Option, carry_out, choose, finish, waiting
from domain.dunning_policy import DunningPolicy
from domain.dunning_state import (
    DunningEnding,
    DunningMemory,
    DunningRuling,
    DunningStage,
    DunningState,
    Question,
    Rest,
    Sight,
)
from domain.dunning_transfers import transfer_options
from domain.time import BusinessInstant, after

LOOK_AGAIN = dt.timedelta(days=1)
"""A case that is held asks the provider once a day, beside every ring."""
SETTLING = dt.timedelta(hours=1)
"""How soon we ask again what became of a payment that the provider has not booked yet."""
STOPPED_RETRY = dt.timedelta(hours=4)


def first_memory(remaining_minor: int, anchored_at: BusinessInstant) -> DunningMemory:
    """Return what a case remembers before its first look."""
    return DunningMemory(
        anchored_at=anchored_at, remaining_minor=remaining_minor, opened_minor=remaining_minor
    )


def decide_dunning(
    state: DunningState, evidence: InvoiceEvidence | None, policy: DunningPolicy, now: BusinessInstant
) -> DunningRuling:
    """Return the one thing that comes next. The same arguments give the same ruling."""
    if evidence is None:
        return _ended(state.memory, DunningEnding(CaseOutcome.STOPPED, GONE))
    ending = paid_or_void(state, evidence, now)
    if ending is not None:
        paid = evidence.status is InvoiceStatus.PAID
        memory = state.memory.model_copy(update={"remaining_minor": 0} if paid else {})
        return _ended(memory, ending)
    memory = _resumed(_news(state, evidence, now), state, evidence, now)
    sight = Sight(replace(state, memory=memory), evidence, policy, now)
    rest = _held(sight)
    if rest is not None:
        return _halt(sight, rest)
    return _go_on(sight)


GONE = "The provider does not know this invoice any more."


def _ended(memory: DunningMemory, ending: DunningEnding) -> DunningRuling:
    return DunningRuling(memory, DunningStage.FINAL, ending.sentence, ending=ending)


def _news(state: DunningState, evidence: InvoiceEvidence, now: BusinessInstant) -> DunningMemory:
    """Take over what changed at the provider: a part that was paid and another card both begin anew."""
    memory = state.memory
    card = evidence.method.key if evidence.method is not None else ""
    update: dict[str, object] = {
        "card": card,
        "attempts_seen": evidence.attempts,
        "remaining_minor": evidence.remaining_minor,
        "last4": evidence.method.last4 if evidence.method is not None else "",
        "pay_url": evidence.pay_url,
    }
    part_paid = evidence.remaining_minor < memory.remaining_minor
    other_card = memory.card is not None and card not in {"", memory.card}
    if part_paid or (other_card and evidence.collection is Collection.CHARGE):
        update |= {
            "anchored_at": max(now, memory.anchored_at),
            "collects_since": 0,
            "notices_since": 0,
            "over_at": None,
            "final_notice_at": None,
            "final": None,
        }
    return memory.model_copy(update=update)


def _resumed(
    memory: DunningMemory, state: DunningState, evidence: InvoiceEvidence, now: BusinessInstant
) -> DunningMemory:
    """Move the schedule by the time in which the case was held: nobody is hurried for what was our doing."""
    since = memory.halted_at
    if since is None or state.is_off or _reason_to_hold(state, evidence, now) is not None:
        return memory
    moved = {
        name: after(at, max(now - max(at, since), dt.timedelta()))
        for name in ("anchored_at", "over_at", "final_notice_at")
        if (at := getattr(memory, name)) is not None
    }
    return memory.model_copy(update={**moved, "halted_at": None, "planned": ""})


def _held(sight: Sight) -> Rest | None:
    return _reason_to_hold(sight.state, sight.evidence, sight.now)


def _reason_to_hold(state: DunningState, evidence: InvoiceEvidence, now: BusinessInstant) -> Rest | None:
    """Return why nothing is done now, None where nothing speaks against going on."""
    if evidence.is_disputed:
        return Rest("The payment is disputed: nothing is asked for until that is settled.")
    if evidence.is_paused:
        return Rest("Collection is paused at the provider.")
    if state.rest is not None:
        return state.rest
    if evidence.pending or _is_settling(state, now):
        return Rest("A payment is under way.", after(now, SETTLING))
    if state.unfinished is not None and state.unfinished.in_doubt:
        words = "Nobody can say yet whether the last step happened; a person was asked."
        return Rest(words, state.unfinished.due_at)
    return _two_collectors(state, evidence)


def _is_settling(state: DunningState, now: BusinessInstant) -> bool:
    """Whether an attempt went through, or may yet, that the provider's invoice does not show so soon."""
    going = {AttemptResult.SUCCEEDED, AttemptResult.PENDING}
    return any(one.result in going and now - one.at < LOOK_AGAIN for one in state.attempts[-1:])


def _two_collectors(state: DunningState, evidence: InvoiceEvidence) -> Rest | None:
    """Hold where we are to retry and the provider is going to as well: both would charge twice."""
    theirs = evidence.next_attempt_at
    if state.retries is not Retries.EVERSTAY or theirs is None or evidence.collection is Collection.TRANSFER:
        return None
    if evidence.attempts == 0:
        return Rest("The provider has not tried for the first time yet.", after(theirs, SETTLING))
    return Rest(TWO_COLLECTORS, after(theirs, SETTLING))


TWO_COLLECTORS = (
    "The provider is going to try again by itself, and this connection says that we do: nothing is charged."
)


def _halt(sight: Sight, rest: Rest) -> DunningRuling:
    memory = sight.memory
    if memory.halted_at is None:
        memory = memory.model_copy(update={"halted_at": sight.now})
    question = None
    if rest.reason == TWO_COLLECTORS and "two_collectors" not in memory.asked:
        memory = memory.model_copy(update={"asked": (*memory.asked, "two_collectors")})
        question = Question("two_collectors", "Decide who tries failed charges again", TWO_COLLECTORS_BODY)
    soon = after(sight.now, LOOK_AGAIN)
    wake = min(rest.until, soon) if rest.until is not None and rest.until > sight.now else soon
    return DunningRuling(
        memory, stage_of(sight), rest.reason, wake_at=wake, held=rest.reason, question=question
    )


TWO_COLLECTORS_BODY = (
    "The billing provider has planned another attempt at this invoice, while the connection says that "
    "Everstay retries. Both together would charge twice. Switch automatic retries off at the provider, or "
    "set the connection's retries to “provider”; the case goes on by itself."
)


def stage_of(sight: Sight) -> DunningStage:
    """Return where the case stands, for boards."""
    memory, evidence = sight.memory, sight.evidence
    if memory.final is not None:
        return DunningStage.FINAL
    if memory.over_at is not None and memory.over_at <= sight.now:
        return DunningStage.GRACE
    if evidence.collection is Collection.TRANSFER:
        return DunningStage.REMINDING
    if reading_of(sight).needs_customer:
        return DunningStage.NEEDS_CUSTOMER
    provider = sight.state.retries is Retries.PROVIDER
    return DunningStage.PROVIDER_RETRIES if provider else DunningStage.RETRYING


def _go_on(sight: Sight) -> DunningRuling:
    """Do what is due, or wait for what is next."""
    stale = sight.state.unfinished
    if stale is not None and sight.memory.final is None:
        again = Option(stale.due_at or sight.now, stale.step, occurrence=stale.occurrence)
        return _settle(sight, [again])
    if sight.memory.final is not None:
        return _final(sight)
    by_transfer = sight.evidence.collection is Collection.TRANSFER
    plan = transfer_options(sight) if by_transfer else charge_options(sight)
    sight = replace(sight, state=replace(sight.state, memory=plan.memory))
    options = [*plan.options, *letters_of(sight, plan)]
    return _settle(sight, options)


def _final(sight: Sight) -> DunningRuling:
    """End the case once its last deed is done, or go on asking for it."""
    pending = sight.state.unfinished
    if pending is not None:
        return _settle(sight, [Option(pending.due_at or sight.now, pending.step, pending.occurrence)])
    return finish(sight, stage_of(sight))


def _settle(sight: Sight, options: list[Option]) -> DunningRuling:
    """Turn options into a ruling: what is due, unless nothing may leave; else when to look again."""
    due, wake_at = choose(options, sight.now)
    stage = stage_of(sight)
    if due is None:
        return waiting(sight, stage, options, min(wake_at, after(sight.now, LOOK_AGAIN)))
    if not sight.state.is_off or due.question is not None:
        return carry_out(sight, stage, due)
    memory = sight.memory
    if memory.halted_at is None:
        memory = memory.model_copy(update={"halted_at": sight.now})
    name = due.name
    planned = due.step if memory.planned != name else None
    memory = memory.model_copy(update={"planned": name})
    sentence = f"Would do this now: {due.words}. Nothing leaves before a person says so."
    return DunningRuling(memory, stage, sentence, planned=planned, wake_at=after(sight.now, STOPPED_RETRY))
