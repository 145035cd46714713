"""Facts of each kind about one customer: told in time, told late, and told anew with more to say."""

import datetime as dt
from typing import Any

from domain.facts import (
    ContactFact,
    CustomerFact,
    Fact,
    GoalFact,
    MeetingFact,
    SurveyFact,
)
from domain.time import BusinessInstant
from tests.support.facts import (
    Told,
    cancellation,
    contact,
    customer,
    day,
    invoice,
    subscription,
    ticket,
    touchpoint,
    usage,
)

THEN = day(3, 1)
LATER = day(3, 9)
"""When everything was known that was not known then."""
BEFORE = day(2, 20)


def survey(key: str = "s1", **told: object) -> SurveyFact:
    base = {"key": key, "known_at": BEFORE, "customer": "acme", "score": 9, "responded_at": BEFORE}
    return SurveyFact.model_validate(base | told)


def meeting(key: str = "m1", **told: object) -> MeetingFact:
    base = {"key": key, "known_at": day(1, 9), "customer": "acme", "kind": "qbr", "title": "Review"}
    return MeetingFact.model_validate(base | {"scheduled_at": BEFORE} | told)


def goal(key: str = "g1", **told: object) -> GoalFact:
    base = {"key": key, "known_at": day(1, 9), "customer": "acme", "title": "Live", "progress": 0.2}
    return GoalFact.model_validate(base | told)


def acme(**told: Any) -> CustomerFact:
    base: Told = {"plan": "pro", "renewal_on": dt.date(2026, 8, 1), "status": "active", "employees": 50}
    return customer(**(base | told))


def champion(**told: Any) -> ContactFact:
    return contact("ann", roles=("champion",), **told)


IN_TIME: tuple[Fact, ...] = (
    acme(),
    champion(),
    contact("bob", roles=("executive_sponsor",), known_at=day(1, 2), since=day(1, 2)),
    subscription(billing_months=12, seats=10),
    *(
        usage(f"u{number}", known_at=at, occurred_at=at, quantity=0.1 * number, value=0.7, contact="ann")
        for number, at in enumerate(BusinessInstant(THEN - dt.timedelta(days=n)) for n in range(1, 40))
    ),
    ticket(known_at=BEFORE, opened_at=BEFORE),
    ticket("t2", known_at=day(2, 2), opened_at=day(2, 2), sentiment=0.3, satisfaction=4),
    survey(),
    meeting(),
    goal(),
    invoice(known_at=day(1, 20), issued_at=day(1, 20), due_at=day(2, 10)),
    touchpoint(known_at=BEFORE, occurred_at=BEFORE, contact="bob"),
)
"""What was known by then, of every kind."""

LATE: dict[str, tuple[Fact, ...]] = {
    "usage": (
        usage("late", known_at=LATER, occurred_at=day(2, 27), quantity=0.3, users=50, feature="export"),
        usage("first", known_at=LATER, occurred_at=day(1, 2), quantity=5),
    ),
    "ticket": (ticket("late", known_at=LATER, opened_at=day(2, 25), escalated=True),),
    "survey": (survey("late", known_at=LATER, responded_at=day(2, 26), score=1),),
    "meeting": (meeting("late", known_at=LATER, held_at=day(2, 27), scheduled_at=day(2, 27)),),
    "goal": (goal("late", known_at=LATER, due_on=dt.date(2026, 2, 1)),),
    "invoice": (invoice("late", known_at=LATER, issued_at=day(1, 25), due_at=day(2, 25)),),
    "subscription": (subscription("late", known_at=LATER, started_at=day(2, 1), plan="plus", seats=5),),
    "touchpoint": (touchpoint("late", known_at=LATER, occurred_at=day(2, 28)),),
    "contact": (contact("cid", known_at=LATER, since=day(1, 5), roles=("champion",)),),
    "onboarding": (acme(known_at=LATER, onboarded_at=day(2, 15), first_value_at=day(2, 20)),),
}
"""What happened before and became known after."""

MOVED: dict[str, tuple[Fact, ...]] = {
    "ticket": (
        ticket(known_at=LATER, opened_at=BEFORE, escalated=True, priority="urgent", satisfaction=1),
        ticket("t2", known_at=LATER, opened_at=day(2, 2), reopened=1),
        ticket(
            "t2", known_at=day(3, 10), opened_at=day(2, 2), reopened=1, resolved_at=day(2, 20), satisfaction=2
        ),
    ),
    "meeting": (meeting(known_at=LATER, held_at=day(2, 20), answer="declined", answered_at=day(2, 19)),),
    "goal": (goal(known_at=LATER, progress=0.9, due_on=dt.date(2026, 2, 1), achieved_at=day(2, 22)),),
    "invoice": (
        invoice(known_at=LATER, issued_at=day(1, 20), due_at=day(2, 10), failed_attempts=3),
        invoice(
            known_at=day(3, 12), issued_at=day(1, 20), due_at=day(2, 10), failed_attempts=3, status="paid",
            paid_at=day(2, 20), amount_paid_minor=100_00,
        ),
    ),
    "subscription": (
        subscription(
            known_at=LATER, billing_months=12, seats=10, status="canceled", ended_at=day(2, 25),
            auto_renew=False,
        ),
    ),
    "contact": (champion(known_at=LATER, left_at=day(2, 20)),),
    "customer": (acme(known_at=LATER, plan="free", renewal_on=dt.date(2026, 3, 15), employees=5_000),),
}  # fmt: skip
"""What was known already, and said more after."""

LEFT: tuple[Fact, ...] = (cancellation(known_at=LATER, occurred_at=day(2, 20)),)
