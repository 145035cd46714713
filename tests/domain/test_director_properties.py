"""What holds for every ruling, whatever the customer, the policy and the news."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.customer_state import CustomerState, DirectorPolicy, EndedRun, HeardNotice, Memory, OpenRun
from domain.directives import (
    EndRun,
    OpenHeadsUp,
    OpenSilence,
    Refuse,
    ReleaseRun,
    ResolveSignal,
    RingRun,
    SetWatchlist,
    StartRun,
)
from domain.director import decide
from domain.time import BusinessInstant
from domain.vocabulary import (
    CustomerStatus,
    HealthComponent,
    InterventionState,
    NoticeKind,
    Outcome,
    RiskTier,
    SignalKind,
    TouchTier,
)
from tests.support.bench import (
    DOCUMENTS,
    NOW,
    QUIET,
    SILENCE,
    Bench,
    driver,
    known,
    notice,
    open_run,
    reasons,
    renewing,
    signal,
)

KEYS = sorted(DOCUMENTS)
STATES = st.sampled_from([InterventionState.PLANNED, InterventionState.RUNNING])


@st.composite
def policies(draw: st.DrawFn) -> DirectorPolicy:
    """The shipped library, sometimes with a second escalation, released as a person might."""
    playbooks = [known(key, released=draw(st.booleans())) for key in KEYS]
    if draw(st.booleans()):
        priority = draw(st.sampled_from([80, 95, 99]))
        playbooks.append(
            known("escalated-save", released=draw(st.booleans()), key="board-call", priority=priority)
        )
    return DirectorPolicy(tuple(playbooks), SILENCE, draw(st.sampled_from([None, None, 0, 1])))


def instants(days: int) -> st.SearchStrategy[BusinessInstant]:
    ago = st.timedeltas(timedelta(), timedelta(days=days))
    return ago.map(lambda span: BusinessInstant(NOW - span))


@st.composite
def customers(draw: st.DrawFn) -> CustomerState:
    """Any customer, also in states that no history leads to."""
    kinds = draw(st.lists(st.sampled_from(list(SignalKind)), unique=True, max_size=4))
    families = draw(st.lists(st.sampled_from(list(HealthComponent)), unique=True, max_size=3))
    running = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=2))
    ended = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=2))
    return replace(
        QUIET,
        status=draw(st.sampled_from([CustomerStatus.ACTIVE, *CustomerStatus])),
        touch_tier=draw(st.sampled_from(list(TouchTier))),
        tier=draw(st.sampled_from([None, *RiskTier])),
        tier_is_baseline=draw(st.booleans()),
        holdout=draw(st.booleans()),
        do_not_contact=draw(st.booleans()),
        is_observed=draw(st.booleans()),
        renewal_on=draw(st.one_of(st.none(), st.integers(-10, 100).map(renewing))),
        last_touch_at=draw(st.one_of(st.none(), instants(90))),
        watchlisted_at=draw(st.one_of(st.none(), instants(9))),
        drivers=tuple(driver(family, 30.0 - place) for place, family in enumerate(families)),
        signals=tuple(
            signal(kind, number, is_baseline=draw(st.booleans()))
            for number, kind in enumerate(kinds, start=1)
        ),
        open_runs=tuple(open_run(key, draw(STATES)) for key in running),
        ended_runs=tuple(EndedRun(key, draw(instants(60)), Outcome.NO_CHANGE) for key in ended),
        heads_up_keys=draw(
            st.frozensets(st.sampled_from(["watchlist", "usage_drop", "low-engagement/tell-owner"]))
        ),
    )


@st.composite
def benches(draw: st.DrawFn) -> Bench:
    began = draw(st.one_of(st.none(), instants(90)))
    return Bench(draw(customers()), draw(policies()), Memory(began_at=began))


news = st.lists(
    st.sampled_from(list(NoticeKind)).map(lambda kind: notice(kind, signal_id="no such signal")), max_size=2
)


def settle(bench: Bench) -> None:
    """Decide until nothing changes any more: what one ruling opens, the next may answer."""
    for _ in range(4):
        bench.rule()
        if not bench.ruling.directives:
            return
    raise AssertionError("rulings go on without news")


@given(customers(), policies(), news)
def test_the_same_question_gets_the_same_ruling(
    state: CustomerState, policy: DirectorPolicy, heard: list[HeardNotice]
) -> None:
    assert decide(state, heard, policy, Memory(), NOW) == decide(state, heard, policy, Memory(), NOW)


@given(benches())
def test_without_news_rulings_come_to_rest_and_stay_there(bench: Bench) -> None:
    settle(bench)
    assert bench.rule().directives == ()
    assert bench.rule(after=timedelta(seconds=1)).directives == ()


@given(benches(), news)
def test_a_second_look_repeats_no_start_no_warning_and_no_refusal(
    bench: Bench, heard: list[HeardNotice]
) -> None:
    bench.rule(*heard)
    first = set(reasons(bench.said(Refuse)))
    silent = not bench.said(OpenSilence)
    bench.rule()
    assert not set(reasons(bench.said(Refuse))) & first
    assert (bench.said(OpenHeadsUp), bench.said(SetWatchlist)) == ([], [])
    if silent:
        assert bench.started == []


@given(benches(), news)
def test_who_is_not_to_be_contacted_or_held_out_gets_no_run(bench: Bench, heard: list[HeardNotice]) -> None:
    state = bench.state
    before = {run.id: run.playbook_key for run in state.open_runs}
    bench.rule(*heard)
    begun = bench.started + [before[release.intervention_id] for release in bench.said(ReleaseRun)]
    if state.do_not_contact:
        assert begun == []
    if state.holdout and state.touch_tier is not TouchTier.STRATEGIC:
        documents = {each.document.key: each.document for each in bench.policy.playbooks}
        assert not [key for key in begun if documents[key].holdout]


@given(benches(), news)
def test_nothing_starts_beside_something_worthier_and_nothing_twice(
    bench: Bench, heard: list[HeardNotice]
) -> None:
    bench.rule(*heard)
    keys = [run.playbook_key for run in bench.state.open_runs]
    assert len(keys) == len(set(keys))
    for start in bench.said(StartRun):
        document = start.playbook.document
        if start.observed or document.replaces:
            continue
        others = [run for run in bench.state.open_runs if run.playbook_key != document.key]
        assert not [run for run in others if is_acting(run) and run.priority >= document.priority]


def is_acting(run: OpenRun) -> bool:
    return run.state is InterventionState.RUNNING


@given(benches(), news)
def test_an_escalation_that_acts_acts_alone(bench: Bench, heard: list[HeardNotice]) -> None:
    bench.rule(*heard)
    escalations = [
        start for start in bench.said(StartRun) if start.playbook.document.replaces and not start.observed
    ]
    if escalations:
        assert len(escalations) == 1
        acting = [run.playbook_key for run in bench.state.open_runs if is_acting(run)]
        assert acting == [escalations[0].playbook.document.key]


@given(benches(), news)
def test_who_has_left_has_nothing_open_and_nothing_begins(bench: Bench, heard: list[HeardNotice]) -> None:
    bench.rule(*heard, status=CustomerStatus.CHURNED)
    assert (bench.started, bench.state.open_runs, bench.ruling.next_look) == ([], (), None)
    assert {end.outcome for end in bench.said(EndRun)} <= {Outcome.CHURNED}
    assert bench.rule(*heard).directives == ()


@given(benches(), news)
def test_the_next_look_lies_ahead_and_rings_reach_only_what_runs_on(
    bench: Bench, heard: list[HeardNotice]
) -> None:
    before = {run.id: run for run in bench.state.open_runs}
    ruling = bench.rule(*heard)
    assert ruling.next_look is None or ruling.next_look > NOW
    ended = {end.intervention_id for end in bench.said(EndRun)}
    rung = [ring.intervention_id for ring in bench.said(RingRun)]
    assert ended <= set(before)
    assert len(ended) == len(bench.said(EndRun))
    churned = bench.state.status is CustomerStatus.CHURNED
    running = {run.id for run in before.values() if is_acting(run)} - ended
    told = any(one.kind is not NoticeKind.SILENCE for one in heard)
    is_news = told or bool(bench.said(OpenSilence)) or bool(bench.said(ResolveSignal))
    assert set(rung) == (running if is_news and not churned else set())


@given(benches())
def test_a_first_score_starts_no_run_for_its_tier(bench: Bench) -> None:
    bench.rule(tier_is_baseline=True)
    assert not [start for start in bench.said(StartRun) if start.reason.startswith("tier:")]


@given(benches(), st.timedeltas(timedelta(), timedelta(days=400)))
def test_silence_is_never_claimed_where_it_cannot_be_heard_or_before_its_time(
    bench: Bench, passed: timedelta
) -> None:
    bench.rule(is_observed=False, after=passed)
    assert bench.said(OpenSilence) == []
    bench.memory = Memory(began_at=NOW)
    bench.rule(is_observed=True)
    days = SILENCE[bench.state.touch_tier]
    if bench.said(OpenSilence):
        assert passed >= timedelta(days=days)
