"""The sending policy: caps and warm-up of sender domains, its form, and how a warm-up would grow."""

import datetime as dt

from api.web.desk import Desk
from api.web.policy_fields import Field, Group, Kind
from api.web.policy_page import PolicyController, PolicyPage, Sample
from api.web.words import plural
from domain.sending import DomainLimits, SendingPolicy, StoredSendingPolicyError, for_optional
from domain.warm_up import SentDay, earned
from models.sending_policy import KEY, load_sending_policy, save_sending_policy

CAPS = (
    Field("per_hour", "An hour", is_optional=True),
    Field("per_day", "A day", is_optional=True),
)
WARM_UP = (
    Field("warm_up.started_on", "Warm-up from", kind=Kind.DATE, is_optional=True),
    Field("warm_up.start_per_day", "First day's cap", is_optional=True),
    Field("warm_up.growth", "Times more each day", is_optional=True),
)
LONGEST_WARM_UP = 90
"""Days of a warm-up that are shown."""
DOMAINS = Group(
    "Sender domains",
    (
        Field(
            "domains",
            "Messages that each domain may send",
            "By the hour and the day of UTC. An empty cap is no cap; an empty row is left out. A warm-up "
            "begins with its first day's cap (50 where it is empty) and grows by its factor (1.5) up to the "
            "day's cap, while little comes back.",
            Kind.ROWS,
            cells=(Field("name", "Domain", kind=Kind.WORD), *CAPS, *WARM_UP),
            by_name=True,
        ),
        Field("others.per_hour", "Every other domain, an hour", is_optional=True),
        Field("others.per_day", "Every other domain, a day", "Empty is no cap.", is_optional=True),
        *(
            Field(
                f"others.{each.name}",
                f"Every other domain, {each.label.lower()}",
                kind=each.kind,
                is_optional=True,
            )
            for each in WARM_UP
        ),
        Field(
            "transactional_share",
            "Kept free of optional mail, in percent of each cap",
            "Transactional mail passes in any case, and counts.",
            Kind.SHARE,
        ),
    ),
)
JUDGED = Group(
    "When a warm-up falls back",
    (
        Field("most_bounces", "Bounces above this percentage", kind=Kind.SHARE),
        Field(
            "most_complaints",
            "Spam reports above this percentage",
            "Above half of either it rests.",
            Kind.SHARE,
        ),
        Field("judged_days", "Of the messages of so many days"),
        Field("judged_from", "Once there are so many messages"),
    ),
)


def _samples(policy: SendingPolicy, desk: Desk) -> list[Sample]:
    named = {**policy.domains, **({"every other domain": policy.others} if policy.others else {})}
    return [
        Sample(
            f"Warm-up of {name}",
            "If every day's cap is sent and little comes back.",
            _growth(policy, limits, desk),
        )
        for name, limits in named.items()
        if limits.warm_up is not None
    ]


def _growth(policy: SendingPolicy, limits: DomainLimits, desk: Desk) -> list[tuple[str, str]]:
    """Return the caps of the days until the warm-up is over."""
    assert limits.warm_up is not None  # noqa: S101 - the caller looked
    days: list[SentDay] = []
    rows: list[tuple[str, str]] = []
    for ahead in range(LONGEST_WARM_UP):
        day = limits.warm_up.started_on + dt.timedelta(days=ahead)
        cap = earned(policy, limits, days, day).per_day
        optional = for_optional(cap, policy)
        rows.append((desk.say.day(day), f"{plural(cap, 'message')}, {optional:,} of them optional"))
        if cap == limits.per_day:
            break
        days.append(SentDay(day, cap, 0, 0))
    return rows


class SendingPolicyPage(PolicyController):
    """How much mail each sender domain may send."""

    path = "/sending-policy"
    policy_page = PolicyPage(
        title="Sending limits",
        lead="How much optional mail each sender domain may send, and how a new one grows. What finds no "
        "room waits for the first hour that has some.",
        place=path,
        back=("/messages", "Messages"),
        docs="docs/sending-limits.md",
        key=KEY,
        model=SendingPolicy,
        groups=(DOMAINS, JUDGED),
        saved="What waits is asked by it when its time comes.",
        broken=StoredSendingPolicyError,
        load=load_sending_policy,
        save=save_sending_policy,
        samples=_samples,
    )
