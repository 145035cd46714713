"""Write a ruling of the director down: every directive has a row, and most have an effect of their own."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain import directives as say
from domain.signal_warnings import ENDED
from domain.time import BusinessInstant, WallInstant
from domain.trials import Assignment
from domain.vocabulary import (
    DecisionKind,
    HeadsUpState,
    InterventionState,
    RequestState,
    SignalState,
)
from domain.win_back_policy import KEY as WIN_BACK
from models.assignments import Subject, record_assignment
from models.decisions import Decision, record_decisions
from models.dunnings import open_dunning
from models.endings import RunEnding, end_run
from models.heads_up_owners import owner_of_warning
from models.open_hours import next_opening
from models.tables.customers import CustomerRow
from models.tables.playbooks import InterventionRow, PlaybookRow
from models.tables.runs import RunRequestRow
from models.tables.scoring import SignalRow
from models.tables.work import HeadsUpRow
from models.win_back_openings import open_win_back

LATELY = timedelta(hours=24)
"""A warning whose cause comes back within this is the same warning."""


@dataclass(frozen=True)
class Started:
    """A run whose workflow is to begin."""

    intervention_id: uuid.UUID
    motion: str
    opens_with: str | None = None
    """A message that may go out as soon as it begins."""
    opens_at: BusinessInstant | None = None
    """When doors open for a run that begins with a message, None where it begins now."""


@dataclass
class Written:
    """One ruling being written, and what the workflow must carry out afterwards."""

    session: AsyncSession
    customer_id: uuid.UUID
    now: BusinessInstant
    wall: WallInstant
    decisions: list[Decision] = field(default_factory=list)
    starts: list[Started] = field(default_factory=list)
    rings: list[uuid.UUID] = field(default_factory=list)

    def decide(
        self, kind: DecisionKind, action: str, subject: str, reason: str, sentence: str, **more: Any
    ) -> None:
        """Add a row for the ledger; `more` may name the intervention and evidence."""
        self.decisions.append(Decision(self.customer_id, kind, action, subject, reason, sentence, **more))


async def write_ruling(
    session: AsyncSession, customer_id: uuid.UUID, ruling: say.Ruling, now: BusinessInstant, wall: WallInstant
) -> Written:
    """Carry out every directive in this transaction."""
    written = Written(session, customer_id, now, wall)
    for directive in ruling.directives:
        await WRITERS[type(directive)](written, directive)
    await record_decisions(session, written.decisions, now)
    return written


async def _start(written: Written, start: say.StartRun) -> None:
    """Open a run, or only plan it while its playbook is not released."""
    run_id = uuid.uuid4()
    document = start.playbook.document
    state = InterventionState.PLANNED if start.observed else InterventionState.RUNNING
    waits = document.opens_with_a_message and not start.observed
    opens_at = await next_opening(written.session, written.customer_id, written.now) if waits else None
    opened = await written.session.scalar(
        upsert(InterventionRow)
        .values(
            id=run_id,
            customer_id=written.customer_id,
            playbook_key=document.key,
            version_id=start.playbook.version_id,
            reason=start.reason,
            causes=list(start.causes),
            state=state,
            position={},
            planned_at=written.now,
            started_at=None if start.observed else written.now,
            expected_wake_at=opens_at,
        )
        .on_conflict_do_nothing()
        .returning(InterventionRow.id)
    )
    if opened is None:
        return
    if start.request_id is not None:
        answer = {"state": RequestState.OPENED, "answer": start.sentence, "intervention_id": run_id}
        await _answer_request(written, start.request_id, answer)
    kind = DecisionKind.OBSERVED if start.observed else DecisionKind.DIRECTIVE
    evidence = {
        "causes": list(start.causes),
        "version_id": str(start.playbook.version_id),
        "expected_value": round(start.expected_value, 2),
        "uplift": start.uplift,
    }
    written.decide(
        kind,
        "start_run",
        document.key,
        start.reason,
        start.sentence,
        evidence=evidence,
        intervention_id=run_id,
    )
    await _assigned(written, document.key, start.playbook.version_id, run_id, start.assignment)
    if not start.observed:
        written.starts.append(Started(run_id, document.motion.value, document.opening_message, opens_at))


async def _release(written: Written, release: say.ReleaseRun) -> None:
    row = (
        await written.session.execute(
            update(InterventionRow)
            .where(
                InterventionRow.id == release.intervention_id,
                InterventionRow.state == InterventionState.PLANNED,
            )
            .values(
                state=InterventionState.RUNNING,
                started_at=written.now,
                causes=list(release.causes) or InterventionRow.causes,
            )
            .returning(InterventionRow.playbook_key, InterventionRow.reason, InterventionRow.version_id)
        )
    ).one_or_none()
    if row is None:
        return
    motion = await written.session.scalar(
        select(PlaybookRow.motion).where(PlaybookRow.key == row.playbook_key)
    )
    written.starts.append(Started(release.intervention_id, motion.value if motion else ""))
    await _assigned(written, row.playbook_key, row.version_id, release.intervention_id, release.assignment)
    written.decide(
        DecisionKind.DIRECTIVE,
        "release_run",
        row.playbook_key,
        row.reason,
        release.sentence,
        intervention_id=release.intervention_id,
    )


async def _withhold(written: Written, omission: say.Withhold) -> None:
    """Keep who was left out by chance: the refusal beside it is told once, the observation stays."""
    known = omission.playbook
    await _assigned(written, known.document.key, known.version_id, None, omission.assignment)


async def _assigned(
    written: Written,
    playbook_key: str,
    version_id: uuid.UUID,
    run_id: uuid.UUID | None,
    assignment: Assignment | None,
) -> None:
    if assignment is not None:
        subject = Subject(written.customer_id, playbook_key, version_id, run_id)
        await record_assignment(written.session, subject, assignment, written.now)


async def _end(written: Written, end: say.EndRun) -> None:
    ending = RunEnding(end.intervention_id, written.customer_id, end.outcome, end.sentence)
    started = await end_run(written.session, ending, written.now)
    if started:
        written.rings.append(end.intervention_id)


async def _ring(written: Written, ring: say.RingRun) -> None:
    written.rings.append(ring.intervention_id)


async def _refuse(written: Written, refusal: say.Refuse) -> None:
    written.decide(DecisionKind.REFUSAL, "start_run", refusal.playbook_key, refusal.reason, refusal.sentence)


async def _answer(written: Written, answer: say.AnswerRequest) -> None:
    """Tell whoever asked for a run why there is none."""
    values = {"state": RequestState.REFUSED, "answer": answer.sentence}
    await _answer_request(written, answer.request_id, values)
    written.decide(
        DecisionKind.REFUSAL,
        "start_run",
        answer.playbook_key,
        answer.reason,
        answer.sentence,
        evidence={"request_id": str(answer.request_id)},
    )


async def _answer_request(written: Written, request_id: uuid.UUID, values: dict[str, Any]) -> None:
    await written.session.execute(
        update(RunRequestRow).where(RunRequestRow.id == request_id).values(**values, answered_at=written.now)
    )


async def open_heads_up(
    session: AsyncSession,
    customer_id: uuid.UUID,
    warning: say.OpenHeadsUp,
    now: BusinessInstant,
    owner_id: uuid.UUID | None = None,
) -> bool:
    """Warn the owner, unless the same warning is open: the one given, else whoever looks after the customer.

    What is for the customer's owner goes with the customer; what is for somebody else stays with them.
    """
    customer = (
        await session.execute(
            select(CustomerRow.csm_id, CustomerRow.arr_minor, CustomerRow.currency).where(
                CustomerRow.id == customer_id
            )
        )
    ).one()
    if await _comes_back(session, customer_id, warning, now):
        return False
    follows = owner_id is None or owner_id == customer.csm_id
    looks_after = await owner_of_warning(session, customer.csm_id, now) if follows else owner_id
    statement = upsert(HeadsUpRow).values(
        id=uuid.uuid4(),
        customer_id=customer_id,
        signal_id=warning.signal_id,
        dedupe_key=warning.dedupe_key,
        owner_id=looks_after,
        follows_customer=follows,
        severity=warning.severity,
        title=warning.title,
        body=warning.body,
        arr_minor=customer.arr_minor,
        currency=customer.currency,
        state=HeadsUpState.OPEN,
        opened_at=now,
    )
    opened = await session.scalar(statement.on_conflict_do_nothing().returning(HeadsUpRow.id))
    return opened is not None


async def _comes_back(
    session: AsyncSession, customer_id: uuid.UUID, warning: say.OpenHeadsUp, now: BusinessInstant
) -> bool:
    """Open the same warning again where its cause was gone for less than a day: its owner has been told."""
    row = HeadsUpRow
    mine = (row.customer_id == customer_id) & (row.dedupe_key == warning.dedupe_key)
    newest = select(row.id).where(mine).order_by(row.opened_at.desc(), row.id).limit(1)
    statement = (
        update(row)
        .where(
            row.id == newest.scalar_subquery(),
            row.state == HeadsUpState.CLOSED,
            row.closed_reason == ENDED,
            row.closed_at > now - LATELY,
            row.severity == warning.severity,
        )
        .values(state=HeadsUpState.OPEN, closed_at=None, closed_reason=None, signal_id=warning.signal_id)
    )
    return await session.scalar(statement.returning(row.id)) is not None


async def _warn(written: Written, warning: say.OpenHeadsUp) -> None:
    if await open_heads_up(written.session, written.customer_id, warning, written.now):
        written.decide(
            DecisionKind.DIRECTIVE, "heads_up", warning.dedupe_key, warning.severity.value, warning.title
        )


async def _unwarn(written: Written, close: say.CloseHeadsUp) -> None:
    await written.session.execute(
        update(HeadsUpRow)
        .where(
            HeadsUpRow.customer_id == written.customer_id,
            HeadsUpRow.dedupe_key == close.dedupe_key,
            HeadsUpRow.state != HeadsUpState.CLOSED,
        )
        .values(state=HeadsUpState.CLOSED, closed_at=written.now, closed_reason=close.reason)
    )


async def _open_silence(written: Written, silence: say.OpenSilence) -> None:
    """Open the signal that only the customer's own deadline can see; the same ruling has heard of it."""
    await written.session.execute(
        insert(SignalRow).values(
            id=silence.signal_id,
            customer_id=written.customer_id,
            kind=silence.kind,
            dedupe_key=silence.kind.value,
            severity=silence.severity,
            state=SignalState.OPEN,
            title=silence.title,
            evidence=silence.evidence,
            is_baseline=False,
            opened_at=written.now,
            updated_at=written.now,
        )
    )
    written.decide(
        DecisionKind.DIRECTIVE, "open_signal", silence.kind.value, "longest_silence", silence.title
    )


