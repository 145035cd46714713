"""When may one more message reach this customer? Caps in rolling windows, reserved slots, and who gives way.

A message that cannot go now reserves a slot. Whoever is worth more takes the slot that it needs, until the
message has been claimed; whoever loses a slot gets the next one, or is refused once it would be of no use.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from domain.calendar import (
    NO_DAYS,
    OFFICE_HOURS,
    Window,
    is_in_window,
    local_day,
    next_in_window,
    next_local_day,
    spread,
)
from domain.time import BusinessInstant
from domain.vocabulary import Channel

DAY = timedelta(hours=24)
WEEK = timedelta(days=7)
PUNCTUALITY = timedelta(hours=1)
"""How late a run may come to the slot that it reserved, and still find it free."""
HERD_SPREADS = (timedelta(hours=3), timedelta(hours=1), timedelta(minutes=10), timedelta())
"""Over how long those who wait for the same opening are spread: the first that fits into the window."""


@dataclass(frozen=True)
class Limits:
    """The most in any 24 hours and in the recipient's own day, and the most in any seven days."""

    per_day: int
    per_week: int


@dataclass(frozen=True)
class ContactBudget:
    """How much optional contact one customer gets, over all motions, and when. Each channel for itself."""

    per_day: int = 1
    per_week: int = 3
    person: Limits = Limits(1, 3)
    """E-mails to one of them."""
    prompts: Limits = Limits(1, 5)
    """In-app prompts to one of them; a customer has no cap of its own, since each sees only theirs."""
    topics_per_week: Mapping[str, int] = field(default_factory=dict)
    """By motion, or `marketing`."""
    longest_deferral: timedelta = timedelta(days=7)
    hours: tuple[Window, ...] = (OFFICE_HOURS,)
    """Optional e-mail reaches people within one of these, where they are."""

    @property
    def customer(self) -> Limits:
        """E-mails to all its people."""
        return Limits(self.per_day, self.per_week)


@dataclass(frozen=True)
class Spent:
    """One optional contact that was claimed or made, or has a slot reserved."""

    at: BusinessInstant
    person: str | None = None
    channel: Channel = Channel.EMAIL
    topic: str = ""


@dataclass(frozen=True)
class Ask:
    """One message that wants a slot."""

    key: str
    worth: float
    asked_at: BusinessInstant
    latest: BusinessInstant
    """After this it is of no use, or has waited long enough."""
    person: str = ""
    time_zone: str = "UTC"
    days_off: frozenset[date] = NO_DAYS
    channel: Channel = Channel.EMAIL
    topic: str = ""

    @property
    def rank(self) -> tuple[float, BusinessInstant, str]:
        """The worthiest first; of equals the one that has waited longest."""
        return (-self.worth, self.asked_at, self.key)

    def spent(self, at: BusinessInstant) -> Spent:
        """Return what it counts as at that time."""
        return Spent(at, self.person, self.channel, self.topic)


@dataclass(frozen=True)
class Reservation:
    """The slot that a message holds while it waits."""

    ask: Ask
    slot: BusinessInstant


@dataclass(frozen=True)
class Move:
    """What became of somebody who gave way: a later slot, or none."""

    reservation: Reservation
    slot: BusinessInstant | None


@dataclass(frozen=True)
class _Cap:
    most: int
    span: timedelta
    counts: Callable[[Spent], bool]
    by_local_day: bool = False


def _caps(ask: Ask, budget: ContactBudget) -> Iterator[_Cap]:
    """Yield everything that limits this message."""

    def in_channel(one: Spent) -> bool:
        return one.channel is ask.channel

    def to_person(one: Spent) -> bool:
        return one.channel is ask.channel and one.person == ask.person

    mail = [(budget.customer, in_channel), (budget.person, to_person)]
    for each, counts in [(budget.prompts, to_person)] if ask.channel is Channel.IN_APP else mail:
        yield _Cap(each.per_day, DAY, counts)
        yield _Cap(each.per_day, DAY, counts, by_local_day=True)
        yield _Cap(each.per_week, WEEK, counts)
    if ask.topic in budget.topics_per_week:
        yield _Cap(budget.topics_per_week[ask.topic], WEEK, lambda one: one.topic == ask.topic)


def is_barred(ask: Ask, budget: ContactBudget) -> bool:
    """Tell whether a cap of nothing keeps such messages out for good."""
    return any(cap.most < 1 for cap in _caps(ask, budget))


