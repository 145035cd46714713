"""Any customer, any policy of every trigger kind, and any life: what director properties are tried on."""

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from domain.customer_state import (
    CustomerState,
    DirectorPolicy,
    EndedRun,
    HeardNotice,
    KnownPlaybook,
    Memory,
    OpenRun,
    ResolvedSignal,
    RunRequest,
)
from domain.playbook import Playbook
from domain.playbook_triggers import TRIGGERS
from domain.time import BusinessInstant, after
from domain.vocabulary import (
    CustomerDate,
    CustomerStatus,
    HealthComponent,
    HealthStatus,
    InterventionState,
    Motion,
    NoticeKind,
    Outcome,
    RiskTier,
    SignalKind,
    TouchTier,
)
from tests.support.bench import DAY, NOW, QUIET, SILENCE, Bench, driver, notice, renewing, signal

EVENT = "Plan Limit Hit"
SPANS = st.sampled_from(["1d", "7d", "30d", "91d"])
KINDS = st.sampled_from([SignalKind.USAGE_DROP, SignalKind.TICKET_OVERDUE, SignalKind.INVOICE_PAST_DUE])
SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "tier": st.sampled_from(["medium", "high", "critical"]),
    "health": st.sampled_from(["neutral", "at_risk"]),
    "signals": KINDS.map(lambda kind: [kind.value]),
    "own_signals": st.just(["quiet-admins"]),
    "resolved": KINDS.map(lambda kind: [kind.value]),
    "before_renewal": SPANS,
    "on_date": st.builds(
        lambda date, at, within: {"date": date.value, "at": at, "within": within},
        st.sampled_from(list(CustomerDate)),
        st.sampled_from(["-60d", "-1d", "30d", "90d"]),
        SPANS,
    ),
    "event": st.builds(lambda times: {"performed": EVENT, "times": times, "within": "7d"}, st.integers(1, 3)),
    "schedule": st.builds(
        lambda every, since: {"every": every, "since": since.value},
        SPANS,
        st.sampled_from([CustomerDate.STARTED, CustomerDate.ONBOARDED]),
    ),
    "manual": st.just(True),
}
assert tuple(SHAPES) == TRIGGERS, "every kind of trigger is tried"
WORK = {"id": "work", "create_task": {"title": "t", "body": "b"}}
WORD = {"id": "word", "notify": {"title": "t", "body": "b"}}


@st.composite
def playbooks(draw: st.DrawFn, key: str, kind: str) -> KnownPlaybook:
    """A playbook of this kind of trigger with any rules."""
    document = {
        "key": key,
        "name": key,
        "description": "d",
        "motion": draw(st.sampled_from([Motion.RETENTION, Motion.EXPANSION, Motion.RENEWAL])),
        "priority": draw(st.sampled_from([10, 50, 50, 90])),
        "trigger": {kind: draw(SHAPES[kind])},
        "audience": draw(st.sampled_from([list(TouchTier), [TouchTier.MANAGED]])),
        "requires": draw(st.sampled_from([[], [], ["billing"]])),
        "replaces": draw(st.integers(0, 5)) == 0,
        "cooldown": draw(SPANS),
        "once": draw(st.integers(0, 4)) == 0,
        "holdout": draw(st.booleans()),
        "steps": [draw(st.sampled_from([WORK, WORD]))],
    }
    identity = uuid.uuid5(uuid.NAMESPACE_URL, key)
    return KnownPlaybook(identity, Playbook.model_validate(document), draw(st.integers(0, 3)) > 0)


@st.composite
def policies(draw: st.DrawFn) -> DirectorPolicy:
    """Up to six playbooks of any kinds, one of them several times."""
    kinds = draw(st.lists(st.sampled_from(TRIGGERS), min_size=2, max_size=6))
    found = [draw(playbooks(f"{kind.replace('_', '-')}-{at}", kind)) for at, kind in enumerate(kinds)]
    return DirectorPolicy(
        tuple(found),
        SILENCE,
        draw(st.sampled_from([None, None, 0, 1])),
        parts=draw(st.sampled_from([frozenset(), frozenset({"billing"})])),
    )


def instants(earliest: int, latest: int) -> st.SearchStrategy[BusinessInstant]:
    """Any hour so many days before or after now."""
    return st.integers(earliest * 24, latest * 24).map(lambda hours: after(NOW, timedelta(hours=hours)))


def _signals(kinds: list[SignalKind], baseline: bool) -> tuple[Any, ...]:  # noqa: FBT001 - a drawn value
    named = [(kind, "own:quiet-admins" if kind is SignalKind.OWN else "") for kind in kinds]
    return tuple(
        signal(kind, number, is_baseline=baseline and number == 1, dedupe_key=key)
        for number, (kind, key) in enumerate(named, start=1)
    )


