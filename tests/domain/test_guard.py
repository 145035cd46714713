"""May this message go out: each rule, their order, and what no stream of wishes can exceed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import OFFICE_HOURS, is_in_window, local_day
from domain.contact_slots import DAY, WEEK, ContactBudget, Spent
from domain.guard import (
    RULES,
    Allow,
    Defer,
    ProposedSend,
    Recipient,
    Refuse,
    Verdict,
    may_send,
)
from domain.time import BusinessInstant, after, business
from domain.vocabulary import Purpose, TouchTier

NOON = business(datetime(2026, 3, 4, 12, tzinfo=UTC))  # a Wednesday
BUDGET = ContactBudget()
ANN = Recipient("ann", "UTC", has_address=True, suppressed=False, consents=frozenset(Purpose))
SEND = ProposedSend(
    purpose=Purpose.LIFECYCLE,
    recipient=ANN,
    still_wanted=True,
    effects_stopped=False,
    released=True,
    do_not_contact=False,
    holdout=False,
    touch_tier=TouchTier.MANAGED,
    first_asked_at=NOON,
)
NIGHT = business(datetime(2026, 3, 4, 3, tzinfo=UTC))


def is_office_time(instant: BusinessInstant, time_zone: str) -> bool:
    return is_in_window(instant, OFFICE_HOURS, time_zone)


def spent(*instants: BusinessInstant) -> tuple[Spent, ...]:
    return tuple(Spent(at) for at in instants)


def ago(span: timedelta, now: BusinessInstant = NOON) -> BusinessInstant:
    return BusinessInstant(now - span)


def test_a_wanted_message_to_a_willing_person_at_work_goes_out() -> None:
    assert may_send(SEND, BUDGET, NOON) == Allow()


@pytest.mark.parametrize(
    ("send", "verdict"),
    [
        (replace(SEND, still_wanted=False), Refuse("no_longer_wanted")),
        (replace(SEND, effects_stopped=True), Defer(after(NOON, timedelta(hours=4)), "effects_stopped")),
        (replace(SEND, is_paused=True), Defer(NOON, "paused")),
        (replace(SEND, released=False), Defer(after(NOON, DAY), "observing")),
        (replace(SEND, do_not_contact=True), Refuse("do_not_contact")),
        (replace(SEND, holdout=True), Refuse("holdout")),
        (replace(SEND, holdout=True, touch_tier=TouchTier.STRATEGIC), Allow()),
        (replace(SEND, recipient=replace(ANN, consents=frozenset())), Refuse("no_consent")),
        (
            replace(SEND, recipient=replace(ANN, consents=frozenset({Purpose.MARKETING}))),
            Refuse("no_consent"),
        ),
        (replace(SEND, recipient=None), Refuse("no_recipient")),
        (replace(SEND, recipient=replace(ANN, has_address=False)), Refuse("no_recipient")),
        (replace(SEND, recipient=replace(ANN, suppressed=True)), Refuse("suppressed")),
        (replace(SEND, spent=spent(ago(timedelta(hours=25)))), Allow()),
    ],
)
def test_each_rule_answers_for_itself(send: ProposedSend, verdict: Verdict) -> None:
    assert may_send(send, BUDGET, NOON) == verdict


def test_what_speaks_against_a_message_is_told_in_a_fixed_order() -> None:
    everything = replace(
        SEND,
        still_wanted=False,
        effects_stopped=True,
        do_not_contact=True,
        recipient=replace(ANN, suppressed=True),
        useful_until=ago(DAY, NIGHT),
        spent=spent(NIGHT),
    )
    cured = [
        everything,
        everything := replace(everything, still_wanted=True),
        everything := replace(everything, useful_until=None),
        everything := replace(everything, effects_stopped=False),
        everything := replace(everything, do_not_contact=False),
        everything := replace(everything, recipient=ANN),
        replace(everything, spent=()),
    ]
    reasons = [
        verdict.reason for send in cured if not isinstance(verdict := may_send(send, BUDGET, NIGHT), Allow)
    ]
    assert reasons == [
        "no_longer_wanted",
        "no_longer_useful",
        "effects_stopped",
        "do_not_contact",
        "suppressed",
        "budget",
        "quiet_hours",
    ]
    assert len(RULES) == len(reasons)


def test_transactional_mail_needs_neither_consent_nor_budget_nor_office_hours() -> None:
    bare = replace(ANN, consents=frozenset())
    send = replace(SEND, purpose=Purpose.TRANSACTIONAL, recipient=bare, do_not_contact=True, holdout=True)
    assert may_send(replace(send, spent=spent(*(NIGHT,) * 5)), BUDGET, NIGHT) == Allow()
    assert may_send(send, ContactBudget(0, 0), NIGHT) == Allow()
    for stopped in (
        replace(send, still_wanted=False),
        replace(send, effects_stopped=True),
        replace(send, recipient=replace(bare, suppressed=True)),
        replace(send, recipient=None),
    ):
        assert may_send(stopped, BUDGET, NOON) != Allow()


def test_at_night_and_on_weekends_a_message_waits_for_the_next_morning_there() -> None:
    saturday = business(datetime(2026, 3, 7, 12, tzinfo=UTC))
    kiwi = replace(ANN, time_zone="Pacific/Auckland")
    for now, person in ((NIGHT, ANN), (saturday, ANN), (NOON, kiwi)):
        verdict = may_send(replace(SEND, recipient=person), BUDGET, now)
        assert isinstance(verdict, Defer)
        assert verdict.reason == "quiet_hours"
        assert is_office_time(verdict.until, person.time_zone)
        assert verdict.until > now


def test_the_next_message_waits_a_full_day_even_across_midnight() -> None:
    sent = business(datetime(2026, 3, 3, 16, tzinfo=UTC))
    verdict = may_send(replace(SEND, spent=spent(sent)), BUDGET, NOON)
    assert verdict == Defer(after(sent, DAY), "budget")


def test_the_fourth_message_of_a_week_waits_until_the_first_is_a_week_old() -> None:
    sent = tuple(ago(timedelta(days=days)) for days in (2, 4, 6))
    verdict = may_send(replace(SEND, spent=spent(*sent)), BUDGET, NOON)
    assert verdict == Defer(after(sent[2], WEEK), "budget")


def test_a_message_that_would_wait_too_long_for_budget_is_refused() -> None:
    sent = tuple(ago(timedelta(days=days)) for days in (2, 3, 4))
    late = replace(SEND, spent=spent(*sent), first_asked_at=ago(timedelta(days=6)))
    assert may_send(late, BUDGET, NOON) == Refuse("budget")


@pytest.mark.parametrize("budget", [ContactBudget(0, 3), ContactBudget(1, 0)])
def test_a_budget_of_nothing_refuses_and_breaks_nothing(budget: ContactBudget) -> None:
    for sent in ((), (ago(DAY * 3),)):
        assert may_send(replace(SEND, spent=spent(*sent)), budget, NOON) == Refuse("budget")


def test_people_who_wait_for_the_morning_do_not_all_get_their_mail_at_nine() -> None:
    verdicts = [
        may_send(replace(SEND, recipient=replace(ANN, key=f"p{n}")), BUDGET, NIGHT) for n in range(50)
    ]
    assert len({verdict.until for verdict in verdicts if isinstance(verdict, Defer)}) == 50


PEOPLE = [
    replace(ANN, key=zone, time_zone=zone)
    for zone in ("Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata", "UTC")
]


@st.composite
def wishes(draw: st.DrawFn) -> list[tuple[timedelta, Recipient]]:
    """Messages that several motions want to send to the people of one customer, over weeks."""
    spans = st.lists(st.integers(0, 6 * 7 * 24 * 4), min_size=1, max_size=40)
    return [(timedelta(minutes=15 * at), draw(st.sampled_from(PEOPLE))) for at in sorted(draw(spans))]


@st.composite
def starts(draw: st.DrawFn) -> BusinessInstant:
    """Any time of the year: with both changes of clocks, leap days and the turn of the year."""
    return after(business(datetime(2027, 12, 20, tzinfo=UTC)), timedelta(hours=draw(st.integers(0, 9000))))


def sent_of(
    start: BusinessInstant, asked: list[tuple[timedelta, Recipient]], budget: ContactBudget
) -> list[tuple[BusinessInstant, Recipient]]:
    """Let each wish ask, and ask again when it is told to, in the order of time."""
    queue = [(after(start, at), after(start, at), number) for number, (at, _) in enumerate(asked)]
    sent: list[tuple[BusinessInstant, Recipient]] = []
    while queue:
        queue.sort()
        now, first, number = queue.pop(0)
        person = asked[number][1]
        lately = spent(*(at for at, _ in sent))
        verdict = may_send(replace(SEND, recipient=person, first_asked_at=first, spent=lately), budget, now)
        if isinstance(verdict, Allow):
            sent.append((now, person))
        elif isinstance(verdict, Defer):
            assert verdict.until > now
            assert is_office_time(verdict.until, person.time_zone)
            queue.append((verdict.until, first, number))
    return sent


@given(starts(), wishes(), st.sampled_from([ContactBudget(), ContactBudget(2, 4), ContactBudget(1, 1)]))
def test_no_stream_of_wishes_exceeds_the_budget_of_a_customer(
    start: BusinessInstant, asked: list[tuple[timedelta, Recipient]], budget: ContactBudget
) -> None:
    sent = sent_of(start, asked, budget)
    instants = [at for at, _ in sent]
    for position, (at, person) in enumerate(sent):
        assert is_office_time(at, person.time_zone)
        before = instants[: position + 1]
        assert sum(each > at - DAY for each in before) <= budget.per_day
        assert sum(each > at - WEEK for each in before) <= budget.per_week
        today = local_day(at, person.time_zone)
        assert sum(local_day(each, person.time_zone) == today for each in before) <= budget.per_day


@given(starts(), wishes())
def test_the_first_wish_of_a_quiet_customer_is_never_lost(
    start: BusinessInstant, asked: list[tuple[timedelta, Recipient]]
) -> None:
    assert sent_of(start, asked, BUDGET)


@given(starts(), st.sampled_from(PEOPLE), st.lists(st.integers(1, 7 * 24 * 60), max_size=4))
def test_whoever_is_told_to_wait_is_let_through_then_unless_others_came_first(
    now: BusinessInstant, person: Recipient, minutes: list[int]
) -> None:
    sent = tuple(ago(timedelta(minutes=each), now) for each in minutes)
    send = replace(SEND, recipient=person, first_asked_at=now, spent=spent(*sent))
    verdict: Verdict = may_send(send, BUDGET, now)
    asked = 0
    while isinstance(verdict, Defer):
        now, asked = verdict.until, asked + 1
        verdict = may_send(send, BUDGET, now)
    assert asked <= 2
    assert verdict in {Allow(), Refuse("budget")}
