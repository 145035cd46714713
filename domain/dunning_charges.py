"""Invoices that are charged: what the last refusal allows, when the card is tried next, when it is over."""

import datetime as dt
from dataclasses import dataclass

from domain.billing import Collection, InvoiceStatus, PaymentMethod, Retries
from domain.case_vocabulary import AttemptResult
from domain.declines import DeclineKind, DeclineRuling, rule_on
from domain.dunning_options import Option, Plan
from domain.dunning_schedule import Series, next_attempt, room_under
from domain.dunning_state import Attempt, DunningMemory, DunningStep, Sight
from domain.time import BusinessInstant, after

PROVIDER_PATIENCE_DAYS = 90
"""A provider that plans one attempt after another is waited for no longer: every case comes to an end."""
PROVIDER_LEAVE = dt.timedelta(days=1)
"""How long after its last attempt we believe that the provider may plan another one."""


@dataclass(frozen=True)
class Reading:
    """What stands in the way of the card on file."""

    ruling: DeclineRuling | None
    """What its last refusal allows; None for a card that was not refused."""
    method: PaymentMethod | None
    is_fresh: bool = False
    """It came after another one was refused, and was not tried yet."""
    is_revoked: bool = False
    is_barred: bool = False

    @property
    def is_good(self) -> bool:
        """Whether the card may be charged by itself."""
        refused = self.ruling is not None and self.ruling.kind is not DeclineKind.SOFT
        return self.method is not None and not (refused or self.is_revoked or self.is_barred)

    @property
    def needs_customer(self) -> bool:
        """Whether nothing happens before the customer does something."""
        return not self.is_good

    @property
    def is_neutral(self) -> bool:
        """Whether our letters say nothing about the reason."""
        never = self.ruling is not None and self.ruling.kind is DeclineKind.NEVER
        return never or self.is_revoked or self.is_barred


def reading_of(sight: Sight) -> Reading:
    """Read the card on file against everything that was refused."""
    method, refused = sight.evidence.method, _refusals(sight)
    key, brand = (method.key, method.brand) if method is not None else ("", "")
    mine = [one for one in refused if one.card_key == key]
    strict = [one.decline for one in mine if one.refused_for_good]
    newest = strict[-1] if strict else mine[-1].decline if mine else None
    ruling = rule_on(newest, brand) if newest is not None else None
    revoked = any(
        one.decline is not None and rule_on(one.decline, one.card_brand).is_revoked for one in refused
    )
    barred = sight.state.card.key == key and sight.state.card.is_barred
    return Reading(ruling, method, bool(refused) and not mine, revoked, barred)


def _refusals(sight: Sight) -> list[Attempt]:
    return [
        one
        for one in sight.state.attempts
        if one.result is AttemptResult.DECLINED and one.decline is not None
    ]


def charge_options(sight: Sight) -> Plan:
    """Return when the card is tried next, and when nothing is left to try."""
    reading = reading_of(sight)
    memory = sight.memory
    if sight.state.retries is Retries.PROVIDER:
        next_at = sight.evidence.next_attempt_at
        options: tuple[Option, ...] = ()
    else:
        next_at = attempt_at(sight, reading)
        options = (Option(next_at, DunningStep.COLLECT),) if next_at is not None else ()
    memory = _with_end(memory, next_at, _over_at(sight, reading, next_at))
    ends = _ends_at(memory, sight)
    if ends is not None:
        options = (*options, Option(ends))
    return Plan(memory, options, memory.over_at, ends, _letter(reading), reading.is_neutral)


def attempt_at(sight: Sight, reading: Reading) -> BusinessInstant | None:
    """Return when we charge the card on file next, None where it is not to be charged."""
    if not reading.is_good or reading.method is None:
        return None
    schedule, memory = sight.policy.retries, sight.memory
    if reading.is_fresh and schedule.attempts > 0 and memory.collects_since == 0:
        room = room_under(sight.state.card, schedule.ceilings)
        return None if room is None else max(room, sight.now)
    made = [one.at for one in sight.state.attempts]
    is_slow = reading.ruling is not None and reading.ruling.is_slow
    series = Series(
        sight.state.key,
        memory.anchored_at,
        memory.collects_since,
        max(made, default=None),
        is_slow,
        sight.state.card,
    )
    return next_attempt(series, schedule, sight.state.place, sight.now)


def against_charge(sight: Sight) -> str | None:
    """Return what speaks against charging the card on file at this very moment, None where nothing does."""
    evidence, reading = sight.evidence, reading_of(sight)
    room = room_under(sight.state.card, sight.policy.retries.ceilings)
    objections = {
        "no_longer_open": evidence.status is not InvoiceStatus.OPEN or evidence.remaining_minor <= 0,
        "disputed": evidence.is_disputed,
        "paused_at_the_provider": evidence.is_paused,
        "payment_under_way": evidence.pending,
        "paid_by_transfer": evidence.collection is Collection.TRANSFER,
        "the_provider_retries": sight.state.retries is Retries.PROVIDER
        or (evidence.next_attempt_at is not None and evidence.attempts > 0),
        "no_card_on_file": reading.method is None,
        "card_not_to_be_charged": not reading.is_good,
        "network_ceiling": room is None or room > sight.now,
    }
    return next((reason for reason, holds in objections.items() if holds), None)


def _over_at(sight: Sight, reading: Reading, next_at: BusinessInstant | None) -> BusinessInstant | None:
    """Return when nothing is left to try, None while something is."""
    whole = sight.since_anchor(sight.policy.retries.within_days)
    at_length = sight.now >= sight.since_anchor(PROVIDER_PATIENCE_DAYS)
    if next_at is not None and next_at > sight.now and not at_length:
        return None
    if sight.state.retries is Retries.PROVIDER and not reading.needs_customer:
        last = max((one.at for one in sight.state.attempts), default=sight.memory.anchored_at)
        return sight.memory.over_at or max(sight.now, after(last, PROVIDER_LEAVE))
    if next_at is not None and not at_length:
        return None
    return whole if reading.needs_customer else (sight.memory.over_at or sight.now)


def _with_end(
    memory: DunningMemory, next_at: BusinessInstant | None, over_at: BusinessInstant | None
) -> DunningMemory:
    update: dict[str, object] = {"over_at": over_at}
    if over_at is None and next_at is not None:
        update["final_notice_at"] = None
    return memory.model_copy(update=update)


def _ends_at(memory: DunningMemory, sight: Sight) -> BusinessInstant | None:
    """Return the end: the grace days after the final notice, which somebody has to be able to act on."""
    if memory.over_at is None or memory.final_notice_at is None:
        return None
    return after(max(memory.over_at, memory.final_notice_at), sight.policy.grace)


def _letter(reading: Reading) -> DunningStep | None:
    """Return the letter that a refused card calls for at once."""
    if not reading.needs_customer:
        return None
    if reading.is_neutral:
        return DunningStep.NEUTRAL
    confirm = reading.ruling is not None and reading.ruling.needs_action
    return DunningStep.AUTHENTICATION if confirm else DunningStep.CARD_UPDATE
