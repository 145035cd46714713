import uuid

import pytest
from sqlalchemy import update

from domain.errors import NotFoundError
from domain.timeline import Segment, Timeline
from domain.vocabulary import (
    DecisionKind,
    HealthStatus,
    InterventionState,
    Outcome,
    RiskTier,
    SignalState,
    TaskState,
)
from models.clock import wall_now
from models.database import Database
from models.tables.playbooks import InterventionRow
from models.views.chrome import load_chrome
from models.views.customer import load_contacts, load_customer, load_signals
from models.views.data import load_imports, load_sources
from models.views.decisions import DecisionFilter, load_decisions, load_reasons
from models.views.inbox import InboxScope, InboxShow, load_inbox
from models.views.plan import load_plan
from models.views.playbooks import load_playbook, load_playbooks
from models.views.quarantine import load_quarantine
from models.views.runs import RunFilter, load_run, load_runs
from models.views.timeline import Entry, EntryKind, load_timeline
from tests.support.sample_rows import NOW, Sample, fill

pytestmark = pytest.mark.integration


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        return await fill(session, customers=30)


async def test_a_customer_comes_with_verdict_score_trend_and_people(
    database: Database, sample: Sample
) -> None:
    first = sample.customers[0]
    async with database.transaction() as session:
        page = await load_customer(session, first, NOW)
        contacts = await load_contacts(session, first)
        signals = await load_signals(session, first)
    assert (page.row["name"], page.health) == ("Alder & Finch", HealthStatus.AT_RISK)
    assert page.score is not None
    assert page.score.horizon_days == 90
    assert page.score.drivers[0].points > 0
    assert page.verdict is not None
    assert len(page.verdict.components) == 7
    assert page.verdict.changes
    assert page.trend is not None
    assert page.standing.tier is RiskTier.CRITICAL
    assert contacts[-1].name == "Hanna Brandt"
    assert contacts[-1].left_at is not None
    assert {signal.state for signal in signals} == {SignalState.OPEN}


async def test_a_customer_without_a_score_still_has_a_page(database: Database, sample: Sample) -> None:
    async with database.transaction() as session:
        page = await load_customer(session, sample.customers[9], NOW)
    assert (page.score, page.trend) == (None, None)
    assert page.verdict is not None
    assert page.verdict.limited_since is not None


async def test_an_unknown_customer_is_not_found(database: Database) -> None:
    with pytest.raises(NotFoundError):
        async with database.transaction() as session:
            await load_customer(session, uuid.uuid4(), NOW)


async def test_the_story_is_in_order_complete_over_its_pages_and_never_ahead_of_now(
    database: Database, sample: Sample
) -> None:
    seen: list[Entry] = []
    before = None
    async with database.transaction() as session:
        while True:
            page = await load_timeline(session, sample.customers[2], (), before, NOW)
            seen += page.entries
            before = page.before
            if before is None:
                break
    instants = [entry.at for entry in seen]
    assert instants == sorted(instants, reverse=True)
    assert instants[0] <= NOW
    assert len({(entry.id, entry.what) for entry in seen}) == len(seen)
    assert {entry.kind for entry in seen} == set(EntryKind)


@pytest.mark.parametrize("kind", list(EntryKind))
async def test_the_story_can_be_cut_to_one_kind(database: Database, sample: Sample, kind: EntryKind) -> None:
    async with database.transaction() as session:
        page = await load_timeline(session, sample.customers[2], (kind,), None, NOW)
    assert {entry.kind for entry in page.entries} == {kind}


@pytest.mark.parametrize("before", ["", "nonsense", "2026-01-01~x", "2026-01-01T00:00:00~"])
async def test_a_made_up_place_in_the_story_starts_at_its_beginning(
    database: Database, sample: Sample, before: str
) -> None:
    async with database.transaction() as session:
        page = await load_timeline(session, sample.customers[0], (), before, NOW)
        whole = await load_timeline(session, sample.customers[0], (), None, NOW)
    assert page.entries == whole.entries


