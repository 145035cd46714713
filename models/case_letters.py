"""A letter of a case: guarded, claimed and recorded as those of runs are, under the customer's row lock."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseState
from domain.contact_policy import ContactPolicy
from domain.guard import Allow, Defer, ProposedSend, Refuse, Verdict, if_useful, may_send
from domain.playbook_contacts import SendEmail
from domain.run_walk import FINISHED
from domain.time import BusinessInstant, WallInstant, after
from domain.vocabulary import ContactRole, DecisionKind, EffectState, Purpose, StepState
from models.addressees import choose_addressee
from models.case_steps import CaseRecord, CaseVisit, find_record, record_visit
from models.cases import StoredCase, load_case
from models.contact_policy import load_contact_policy
from models.contact_reservations import load_reservations
from models.contact_spending import spent_lately
from models.doubts import WAIT_FOR_WORD, Asker, ask_about, whether_arrived
from models.effects import Effect, NewEffect, claim, find_effect, reclaim, settle
from models.installation import load_installation
from models.pauses import pauses_of, rests
from models.send_claims import (
    GIVEN_UP,
    SENTENCES,
    Begun,
    Busy,
    Closed,
    Lost,
    Ready,
    Route,
    Unsent,
    counts_as,
    is_about,
    payload_hash,
)
from models.send_ledger import Become, add_touchpoint, count_as_touch, sent
from models.sending_limits import ask_limit
from models.sends import SendContext, evidence_of, letter_values, sender_of, with_days_off
from models.tables.customers import CustomerRow

EMAIL = "email"
PROVIDER_REFUSED = "provider_refused"


@dataclass(frozen=True)
class CaseLetter:
    """What a case says of one letter, now."""

    template: str
    purpose: Purpose
    to: tuple[ContactRole, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    """What the template says beside what every letter has."""
    still_wanted: bool = True
    """Nothing has happened since it was ordered that makes it needless."""
    is_held_out: bool = False
    has_page: bool = False
    """There is something to do on the page of the case: the letter leads to it."""
    useful_until: BusinessInstant | None = None
    worth: float = 0.0


WriteLetter = Callable[[AsyncSession, StoredCase, CaseVisit, BusinessInstant], Awaitable[CaseLetter]]
"""Says what the letter of a visit is now; asked at each attempt, with the customer locked."""


@dataclass(frozen=True)
class CasePost:
    """The letter of one visit of one step of a case."""

    visit: CaseVisit
    write: WriteLetter

    async def begin(
        self,
        session: AsyncSession,
        route: Route,
        now: BusinessInstant,
        wall: WallInstant,
        lost: Unsent | None = None,
    ) -> Begun:
        """Ask everything that speaks against the letter, and claim it."""
        case = await load_case(session, self.visit.case_id)
        letter = await self.write(session, case, self.visit, now)
        policy = await load_contact_policy(session)
        record = await find_record(session, self.visit)
        context, order = await _context(session, case, record, self.visit, letter, policy, now)
        effect = await find_effect(session, self.visit.origin)
        standing = await self._standing(session, record, effect, Standing(context, order, lost), now, wall)
        if standing is not None:
            return standing
        verdict = may_send(context.proposed, policy.budget, now)
        if isinstance(verdict, Allow):
            late = await ask_limit(session, route.domain, order.purpose, now)
            verdict = if_useful(context.proposed, late) if late is not None else verdict
        unsent = counts_as(lost)
        if not isinstance(verdict, Allow):
            if effect is not None and isinstance(verdict, Refuse):
                await settle(session, effect.key, unsent, wall, error=verdict.reason)
            return await self._decline(session, context, verdict, now)
        digest, key = payload_hash(context, order), f"{self.visit.origin}{_target(context)}"
        if effect is not None and effect.key == key:
            return Ready(await reclaim(session, effect, digest, now, wall), context, order, now)
        if effect is not None:
            reason = "somebody else gets it: its recipient left"
            await settle(session, effect.key, unsent, wall, error=reason)
        new = NewEffect(key, EMAIL, digest, case.customer_id, route.provider, None, route.domain)
        claimed = await claim(session, new, wall)
        await add_touchpoint(session, context, claimed, order.template, now, case_id=case.id)
        return Ready(claimed, context, order, now)

    async def record(
        self, session: AsyncSession, ready: Ready | Lost, become: Become, now: BusinessInstant
    ) -> None:
        """Write it into the step's record; what is in doubt is put to a person, and waited for a while."""
        context = ready.context
        if become.state is StepState.WAITING:
            become = replace(become, due_at=after(now, WAIT_FOR_WORD))
            asker = Asker(self.visit.origin, context.customer_id, case_id=self.visit.case_id)
            await ask_about(session, asker, whether_arrived(ready.effect.delivery_id, context.csm_id), now)
        await record_visit(session, context.customer_id, self.visit, become, now)
        if become.state is StepState.DONE:
            await count_as_touch(session, context, now)

    async def _standing(
        self,
        session: AsyncSession,
        record: CaseRecord | None,
        effect: Effect | None,
        standing: "Standing",
        now: BusinessInstant,
        wall: WallInstant,
    ) -> Begun | None:
        """Return what ledger and record say of what was begun or given up before, None if it may be tried."""
        is_over = record is not None and record.state in FINISHED
        if effect is None:
            return Closed("refused", "no_longer_wanted") if is_over else None
        known = Lost(effect, standing.context, standing.order)
        if effect.state is not EffectState.CLAIMED:
            if not is_over and effect.state is not EffectState.UNCERTAIN:
                await self.record(session, known, _caught_up(effect), now)
            return Closed(effect.state.value)
        if effect.lease_until is not None:
            left = effect.lease_until - wall
            if left > timedelta():
                return Busy(left)
            if not is_about(standing.lost, effect):
                return known
        if not is_over:
            return None
        await settle(session, effect.key, counts_as(standing.lost), wall, error=GIVEN_UP)
        return Closed("refused", "no_longer_wanted")

    async def _decline(
        self, session: AsyncSession, context: SendContext, verdict: Verdict, now: BusinessInstant
    ) -> Closed:
        """Record a deferral with its time, or a refusal with its reason."""
        if isinstance(verdict, Defer):
            words = f"Put off until {verdict.until:%d %B %Y %H:%M} UTC: {SENTENCES[verdict.reason]}."
            become = Become(StepState.DEFERRED, verdict.reason, verdict.until, DecisionKind.DEFERRAL, words)
        else:
            assert isinstance(verdict, Refuse)  # noqa: S101 - the caller asked
            words = f"Not sent: {SENTENCES[verdict.reason]}."
            become = Become(StepState.SKIPPED, verdict.reason, None, DecisionKind.REFUSAL, words)
        await record_visit(session, context.customer_id, self.visit, become, now)
        return Closed("deferred" if isinstance(verdict, Defer) else "refused", verdict.reason)


