"""Slots in the contact budget: who gets one, who gives way, and what no stream of messages can do."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import WEEKDAYS, Window, is_in_window, local_day
from domain.contact_slots import (
    DAY,
    WEEK,
    Ask,
    ContactBudget,
    Limits,
    Reservation,
    Spent,
    earliest,
    has_room,
    make_way,
)
from domain.guard import Defer, ProposedSend, Recipient, Refuse, ask_of, may_send
from domain.time import BusinessInstant, after, business
from domain.vocabulary import Channel, Purpose, TouchTier
from domain.worth import Stake, worth_of

NOON = business(datetime(2026, 3, 4, 12, tzinfo=UTC))  # a Wednesday
HOUR = timedelta(hours=1)
BUDGET = ContactBudget()


def ask(key: str = "one", worth: float = 1.0, at: BusinessInstant = NOON, **more: object) -> Ask:
    base = Ask(key, worth, at, after(at, WEEK), "ann")
    return replace(base, **more)  # type: ignore[arg-type]  # as replace itself


def held(key: str, worth: float, slot: BusinessInstant) -> Reservation:
    return Reservation(ask(key, worth), slot)


def test_a_worthier_message_takes_the_slot_and_the_other_gets_the_next_one() -> None:
    (move,) = make_way(ask(worth=2), NOON, [], [held("other", 1, after(NOON, HOUR))], BUDGET, NOON)
    assert move.slot is not None
    assert move.slot >= after(NOON, DAY)
    assert has_room(ask(), move.slot, [ask().spent(NOON)], BUDGET)


def test_a_message_worth_less_displaces_nobody() -> None:
    assert make_way(ask(worth=1), NOON, [], [held("other", 2, after(NOON, HOUR))], BUDGET, NOON) == ()


def test_a_message_worth_less_waits_for_what_is_reserved_and_goes_when_it_fits_before_it() -> None:
    tomorrow = after(NOON, timedelta(hours=22))
    later = ask(worth=1)
    assert not has_room(later, NOON, [held("other", 2, tomorrow).ask.spent(tomorrow)], BUDGET)
    friday = after(NOON, timedelta(hours=46))
    assert has_room(later, NOON, [Spent(friday, "ann")], BUDGET)


def test_of_two_equals_the_one_that_has_waited_longer_keeps_its_slot() -> None:
    older = Reservation(ask("older", at=after(NOON, -HOUR)), after(NOON, HOUR))
    assert make_way(ask("younger"), NOON, [], [older], BUDGET, NOON) == ()


def test_whoever_finds_no_other_slot_while_it_is_of_use_is_told_so() -> None:
    short = Reservation(ask("other", 1, latest=after(NOON, 3 * HOUR)), after(NOON, HOUR))
    (move,) = make_way(ask(worth=2), NOON, [], [short], BUDGET, NOON)
    assert move.slot is None


def test_a_chain_moves_worthiest_first_and_nobody_moves_twice() -> None:
    queue = [held(f"k{n}", 10 - n, after(NOON, DAY * n)) for n in (1, 2)]
    moves = make_way(ask(worth=99), after(NOON, HOUR), [], queue, BUDGET, NOON)
    assert [move.reservation.ask.key for move in moves] == ["k1", "k2"]
    slots = [move.slot for move in moves]
    assert slots[0] is not None
    assert slots[1] is not None
    assert slots[0] < slots[1]


def test_people_have_caps_of_their_own_beside_the_customers() -> None:
    two = ContactBudget(per_day=2, per_week=9, person=Limits(1, 9))
    taken = [Spent(after(NOON, -HOUR), "ann")]
    assert not has_room(ask(), NOON, taken, two)
    assert has_room(ask(person="ben"), NOON, taken, two)


def test_prompts_have_a_cap_of_their_own_and_no_office_hours() -> None:
    night = business(datetime(2026, 3, 4, 3, tzinfo=UTC))
    prompt = ask(channel=Channel.IN_APP)
    mails = [Spent(night, "ann")] * 3
    assert earliest(prompt, mails, BUDGET, night) == night
    prompts = [Spent(night, "ann", Channel.IN_APP)]
    assert not has_room(prompt, night, prompts, BUDGET)
    assert has_room(ask(channel=Channel.IN_APP, person="ben"), night, prompts, BUDGET)
    assert has_room(ask(), NOON, prompts, BUDGET)


def test_a_topic_may_have_a_cap_in_any_seven_days() -> None:
    capped = ContactBudget(topics_per_week={"expansion": 1})
    taken = [Spent(after(NOON, -DAY * 3), "ann", topic="expansion")]
    assert not has_room(ask(topic="expansion"), NOON, taken, capped)
    assert has_room(ask(topic="retention"), NOON, taken, capped)


def test_a_slot_lies_on_no_day_off_and_in_one_of_the_open_hours() -> None:
    hours = (
        Window.model_validate({"weekdays": ["wed"], "from": "09:00", "to": "10:00"}),
        Window.model_validate({"weekdays": ["thu"], "from": "22:00", "to": "02:00"}),
    )
    budget = ContactBudget(hours=hours)
    closed = frozenset({date(2026, 3, 5)})
    found = earliest(ask(days_off=closed), [], budget, NOON)
    assert found is not None
    assert local_day(found, "UTC") == date(2026, 3, 11)
    assert is_in_window(found, hours[0], "UTC", closed)


def test_worth_is_expected_loss_times_uplift_and_priority_stands_for_what_is_not_measured() -> None:
    stake = Stake(arr_minor=1_000_000, churn_probability=0.1)
    assert worth_of(stake, 0.06) == pytest.approx(60)
    assert worth_of(stake, 0.2) == pytest.approx(200)
    assert worth_of(Stake(), 0.07) > worth_of(Stake(), 0.06) > 0
    yen = Stake(arr_minor=10_000, currency="JPY", churn_probability=0.1)
    assert worth_of(yen, 0.06) == pytest.approx(worth_of(stake, 0.06))


# ------------------------------------------------------------------ any stream of messages


@dataclass(frozen=True)
class Wish:
    """One message of one run."""

    key: str
    asks_at: BusinessInstant
    worth: float
    person: Recipient
    holdout: bool = False
    lateness: timedelta = timedelta()
    useful_for: timedelta = WEEK


@dataclass
class World:
    """One customer whose sends are asked for one after another, as under its row lock."""

    budget: ContactBudget
    sent: list[tuple[BusinessInstant, Wish]] = field(default_factory=list)
    held: dict[str, Reservation] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    wakes: list[tuple[BusinessInstant, Wish]] = field(default_factory=list)

    def run(self, wishes: Iterable[Wish]) -> None:
        self.wakes = [(wish.asks_at, wish) for wish in wishes]
        rounds = 0
        while self.wakes:
            rounds += 1
            assert rounds < 2000, "somebody asks for ever"
            self.wakes.sort(key=lambda one: (one[0], one[1].key))
            now, wish = self.wakes.pop(0)
            if wish.key in self.held and self.held[wish.key].slot > now:
                self.wakes.append((self.held[wish.key].slot, wish))
            elif wish.key not in self.refused:
                self.ask(wish, now)

    def ask(self, wish: Wish, now: BusinessInstant) -> None:
        send = ProposedSend(
            purpose=Purpose.LIFECYCLE,
            recipient=wish.person,
            still_wanted=True,
            effects_stopped=False,
            released=True,
            do_not_contact=False,
            holdout=wish.holdout,
            touch_tier=TouchTier.MANAGED,
            first_asked_at=wish.asks_at,
            spent=tuple(Spent(at, one.person.key) for at, one in self.sent),
            reserved=tuple(self.held.values()),
            key=wish.key,
            worth=wish.worth,
            useful_until=after(wish.asks_at, wish.useful_for),
        )
        verdict = may_send(send, self.budget, now)
        asked = ask_of(send, self.budget)
        self.held.pop(wish.key, None)
        if isinstance(verdict, Refuse):
            self.refused[wish.key] = verdict.reason
            return
        slot = now
        if isinstance(verdict, Defer):
            assert verdict.until > now
            assert verdict.until <= asked.latest
            slot = verdict.until
            self.held[wish.key] = Reservation(asked, slot)
            self.wakes.append((after(slot, wish.lateness), wish))
        else:
            self.sent.append((now, wish))
        for move in make_way(asked, slot, send.spent, send.reserved, self.budget, now):
            assert move.reservation.ask.rank > asked.rank
            if move.slot is None:
                del self.held[move.reservation.ask.key]
                self.refused[move.reservation.ask.key] = "displaced"
            else:
                assert move.slot >= move.reservation.slot
                self.held[move.reservation.ask.key] = Reservation(move.reservation.ask, move.slot)


ZONES = ("Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata", "UTC")
CLOSED = frozenset(date(2027, 12, 20) + timedelta(days=each) for each in (5, 6, 12, 100, 101, 200))
ALL = frozenset(Purpose)
PEOPLE = [
    Recipient(each, each, has_address=True, suppressed=False, consents=ALL, days_off=CLOSED) for each in ZONES
]
MUTE = Recipient(
    "mute", "UTC", has_address=True, suppressed=False, consents=frozenset({Purpose.TRANSACTIONAL})
)
EVERY_HOUR = Window.model_validate({"weekdays": WEEKDAYS, "from": "00:00", "to": "00:00"})
BUDGETS = [
    BUDGET,
    ContactBudget(2, 4, Limits(1, 2)),
    ContactBudget(1, 1, hours=(EVERY_HOUR,)),
]


@st.composite
def streams(draw: st.DrawFn) -> list[Wish]:
    """Messages of several runs to the people of one customer over weeks, at any time of the year."""
    start = after(business(datetime(2027, 12, 20, tzinfo=UTC)), timedelta(hours=draw(st.integers(0, 9000))))
    quarters = draw(st.lists(st.integers(0, 5 * 7 * 96), min_size=1, max_size=20))
    return [
        Wish(
            key=f"run-{number}",
            asks_at=after(start, timedelta(minutes=15 * at)),
            worth=draw(st.sampled_from([1.0, 2.0, 3.0, 50.0])),
            person=draw(st.sampled_from([*PEOPLE, MUTE])),
            holdout=draw(st.integers(0, 9)) == 0,
            lateness=timedelta(minutes=draw(st.sampled_from([0, 0, 5, 50, 200]))),
            useful_for=timedelta(days=draw(st.sampled_from([1, 3, 30]))),
        )
        for number, at in enumerate(quarters)
    ]


@given(streams(), st.sampled_from(BUDGETS))
def test_no_stream_of_messages_breaks_a_cap_or_reaches_somebody_who_must_not_be_written_to(
    wishes: list[Wish], budget: ContactBudget
) -> None:
    world = World(budget)
    world.run(wishes)
    instants = [at for at, _ in world.sent]
    for position, (at, wish) in enumerate(world.sent):
        before = instants[: position + 1]
        zone, off = wish.person.time_zone, wish.person.days_off
        assert sum(each > at - DAY for each in before) <= budget.per_day
        assert sum(each > at - WEEK for each in before) <= budget.per_week
        assert sum(local_day(each, zone) == local_day(at, zone) for each in before) <= budget.per_day
        mine = [each for each, other in world.sent[: position + 1] if other.person == wish.person]
        assert sum(each > at - WEEK for each in mine) <= budget.person.per_week
        assert any(is_in_window(at, hours, zone, off) for hours in budget.hours)
        assert not wish.holdout
        assert wish.person is not MUTE


@given(streams(), st.sampled_from(BUDGETS))
def test_every_message_ends_sent_or_refused_with_a_reason_within_its_usefulness(
    wishes: list[Wish], budget: ContactBudget
) -> None:
    world = World(budget)
    world.run(wishes)
    sent = {wish.key for _, wish in world.sent}
    assert len(sent) == len(world.sent)
    assert sent | set(world.refused) == {wish.key for wish in wishes}
    assert sent.isdisjoint(world.refused)
    assert world.held == {}
    reasons = {"budget", "displaced", "no_longer_useful", "holdout", "no_consent"}
    assert set(world.refused.values()) <= reasons
    for at, wish in world.sent:
        assert at <= after(wish.asks_at, min(wish.useful_for, budget.longest_deferral) + wish.lateness)


@given(streams())
def test_the_slots_that_are_held_never_break_a_cap_among_themselves(wishes: list[Wish]) -> None:
    world = World(BUDGET)
    calm = [replace(wish, lateness=timedelta()) for wish in wishes]
    world.wakes = [(wish.asks_at, wish) for wish in calm]
    for wish in sorted(calm, key=lambda one: one.asks_at):
        world.ask(wish, wish.asks_at)
        slots = [(each.slot, each.ask) for each in world.held.values()]
        for slot, asked in slots:
            others = [other.spent(at) for at, other in slots if other.key != asked.key]
            assert has_room(asked, slot, others, BUDGET)


@given(streams())
def test_the_worthiest_is_never_put_off_by_anything_but_what_was_sent_and_the_hour(
    wishes: list[Wish],
) -> None:
    world = World(BUDGET)
    first = min(wishes, key=lambda one: one.asks_at)
    for wish in sorted(wishes, key=lambda one: one.asks_at):
        world.ask(wish, wish.asks_at)
    now = after(max(wish.asks_at for wish in wishes), HOUR)
    best = replace(first, key="best", worth=1000.0, person=PEOPLE[0], holdout=False, asks_at=now)
    taken = [Spent(at, one.person.key) for at, one in world.sent]
    alone = ask_alone(best, taken, now)
    world.ask(best, now)
    if alone is None:
        assert "best" in world.refused
    elif alone == now:
        assert (now, best) in world.sent
    else:
        assert world.held["best"].slot == alone


def ask_alone(wish: Wish, taken: list[Spent], now: BusinessInstant) -> BusinessInstant | None:
    person = wish.person
    latest = after(now, min(wish.useful_for, BUDGET.longest_deferral))
    alone = Ask(wish.key, wish.worth, now, latest, person.key, person.time_zone, person.days_off)
    return earliest(alone, taken, BUDGET, now)


def test_somebody_who_is_displaced_again_and_again_is_refused_when_its_time_is_over() -> None:
    weak = Wish("weak", NOON, 1.0, PEOPLE[4])
    strong = [Wish(f"s{day}", after(NOON, DAY * day - HOUR), 9.0, PEOPLE[4]) for day in range(14)]
    world = World(ContactBudget(1, 7, Limits(1, 7)))
    world.run([weak, *strong])
    assert world.refused["weak"] in {"displaced", "budget", "no_longer_useful"}


def test_everything_that_is_allowed_says_so() -> None:
    world = World(BUDGET)
    world.run([Wish("one", NOON, 1.0, PEOPLE[4])])
    assert world.sent == [(NOON, Wish("one", NOON, 1.0, PEOPLE[4]))]
