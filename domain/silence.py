"""How long nobody has spoken with a customer, and when that is too long for its touch tier."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from domain.calendar import spread
from domain.customer_state import (
    CustomerState,
    DirectorPolicy,
    HeardNotice,
    Memory,
    OpenSignal,
    ResolvedSignal,
)
from domain.directives import Directive, OpenSilence, ResolveSignal, Silence
from domain.openings import JITTER, MORNING
from domain.signals_people import no_contact
from domain.time import BusinessInstant, start_of_day
from domain.vocabulary import NoticeKind, SignalKind


@dataclass(frozen=True)
class Heard:
    """What a look at the silence leads to, and what everything after it sees."""

    state: CustomerState
    notices: tuple[HeardNotice, ...]
    memory: Memory
    directives: tuple[Directive, ...] = ()
    watched: Silence | None = None


def silence(
    state: CustomerState,
    notices: Sequence[HeardNotice],
    policy: DirectorPolicy,
    memory: Memory,
    now: BusinessInstant,
) -> Heard:
    """Open the no_contact signal when the deadline passes, resolve it when somebody speaks.

    What follows from that, a warning or a run, follows in the same ruling.
    """
    heard = Heard(state, tuple(notices), memory)
    held = next((signal for signal in state.signals if signal.kind is SignalKind.NO_CONTACT), None)
    watched = _watched(state, policy, memory)
    if held is None and (watched is None or now < watched.due_at):
        return replace(heard, watched=watched)
    if held is None:
        return _opened(heard, policy, now)
    if state.last_touch_at is None or state.last_touch_at < held.opened_at:
        return heard
    return replace(_resolved(heard, held, now), watched=watched)


def _opened(heard: Heard, policy: DirectorPolicy, now: BusinessInstant) -> Heard:
    state = heard.state
    days = policy.longest_silence_days[state.touch_tier]
    severity, title, evidence = no_contact(state.last_touch_at, days, state.touch_tier)
    signal_id = uuid.uuid5(state.customer_id, f"no_contact/{now.isoformat()}")
    signal = OpenSignal(signal_id, SignalKind.NO_CONTACT, severity, title, now)
    return Heard(
        replace(state, signals=(*state.signals, signal)),
        (*heard.notices, _news(NoticeKind.SIGNAL_OPENED, signal_id, now)),
        heard.memory.model_copy(update={"silence_from": now}),
        (OpenSilence(signal_id, SignalKind.NO_CONTACT, severity, title, dict(evidence)),),
    )


def _resolved(heard: Heard, held: OpenSignal, now: BusinessInstant) -> Heard:
    state = heard.state
    kept = tuple(signal for signal in state.signals if signal.id != held.id)
    resolved = (*state.resolved, ResolvedSignal(held.id, held.kind, now))
    return Heard(
        replace(state, signals=kept, resolved=resolved),
        (*heard.notices, _news(NoticeKind.SIGNAL_RESOLVED, held.id, now)),
        heard.memory,
        (ResolveSignal(held.id, "somebody has spoken with the customer"),),
    )


def _news(kind: NoticeKind, signal_id: uuid.UUID, now: BusinessInstant) -> HeardNotice:
    return HeardNotice(kind, {"signal_id": str(signal_id), "kind": SignalKind.NO_CONTACT.value}, now)


def _watched(state: CustomerState, policy: DirectorPolicy, memory: Memory) -> Silence | None:
    """Return since when it is quiet and when that is too long, None where we could not hear a contact."""
    if not state.is_observed:
        return None
    beginnings = (state.last_touch_at, memory.silence_from, memory.began_at, state.heard_since)
    known = [at for at in beginnings if at is not None]
    if not known:
        return None
    allowed = timedelta(days=policy.longest_silence_days[state.touch_tier])
    jitter = spread(f"silence/{state.customer_id}", JITTER)
    return Silence(max(known), _morning(BusinessInstant(max(known) + allowed), jitter))


def _morning(at: BusinessInstant, jitter: timedelta) -> BusinessInstant:
    """Return the first morning from an instant on: whom a silence calls is at work then."""
    today = BusinessInstant(start_of_day(at.date()) + MORNING + jitter)
    return today if today >= at else BusinessInstant(today + timedelta(days=1))