OTHERS = [SignalKind.OWN, SignalKind.NO_CONTACT, SignalKind.CHAMPION_LEFT]
ANY_SIGNALS = st.lists(KINDS | st.sampled_from(OTHERS), unique=True, max_size=3)
ANY_DRIVERS = st.lists(st.sampled_from(list(HealthComponent)), unique=True, max_size=3)
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "tier": st.sampled_from([None, *RiskTier]),
    "touch_tier": st.sampled_from(list(TouchTier)),
    "holdout": st.integers(0, 4).map(lambda number: number == 0),
    "do_not_contact": st.integers(0, 6).map(lambda number: number == 0),
    "is_observed": st.booleans(),
    "health_status": st.sampled_from([None, *HealthStatus]),
    "health_was_better": st.booleans(),
    "tier_is_baseline": st.integers(0, 4).map(lambda number: number == 0),
    "renewal_on": st.one_of(st.none(), st.integers(-5, 100).map(renewing)),
    "dates": st.dictionaries(st.sampled_from(list(CustomerDate)), instants(-120, 60)),
    "last_touch_at": st.one_of(st.none(), instants(-90, 0)),
    "drivers": ANY_DRIVERS.map(lambda found: tuple(driver(one, 30.0 - at) for at, one in enumerate(found))),
    "signals": st.builds(_signals, ANY_SIGNALS, st.booleans()),
    "resolved": st.lists(st.tuples(KINDS, instants(-5, 0)), max_size=2).map(
        lambda found: tuple(
            ResolvedSignal(uuid.UUID(int=70 + at), kind, ended) for at, (kind, ended) in enumerate(found)
        )
    ),
    "performed": st.integers(0, 3).map(lambda times: {(EVENT, timedelta(days=7)): times}),
    "owner_load": st.sampled_from([0, 0, 59, 60, 200]),
    "churn_probability": st.sampled_from([None, 0.0, 0.3]),
}
"""What may be otherwise at the next look, beside what names playbooks."""


@dataclass(frozen=True)
class Turn:
    """What happens before one look of the director."""

    passed: timedelta
    changes: dict[str, Any]
    ended: Outcome | None
    heard: tuple[HeardNotice, ...]


def _named(draw: st.DrawFn, policy: DirectorPolicy) -> dict[str, Any]:
    """Draw wishes, rests and who is unfit, among the playbooks of a policy."""
    keys = [one.document.key for one in policy.playbooks]
    wished = draw(st.lists(st.sampled_from([*keys, "gone"]), unique=True, max_size=2))
    resting = draw(st.lists(st.sampled_from(keys), unique=True, max_size=1))
    return {
        "requests": tuple(
            RunRequest(uuid.UUID(int=90 + at), key, is_urgent=draw(st.booleans()), by="Marta")
            for at, key in enumerate(wished)
        ),
        "resting": {key: draw(st.one_of(st.none(), instants(1, 9))) for key in resting},
        "unfit": draw(st.frozensets(st.sampled_from(keys), max_size=1)),
    }


@st.composite
def lives(draw: st.DrawFn) -> tuple[Bench, list[Turn]]:
    """A customer in any state under any policy, and up to four looks at it over months."""
    policy = draw(policies())
    keys = [one.document.key for one in policy.playbooks]
    drawn = {name: draw(values) for name, values in CHANGES.items()}
    open_keys = draw(st.lists(st.sampled_from(keys), unique=True, max_size=2))
    ended_keys = draw(st.lists(st.sampled_from(keys), unique=True, max_size=2))
    state = replace(
        QUIET,
        status=draw(st.sampled_from([CustomerStatus.ACTIVE, CustomerStatus.TRIAL])),
        open_runs=tuple(_open(draw, policy, key) for key in open_keys),
        ended_runs=tuple(EndedRun(key, draw(instants(-60, 0)), Outcome.NO_CHANGE) for key in ended_keys),
        **drawn,
    )
    bench = Bench(state, policy, Memory(began_at=draw(st.one_of(st.none(), instants(-300, 0)))))
    return bench, draw(st.lists(_turns(policy), min_size=1, max_size=4))


def _open(draw: st.DrawFn, policy: DirectorPolicy, key: str) -> OpenRun:
    document = next(one.document for one in policy.playbooks if one.document.key == key)
    state = draw(st.sampled_from([InterventionState.PLANNED, InterventionState.RUNNING]))
    identity = uuid.uuid5(uuid.NAMESPACE_OID, key)
    reason = draw(st.sampled_from(["a reason", "asked:1"]))
    return OpenRun(identity, key, document.motion, document.priority, reason, state)


@st.composite
def _turns(draw: st.DrawFn, policy: DirectorPolicy) -> Turn:
    names = draw(st.lists(st.sampled_from(list(CHANGES)), unique=True, max_size=4))
    heard = draw(st.lists(st.sampled_from(list(NoticeKind)), max_size=2))
    return Turn(
        draw(st.sampled_from([timedelta(), timedelta(hours=5), DAY, 8 * DAY, 40 * DAY])),
        {name: draw(CHANGES[name]) for name in names} | _named(draw, policy),
        draw(st.sampled_from([None, None, Outcome.SAVED, Outcome.NO_CHANGE])),
        tuple(notice(kind, signal_id="no such signal") for kind in heard),
    )


def take(bench: Bench, turn: Turn) -> CustomerState:
    """Let a turn happen; return the customer as the director saw it."""
    if turn.ended is not None and bench.state.open_runs:
        bench.end(bench.state.open_runs[0].playbook_key, turn.ended)
    before = replace(bench.state, **turn.changes)
    bench.rule(*turn.heard, after=turn.passed, **turn.changes)
    return before