@dataclass(frozen=True)
class Standing:
    """A letter as it would be now, and whether a claim whose sender is gone may be repeated."""

    context: SendContext
    order: SendEmail
    lost: Unsent | None


async def _context(
    session: AsyncSession,
    case: StoredCase,
    record: CaseRecord | None,
    visit: CaseVisit,
    letter: CaseLetter,
    policy: ContactPolicy,
    now: BusinessInstant,
) -> tuple[SendContext, SendEmail]:
    """Return everything about one letter, as `models.sends.load_send` does for one of a run."""
    query = select(CustomerRow).where(CustomerRow.id == case.customer_id)
    customer = (await session.execute(query)).scalar_one()
    order = SendEmail(to=letter.to, template=letter.template, purpose=letter.purpose, otherwise="skip")
    found = await choose_addressee(session, customer, order, order.purpose, [], now, case.kind.value)
    installation = await load_installation(session)
    pauses = await pauses_of(session, customer.id, customer.segment, now)
    touch_tier = customer.touch_tier_override or customer.touch_tier
    proposed = ProposedSend(
        purpose=letter.purpose,
        recipient=with_days_off(found[1], policy, customer.country, now) if found else None,
        still_wanted=letter.still_wanted and (case.state is CaseState.OPEN or case.hold is not None),
        effects_stopped=installation.effects_stopped_at is not None,
        released=installation.released_at is not None,
        do_not_contact=customer.do_not_contact,
        holdout=letter.is_held_out,
        touch_tier=touch_tier,
        first_asked_at=record.started_at if record is not None else now,
        spent=await spent_lately(session, customer.id, now, except_for=visit.origin),
        reserved=await load_reservations(session, customer.id, policy, now),
        key=visit.origin,
        worth=letter.worth,
        topic=case.kind.value,
        useful_until=letter.useful_until,
        is_paused=case.hold is not None or rests(pauses, case.kind.value, case.id)[0],
    )
    sender = await sender_of(session, customer.csm_id)
    values = letter_values(customer, found[0] if found else None, sender, installation.product_name)
    values["evidence"] = await evidence_of(session, customer)
    context = SendContext(
        proposed,
        found[0] if found else None,
        customer.id,
        case.kind.value,
        touch_tier,
        customer.csm_id,
        {**values, **letter.values},
        sender["email"] if sender else None,
        page_of=case.id if letter.has_page else None,
    )
    return context, order


def _target(context: SendContext) -> str:
    return str(context.person.contact_id) if context.person else "nobody"


def _caught_up(effect: Effect) -> Become:
    """Return what a step has become whose effect was settled without it."""
    if effect.state is EffectState.FAILED:
        words = effect.error or "The provider refused it."
        return Become(StepState.FAILED, PROVIDER_REFUSED, None, DecisionKind.REFUSAL, words)
    return sent(effect)