async def _resolve(written: Written, resolve: say.ResolveSignal) -> None:
    await written.session.execute(
        update(SignalRow)
        .where(SignalRow.id == resolve.signal_id, SignalRow.state == SignalState.OPEN)
        .values(state=SignalState.RESOLVED, resolved_at=written.now, updated_at=written.now)
    )


async def _watch(written: Written, watch: say.SetWatchlist) -> None:
    await written.session.execute(
        update(CustomerRow)
        .where(CustomerRow.id == written.customer_id)
        .values(watchlisted_at=written.now if watch.on else None)
    )
    action = "watchlist_on" if watch.on else "watchlist_off"
    written.decide(DecisionKind.DIRECTIVE, action, "watchlist", "tier", watch.sentence)


async def _open_dunning(written: Written, case: say.OpenDunning) -> None:
    """Open the case of an invoice; its own decision says so, and the relay starts its workflow."""
    await open_dunning(written.session, case.invoice_id, case.sentence, written.now, written.wall)


async def _win_back(written: Written, opening: say.OpenWinBack) -> None:
    await open_win_back(written.session, written.customer_id, opening, written.now, written.wall)


async def _no_win_back(written: Written, refusal: say.RefuseWinBack) -> None:
    written.decide(DecisionKind.REFUSAL, "open_case", WIN_BACK, refusal.reason, refusal.sentence)


WRITERS: dict[type, Callable[[Written, Any], Awaitable[None]]] = {
    say.StartRun: _start,
    say.ReleaseRun: _release,
    say.EndRun: _end,
    say.RingRun: _ring,
    say.Refuse: _refuse,
    say.Withhold: _withhold,
    say.AnswerRequest: _answer,
    say.OpenHeadsUp: _warn,
    say.CloseHeadsUp: _unwarn,
    say.OpenSilence: _open_silence,
    say.ResolveSignal: _resolve,
    say.SetWatchlist: _watch,
    say.OpenDunning: _open_dunning,
    say.OpenWinBack: _win_back,
    say.RefuseWinBack: _no_win_back,
}
