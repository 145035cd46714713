"""The win-back policy: its form, and what it would do for a customer that leaves today."""

import datetime as dt

from api.web.case_words import CAUSES
from api.web.desk import Desk
from api.web.policy_fields import Field, Group, Kind
from api.web.policy_page import PolicyController, PolicyPage, Sample
from api.web.words import words
from domain.vocabulary import CancellationReason, Segment
from domain.win_back import morning_of
from domain.win_back_policy import KEY, StoredWinBackPolicyError, WinBackPolicy
from models.win_back_policy import load_win_back_policy, save_win_back_policy

REASONS = {each.value: words(each) for each in CancellationReason}
RUNG = (
    Field("percent", "Percent off"),
    Field("months", "Months"),
    Field("least_arr", "From ARR", is_optional=True),
    Field("least_tenure_months", "From months with us", is_optional=True),
    Field("after", "Offers left unused", is_optional=True),
    Field("reasons", "Left for", kind=Kind.CHOICES, choices=REASONS),
)
WHOM = Group(
    "Whose departure is answered",
    (
        Field("is_on", "Win-back is on", kind=Kind.FLAG),
        Field(
            "causes",
            "Causes",
            "Mail to who decided to leave is marketing, and needs their consent to that.",
            Kind.CHOICES,
            choices={cause.value: said for cause, said in CAUSES.items()},
        ),
        Field(
            "segments",
            "Sizes",
            kind=Kind.CHOICES,
            choices={each.value: words(each) for each in Segment},
        ),
        Field("least_arr", "From a yearly revenue of", "In whole units of the customer's own currency."),
        Field(
            "no_win_back_for",
            "Not who left for",
            "Reasons that no letter mends.",
            Kind.CHOICES,
            choices=REASONS,
        ),
        Field(
            "holdout_share",
            "Left alone by chance, in percent",
            "Of those who are left: they show how many come back by themselves.",
            Kind.SHARE,
        ),
    ),
)
LETTERS = Group(
    "Letters",
    (
        Field(
            "days",
            "On days",
            "After the departure, at nine in the morning where the customer is; at most five, such as 1, 7.",
            Kind.NUMBERS,
        ),
        Field("offer_from", "The first letter with an offer", "Past the last letter none has one."),
        Field(
            "attribution_days",
            "Days after our last word until the case is lost",
            "Who is back within them came back through us.",
        ),
    ),
)
LADDER = Group(
    "Offers",
    (
        Field(
            "offers.ladder",
            "The ladder, the smallest first: the last rung that fits is offered",
            "ARR in whole units of the customer's own currency. No reason ticked means any. An empty row is "
            "left out; without rows nothing is offered.",
            Kind.ROWS,
            cells=RUNG,
        ),
    ),
)
LIMITS = Group(
    "Limits that no offer passes",
    (
        Field(
            "offers.gross_margin",
            "Gross margin, in percent",
            "What is left of a price without discount after what it costs to serve.",
            Kind.SHARE,
        ),
        Field(
            "offers.margin_floor",
            "Margin that must be left, in percent",
            "Of the price that they pay with the offer.",
            Kind.SHARE,
        ),
        Field("offers.least_percent", "Less percent than this is no offer"),
        Field("offers.approve_above_percent", "A person agrees above this percentage"),
        Field(
            "offers.approve_above_cost",
            "A person agrees above this revenue forgone",
            "In whole units of the customer's own currency.",
        ),
        Field(
            "offers.decide_in_days",
            "Days in which that person decides",
            "Without an answer there is no offer.",
        ),
        Field("offers.valid_days", "Days that an offer is good for"),
        Field("offers.apart_months", "Months after a used offer until the next"),
        Field("offers.most_returns", "Returns after which there are no more discounts"),
        Field("offers.returns_within_months", "Within months"),
    ),
)


def _samples(policy: WinBackPolicy, desk: Desk) -> list[Sample]:
    """Return the days of one departure, and the largest discount that the margin leaves room for."""
    if not policy.is_on:
        return []
    place = desk.say.zone.key
    rows = [(desk.say.moment(desk.now), "They leave")]
    for number, day in enumerate(policy.days, 1):
        offers = " with an offer" if number >= policy.offer_from and policy.offers.ladder else ""
        rows.append((desk.say.moment(morning_of(desk.now, place, day)), f"Letter {number}{offers}"))
    ends = morning_of(desk.now, place, policy.days[-1]) + dt.timedelta(days=policy.attribution_days)
    rows.append((desk.say.moment(ends), "Lost, unless they are back"))
    most = f"The margin leaves room for {policy.offers.most_percent} % off at most."
    return [Sample("A customer leaves today", f"In your own time zone ({place}). {most}", rows)]


class WinBackPolicyPage(PolicyController):
    """Whom we try to win back, when, and what it may cost."""

    path = "/win-back-policy"
    policy_page = PolicyPage(
        title="Win-back policy",
        lead="Whom we try to win back, when we write, and what may be offered. A case goes by the policy "
        "that it was opened with.",
        place=path,
        back=("/win-back", "Win-back"),
        docs="docs/win-back.md",
        key=KEY,
        model=WinBackPolicy,
        groups=(WHOM, LETTERS, LADDER, LIMITS),
        saved="It holds for departures to come; open cases keep theirs.",
        broken=StoredWinBackPolicyError,
        load=load_win_back_policy,
        save=save_win_back_policy,
        samples=_samples,
    )
