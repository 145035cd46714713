"""Cases of unpaid invoices played to their end against worlds that refuse, pay, dispute and change cards."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.billing import (
    Collection,
    Decline,
    FinalAction,
    InvoiceEvidence,
    InvoiceStatus,
    PaymentMethod,
    Retries,
)
from domain.case_vocabulary import AttemptResult, CaseOutcome, PaidBy
from domain.declines import CODES, DeclineKind, rule_on
from domain.dunning import decide_dunning, first_memory
from domain.dunning_policy import DunningPolicy, Notices, RetrySchedule
from domain.dunning_schedule import CardUse
from domain.dunning_state import DEEDS, Attempt, DunningMemory, DunningRuling, DunningState, DunningStep
from domain.time import BusinessInstant, after, business

MONDAY = business(datetime(2026, 3, 2, 8, tzinfo=UTC))
DAY = timedelta(days=1)
POLICY = DunningPolicy(final_action=FinalAction.CANCEL)
LONGEST = 400
"""Looks after which a case has not come to an end."""


@dataclass
class World:
    """One invoice at a provider and the case that looks at it; events happen at whole days."""

    codes: list[str]
    """With what the card on file refuses, in order, the last one for ever; an empty one accepts."""
    policy: DunningPolicy = POLICY
    events: dict[int, dict[str, object]] = field(default_factory=dict)
    collection: Collection = Collection.CHARGE
    retries: Retries = Retries.EVERSTAY
    do_not_contact: bool = False
    now: BusinessInstant = MONDAY
    attempts: list[Attempt] = field(default_factory=list)
    charged: list[tuple[BusinessInstant, str, InvoiceEvidence]] = field(default_factory=list)
    letters: list[tuple[BusinessInstant, DunningStep]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.evidence = InvoiceEvidence(
            "in_1", "cus_1", InvoiceStatus.OPEN, self.collection, "USD", 100_00, 0, 100_00, MONDAY, MONDAY,
            subscription_key="sub_1", attempts=1, method=PaymentMethod("card_1", "visa"),
        )  # fmt: skip
        self.memory: DunningMemory = first_memory(100_00, MONDAY)
        if self.collection is Collection.CHARGE:
            self.refuse(PaidBy.PROVIDER)

    def refuse(self, by: PaidBy) -> None:
        code = self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]
        method = self.evidence.method
        assert method is not None
        if code:
            told = Attempt(self.now, by, AttemptResult.DECLINED, method.key, method.brand, Decline(code))
            self.attempts.append(told)
        else:
            self.attempts.append(Attempt(self.now, by, AttemptResult.SUCCEEDED, method.key, method.brand))
            self.evidence = replace(self.evidence, status=InvoiceStatus.PAID, remaining_minor=0)

    def look(self) -> DunningRuling:
        method = self.evidence.method
        key = method.key if method is not None else ""
        mine = [one for one in self.attempts if one.card_key == key]
        barred = any(
            one.decline is not None and rule_on(one.decline).kind is DeclineKind.NEVER for one in mine
        )
        card = CardUse(key, "visa", tuple(one.at for one in mine), barred)
        state = DunningState(
            "case", self.memory, self.retries, attempts=tuple(self.attempts), card=card,
            do_not_contact=self.do_not_contact,
        )  # fmt: skip
        ruling = decide_dunning(state, self.evidence, self.policy, self.now)
        self.memory = ruling.memory
        return ruling

    def play(self) -> DunningRuling:
        """Carry out whatever is ordered until the case ends."""
        for _ in range(LONGEST):
            self._happen()
            ruling = self.look()
            if ruling.question is not None:
                self.questions.append(ruling.question.key)
            if ruling.ending is not None:
                return ruling
            if ruling.step is DunningStep.COLLECT:
                method = self.evidence.method
                assert method is not None
                self.charged.append((self.now, method.key, self.evidence))
                self.refuse(PaidBy.EVERSTAY)
            elif ruling.step is not None and ruling.step not in DEEDS:
                self.letters.append((self.now, ruling.step))
            elif ruling.step is None:
                assert ruling.wake_at is not None
                self.now = max(ruling.wake_at, self.now)
        raise AssertionError("the case does not come to an end")

    def _happen(self) -> None:
        for on in sorted(day for day in self.events if after(MONDAY, day * DAY) <= self.now):
            self.evidence = replace(self.evidence, **self.events.pop(on))  # type: ignore[arg-type]  # the test's


codes = st.lists(st.sampled_from([*CODES, "unknown", ""]), min_size=1, max_size=6)
part = st.fixed_dictionaries({"remaining_minor": st.integers(1, 90_00)})
other_card = st.sampled_from([{"method": PaymentMethod(f"card_{n}", "visa")} for n in (1, 2, 3)])
dispute = st.sampled_from([{"is_disputed": True}, {"is_disputed": False}, {"pending": False}])
paid = st.just({"status": InvoiceStatus.PAID, "remaining_minor": 0})
events = st.dictionaries(st.integers(1, 40), st.one_of(part, other_card, dispute, paid), max_size=5)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    happening: dict[int, dict[str, object]] = {on: {**what} for on, what in draw(events).items()}
    happening[41] = {"is_disputed": False}
    return World(
        draw(codes),
        events=happening,
        collection=draw(st.sampled_from(list(Collection))),
        retries=draw(st.sampled_from(list(Retries))),
        do_not_contact=draw(st.booleans()),
        policy=DunningPolicy(
            retries=RetrySchedule(attempts=draw(st.integers(0, 12)), within_days=draw(st.integers(3, 30))),
            notices=Notices(per_week=draw(st.integers(1, 3)), least_hours=draw(st.integers(12, 96))),
            final_action=draw(st.sampled_from(list(FinalAction))),
        ),
    )


@settings(max_examples=150, deadline=None)
@given(world=worlds())
def test_every_case_ends_and_charges_and_letters_keep_every_rule(world: World) -> None:
    world.play()
    assert list(_wrong_charges(world)) == []
    times = [at for at, _ in world.letters]
    rules = world.policy.notices
    assert all(later - sooner >= rules.least_gap for sooner, later in pairwise(times))
    assert all(times[n + rules.per_week] - times[n] >= 7 * DAY for n in range(len(times) - rules.per_week))


def _wrong_charges(world: World) -> Iterator[str]:
    """Yield what no charge may be: after a payment, in a dispute, on a card that was refused for good."""
    for at, card, seen in world.charged:
        before = [one for one in world.attempts if one.at < at]
        if seen.status is not InvoiceStatus.OPEN or seen.is_disputed or seen.pending:
            yield "it was paid, disputed or under way"
        if any(one.refused_for_good and one.card_key == card for one in before):
            yield "the card was refused for good"
        if any(one.decline and rule_on(one.decline).is_revoked for one in before):
            yield "the permission was taken back"
        if world.retries is Retries.PROVIDER or world.collection is Collection.TRANSFER:
            yield "it is not ours to charge"
    if world.policy.retries.attempts == 0 and world.charged:
        yield "the policy allows none"


@settings(max_examples=60, deadline=None)
@given(code=st.sampled_from([*CODES, "unknown"]), attempts=st.integers(0, 30), within=st.integers(1, 60))
def test_one_card_is_charged_no_oftener_than_the_policy_and_the_network_allow(
    code: str, attempts: int, within: int
) -> None:
    policy = DunningPolicy(retries=RetrySchedule(attempts=attempts, within_days=within, least_hours=1))
    world = World([code], policy=policy)
    world.play()
    assert len(world.charged) <= attempts
    times = [one.at for one in world.attempts]
    assert all(sum(at - 30 * DAY < one <= at for one in times) <= 20 for at in times)


def test_a_soft_refusal_is_tried_eight_times_in_a_fortnight_by_default() -> None:
    world = World(["insufficient_funds"])
    ending = world.play().ending
    assert ending is not None
    assert ending.outcome is CaseOutcome.EXHAUSTED
    assert len(world.charged) == 8
    assert world.charged[-1][0] - MONDAY <= 14 * DAY
    assert [step for _, step in world.letters][-1] is DunningStep.FINAL_NOTICE


@pytest.mark.parametrize(
    ("code", "letter"),
    [
        ("expired_card", DunningStep.CARD_UPDATE),
        ("authentication_required", DunningStep.AUTHENTICATION),
        ("stolen_card", DunningStep.NEUTRAL),
    ],
)
def test_a_hard_refusal_is_written_about_at_once_and_never_charged(code: str, letter: DunningStep) -> None:
    world = World([code])
    world.play()
    assert world.letters[0] == (MONDAY, letter)
    assert world.charged == []


def test_never_says_why_a_card_was_refused_for_good() -> None:
    world = World(["fraudulent"])
    world.play()
    assert {step for _, step in world.letters} == {DunningStep.NEUTRAL, DunningStep.FINAL_NOTICE}


def test_another_card_is_charged_once_at_once() -> None:
    world = World(["expired_card", ""], events={3: {"method": PaymentMethod("card_2", "visa")}})
    ending = world.play().ending
    assert ending is not None
    assert (ending.outcome, ending.paid_by) == (CaseOutcome.RECOVERED, PaidBy.EVERSTAY)
    assert [card for _, card, _ in world.charged] == ["card_2"]


def test_a_part_that_is_paid_gives_the_whole_schedule_again() -> None:
    world = World(["insufficient_funds"], events={10: {"remaining_minor": 40_00}})
    world.play()
    assert world.charged[-1][0] - MONDAY > 20 * DAY
    assert world.memory.recovered_minor == 60_00


def test_whoever_asked_not_to_be_contacted_gets_the_first_word_and_the_last() -> None:
    world = World(["insufficient_funds"], do_not_contact=True)
    world.play()
    assert [step for _, step in world.letters] == [DunningStep.GENTLE, DunningStep.FINAL_NOTICE]


def test_tone_follows_lateness() -> None:
    world = World(["expired_card"], policy=DunningPolicy(notices=Notices(after_days=(1, 6, 12))))
    world.play()
    tones = [step for _, step in world.letters]
    assert tones == [
        DunningStep.CARD_UPDATE, DunningStep.GENTLE, DunningStep.NEUTRAL, DunningStep.FIRM,
        DunningStep.FINAL_NOTICE,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        ({"write_off_below": {"USD": 200_00}}, CaseOutcome.WRITTEN_OFF),
        ({"escalate_from": {"USD": 50_00}}, CaseOutcome.ESCALATED),
        ({"escalate_from": {"EUR": 1}}, CaseOutcome.EXHAUSTED),
    ],
)
def test_the_amount_decides_about_the_end(limits: dict[str, object], outcome: CaseOutcome) -> None:
    ending = World(["stolen_card"], policy=DunningPolicy.model_validate(limits)).play().ending
    assert ending is not None
    assert ending.outcome is outcome


def test_a_case_that_is_held_loses_no_time() -> None:
    free, held = World(["insufficient_funds"]), World(["insufficient_funds"])
    held.events = {2: {"is_disputed": True}, 12: {"is_disputed": False}}
    free.play()
    held.play()
    assert len(held.charged) >= len(free.charged) - 1
    assert not [at for at, _, _ in held.charged if 2 * DAY <= at - MONDAY < 12 * DAY]
    assert held.now > free.now


def test_an_invoice_paid_before_it_was_due_recovered_nothing() -> None:
    world = World([""], collection=Collection.TRANSFER, events={1: {"status": InvoiceStatus.PAID}})
    world.evidence = replace(world.evidence, due_at=after(MONDAY, 5 * DAY), attempts=0)
    world.memory = first_memory(100_00, after(MONDAY, 5 * DAY))
    ending = world.play().ending
    assert ending is not None
    assert ending.outcome is CaseOutcome.STOPPED