def has_room(ask: Ask, at: BusinessInstant, taken: Iterable[Spent], budget: ContactBudget) -> bool:
    """Tell whether the message fits at that time beside what is taken, before it and after it."""
    others = list(taken)
    for cap in _caps(ask, budget):
        counted = [one.at for one in others if cap.counts(one)]
        if cap.by_local_day:
            today = local_day(at, ask.time_zone)
            full = sum(local_day(each, ask.time_zone) == today for each in counted) >= cap.most
        else:
            full = _is_full(at, counted, cap)
        if full:
            return False
    return True


def _is_full(at: BusinessInstant, counted: list[BusinessInstant], cap: _Cap) -> bool:
    """Tell whether some window of the cap's span that holds `at` has no room left."""
    starts = [at, *(each for each in counted if at - cap.span < each <= at)]
    return any(sum(start <= each < start + cap.span for each in counted) >= cap.most for start in starts)


def is_open(ask: Ask, at: BusinessInstant, budget: ContactBudget) -> bool:
    """Tell whether the person may be written to at that time of their day; a prompt waits for them anyway."""
    if ask.channel is Channel.IN_APP:
        return True
    return any(is_in_window(at, window, ask.time_zone, ask.days_off) for window in budget.hours)


def _opening(ask: Ask, at: BusinessInstant, budget: ContactBudget) -> BusinessInstant:
    """Return `at` if that is an open hour, else a time soon after the next opening, each person's own."""
    if is_open(ask, at, budget):
        return at
    opening = min(next_in_window(at, window, ask.time_zone, ask.days_off) for window in budget.hours)
    spreads = (BusinessInstant(opening + spread(ask.person, span)) for span in HERD_SPREADS)
    return next(each for each in spreads if is_open(ask, each, budget))


@dataclass(frozen=True)
class OpenHours:
    """When a customer's people may be written to, as far as that can be told before the person is known."""

    customer: str
    time_zone: str
    days_off: frozenset[date]
    budget: ContactBudget

    def opening(self, at: BusinessInstant) -> BusinessInstant:
        """Return `at` if that is an open hour, else soon after the next opening, each customer's own."""
        ask = Ask("", 0.0, at, at, self.customer, self.time_zone, self.days_off)
        return _opening(ask, at, self.budget)


def earliest(
    ask: Ask, taken: Iterable[Spent], budget: ContactBudget, now: BusinessInstant
) -> BusinessInstant | None:
    """Return the first time from now on at which the message may go, None if that is past its latest."""
    others = list(taken)
    if is_barred(ask, budget):
        return None
    at = _opening(ask, now, budget)
    while at <= ask.latest:
        if _holds(ask, at, others, budget, now):
            return at
        freed = (
            after for one in others for span in (DAY, WEEK) if (after := BusinessInstant(one.at + span)) > at
        )
        following = min((*freed, _tomorrow(ask, at)))
        at = _opening(ask, following, budget)
    return None


def _tomorrow(ask: Ask, at: BusinessInstant) -> BusinessInstant:
    """Return when the next local day begins; where clocks stand still over midnight, a day later."""
    midnight = next_local_day(at, ask.time_zone)
    return midnight if midnight > at else BusinessInstant(at + DAY)


def _holds(
    ask: Ask, at: BusinessInstant, others: list[Spent], budget: ContactBudget, now: BusinessInstant
) -> bool:
    """Tell whether there is room then; a slot to come must also bear a run that wakes late."""
    late = at if at <= now else BusinessInstant(at + PUNCTUALITY)
    return has_room(ask, at, others, budget) and has_room(ask, late, others, budget)


def standing_before(ask: Ask, reservations: Iterable[Reservation]) -> list[Spent]:
    """Return the slots that this message must respect: those of worthier ones."""
    return [
        each.ask.spent(each.slot)
        for each in reservations
        if each.ask.key != ask.key and each.ask.rank < ask.rank
    ]


def make_way(
    taker: Ask,
    at: BusinessInstant,
    spent: Iterable[Spent],
    reservations: Iterable[Reservation],
    budget: ContactBudget,
    now: BusinessInstant,
) -> tuple[Move, ...]:
    """Return who must move now that `taker` has the time `at`: the less worthy that do not fit beside it.

    Worthiest first, so that nobody takes a slot that somebody worthier needs. A slot never moves forward.
    """
    waiting = sorted(
        (each for each in reservations if each.ask.key != taker.key), key=lambda one: one.ask.rank
    )
    taken, moves = [*spent, taker.spent(at)], []
    for each in waiting:
        slot: BusinessInstant | None = each.slot
        if each.ask.rank > taker.rank and not has_room(each.ask, each.slot, taken, budget):
            slot = earliest(each.ask, taken, budget, max(each.slot, now))
            moves.append(Move(each, slot))
        if slot is not None:
            taken.append(each.ask.spent(slot))
    return tuple(moves)
