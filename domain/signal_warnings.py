"""Which signals warn their owner: each that opens, but not again what another warning tells already."""

from collections.abc import Mapping, Sequence

from domain.customer_state import CustomerState, HeardNotice, Memory, OpenSignal
from domain.directives import CloseHeadsUp, Directive, OpenHeadsUp
from domain.signal_catalogue import QUIET
from domain.signals_whole import COMPOUND_MEMBERS
from domain.vocabulary import NoticeKind, SignalKind

KINDS = {kind.value for kind in SignalKind}
OWN = f"{SignalKind.OWN.value}:"
COVERS: Mapping[SignalKind, frozenset[SignalKind]] = {
    SignalKind.COMPOUND_RISK: COMPOUND_MEMBERS | {SignalKind.SLA_BREACH, SignalKind.TICKET_UNRESOLVED},
    SignalKind.TICKET_OVERDUE: frozenset({SignalKind.SLA_BREACH, SignalKind.TICKET_UNRESOLVED}),
}
"""While the first is open, it speaks for the others: their own warnings rest."""
PAST = frozenset({SignalKind.SLA_BREACH})
"""What is over already: once a wider warning has told it, it does not come back."""
ENDED = "what it warned of has ended"
COVERED = "a wider warning speaks for it"


def warn_of_signals(
    state: CustomerState, notices: Sequence[HeardNotice], memory: Memory
) -> tuple[list[Directive], Memory]:
    """Warn of each signal that opened, and close the warning of each that is gone.

    A warning that a wider one replaced comes back when that one is gone and its own signal still holds.
    """
    news = [n for n in notices if n.kind is NoticeKind.SIGNAL_OPENED]
    opened = frozenset(str(notice.payload.get("signal_id")) for notice in news)
    waiting = frozenset(memory.covered)
    signals = [signal for signal in state.signals if signal.kind not in QUIET]
    told = _told_for_others(signals)
    covered, directives = _rest(signals, told, opened | waiting, state.heads_up_keys)
    free = [signal for signal in signals if signal.kind not in told]
    directives += [
        _warning(signal)
        for signal in free
        if str(signal.id) in opened | waiting and heads_up_key(signal) not in state.heads_up_keys
    ]
    held = {heads_up_key(signal) for signal in state.signals}
    gone = sorted(key for key in state.heads_up_keys if _is_of_a_signal(key) and key not in held)
    directives += [CloseHeadsUp(key, ENDED) for key in gone]
    return directives, memory.model_copy(update={"covered": covered})


def heads_up_key(signal: OpenSignal) -> str:
    """Return the key of a signal's warning: one per kind, and one per signal of the tenant's own."""
    return signal.dedupe_key if signal.kind is SignalKind.OWN else signal.kind.value


def _is_of_a_signal(key: str) -> bool:
    return key in KINDS or key.startswith(OWN)


def _told_for_others(signals: Sequence[OpenSignal]) -> frozenset[SignalKind]:
    """Return the kinds that a wider signal speaks for; a baseline one warned nobody."""
    wider = [COVERS[signal.kind] for signal in signals if signal.kind in COVERS and not signal.is_baseline]
    return frozenset().union(*wider)


def _rest(
    signals: Sequence[OpenSignal], told: frozenset[SignalKind], due: frozenset[str], keys: frozenset[str]
) -> tuple[tuple[str, ...], list[Directive]]:
    """Close the warnings that a wider one replaces, and remember which would come back."""
    resting = [signal for signal in signals if signal.kind in told]
    covered = [
        one for one in resting if one.kind not in PAST and (heads_up_key(one) in keys or str(one.id) in due)
    ]
    closing = sorted({heads_up_key(one) for one in resting} & keys)
    return tuple(str(one.id) for one in covered), [CloseHeadsUp(key, COVERED) for key in closing]


def _warning(signal: OpenSignal) -> OpenHeadsUp:
    return OpenHeadsUp(
        heads_up_key(signal),
        signal.severity,
        signal.title,
        "Open the customer to see the evidence.",
        signal.id,
    )