async def test_runs_are_filtered_and_those_that_overslept_are_marked(
    database: Database, sample: Sample
) -> None:
    async with database.transaction() as session:
        everything = await load_runs(session, RunFilter(), NOW)
        saved = await load_runs(session, RunFilter(outcomes=(Outcome.SAVED,)), NOW)
        late = await load_runs(session, RunFilter(overslept=True), NOW)
        detail = await load_run(session, saved.runs[0].id, NOW)
    assert everything.runs[-1].state is InterventionState.ENDED
    assert {run.outcome for run in saved.runs} == {Outcome.SAVED}
    assert [run.overslept for run in late.runs] == [True]
    assert late.runs[0].customer == "Fathom Analytics"
    async with database.transaction() as session:
        resting = update(InterventionRow).where(InterventionRow.id == late.runs[0].id)
        await session.execute(resting.values(state=InterventionState.PAUSED))
        assert (await load_runs(session, RunFilter(overslept=True), NOW)).total == 1, "a rest has an end, too"
        await session.execute(resting.values(expected_wake_at=None))
        assert (await load_runs(session, RunFilter(overslept=True), NOW)).total == 0, (
            "or none, until somebody"
        )
    assert detail.steps
    assert detail.document["key"] == detail.line.playbook_key


async def test_the_inbox_ranks_customers_by_revenue_and_shows_a_manager_the_team(
    database: Database, sample: Sample
) -> None:
    jonas, marta = sample.users["jonas"], sample.users["marta"]
    async with database.transaction() as session:
        mine = await load_inbox(session, InboxScope.MINE, InboxShow.DUE, jonas, NOW)
        team = await load_inbox(session, InboxScope.TEAM, InboxShow.DUE, marta, NOW)
        chrome = await load_chrome(session, jonas, NOW)
        nothing = await load_inbox(session, InboxScope.MINE, InboxShow.DUE, marta, NOW)
    sizes = [group.arr_minor for group in team.groups]
    assert sizes == sorted(sizes, reverse=True)
    assert 0 < mine.lines < team.lines
    assert chrome.waiting_for_me == mine.lines
    assert nothing.lines == 0
    assert {task.assignee for group in mine.groups for task in group.tasks} == {"Jonas Weber"}
    assert all(task.state is TaskState.OPEN for group in team.groups for task in group.tasks)


async def test_decisions_are_newest_first_and_filtered_by_kind_and_reason(
    database: Database, sample: Sample
) -> None:
    async with database.transaction() as session:
        refused = await load_decisions(session, DecisionFilter(kinds=(DecisionKind.REFUSAL,)))
        quiet = await load_decisions(session, DecisionFilter(reason="quiet_hours"), size=2)
        reasons = await load_reasons(session)
    assert {line.kind for line in refused.decisions} == {DecisionKind.REFUSAL}
    assert (len(quiet.decisions), quiet.more) == (2, True)
    given = {"tier_high", "other_run_open", "quiet_hours", "payment_failed"}
    assert {reason for reason, _ in reasons} == given


async def test_playbooks_come_with_their_runs_by_outcome(database: Database, sample: Sample) -> None:
    async with database.transaction() as session:
        playbooks = await load_playbooks(session)
        one = await load_playbook(session, "low-engagement")
    assert [playbook.key for playbook in playbooks] == ["escalated-save", "low-engagement"]
    assert dict(one.outcomes) == {Outcome.SAVED: 2}
    assert one.runs == sum(count for _, count in one.states)
    with pytest.raises(NotFoundError):
        async with database.transaction() as session:
            await load_playbook(session, "no-such")


async def test_the_plan_counts_what_a_release_would_carry_out(database: Database) -> None:
    async with database.transaction() as session:
        sample = await fill(session, customers=30, released=False)
        plan = await load_plan(session)
        chrome = await load_chrome(session, sample.users["ada"], NOW)
    assert plan.runs == plan.customers == sum(playbook.customers for playbook in plan.playbooks) > 0
    assert plan.messages == sum(playbook.customers * playbook.messages for playbook in plan.playbooks)
    assert chrome.planned == plan.runs
    assert chrome.is_observing
    assert chrome.released_at is None


async def test_a_new_installation_observes(database: Database) -> None:
    async with database.transaction() as session:
        chrome = await load_chrome(session, uuid.uuid4(), NOW)
    assert chrome.is_observing
    assert (chrome.planned, chrome.waiting_for_me) == (0, 0)


async def test_imports_add_up_and_bad_rows_say_where_and_why(database: Database, sample: Sample) -> None:
    async with database.transaction() as session:
        imports = await load_imports(session)
        waiting = await load_quarantine(session, 1)
        settled = await load_quarantine(session, 1, settled=True)
        sources = await load_sources(session, Timeline((Segment(wall_now(), NOW, 1.0),)), wall_now())
    assert (imports[0].read, imports[0].stored, imports[0].quarantined) == (500, 495, 1)
    assert (waiting.rows[0].file, waiting.rows[0].line, waiting.rows[0].field) == (
        "accounts.csv",
        118,
        "started_at",
    )
    assert settled.total == 0
    assert sources[0].last_fact_at is not None
