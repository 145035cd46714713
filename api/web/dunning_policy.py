"""The dunning policy: its form, and what it would do with invoices that are never paid."""

from api.web.desk import Desk
from api.web.policy_fields import Field, Group, Kind
from api.web.policy_page import PolicyController, PolicyPage, Sample
from domain.calendar import WEEKDAYS
from domain.case_vocabulary import CaseOutcome
from domain.contact_words import NAMES
from domain.dunning_policy import DunningPolicy, StoredDunningPolicyError
from domain.dunning_rehearsal import RehearsedStep, SampleInvoice, rehearse_dunning
from domain.dunning_schedule import Place
from domain.dunning_state import DunningStep
from models.dunning_policies import KEY, load_dunning_policy, save_dunning_policy

DAYS = {day: NAMES[day] for day in WEEKDAYS}
CEILING = (
    Field("brand", "Network", kind=Kind.WORD),
    Field("attempts", "Attempts"),
    Field("hours", "Within hours"),
)
RETRIES = Group(
    "When a card is tried again",
    (
        Field("retries.attempts", "Attempts at most"),
        Field(
            "retries.within_days",
            "Within days",
            "In our simulation 24 days recover more than 14, with fewer attempts: 63 instead of 54 % of what "
            "is owed with debit cards, 59 instead of 55 % with company cards, 57 instead of 47 % where "
            "paydays show no pattern; on average it takes two to three days longer. These are simulated "
            "cards, not yours: docs/dunning.md says what was assumed.",
        ),
        Field(
            "retries.slow_attempts",
            "Attempts after a refusal without a reason",
            "Where nothing speaks for a better answer soon.",
        ),
        Field("retries.least_hours", "Hours between two attempts, at least"),
        Field("retries.hours.from", "Hours of the day, from", "On the customer's clock.", Kind.WORD),
        Field("retries.hours.to", "Hours of the day, to", kind=Kind.WORD),
        Field("retries.hours.weekdays", "Days of the week", kind=Kind.CHOICES, choices=DAYS),
        Field("retries.public_holidays", "Not on public holidays of the customer's country", kind=Kind.FLAG),
    ),
    "Only where the connection says that Everstay retries; else the provider's attempts are watched.",
)
PAYDAYS = Group(
    "Paydays",
    (
        Field("retries.paydays.wait_days", "Days that an attempt waits for one, at most"),
        Field("retries.paydays.month_days", "Days of the month", "Such as 1, 15.", Kind.NUMBERS),
        Field("retries.paydays.last_working_day", "The last working day of the month", kind=Kind.FLAG),
        Field("retries.paydays.weekdays", "Weekly", kind=Kind.CHOICES, choices=DAYS),
    ),
)
CEILINGS = Group(
    "Ceilings of the networks",
    (
        Field(
            "retries.ceilings",
            "Attempts with one card over all invoices, whoever makes them",
            "Above these the networks charge fees. An empty row is left out.",
            Kind.ROWS,
            cells=CEILING,
        ),
    ),
)
NOTICES = Group(
    "Letters after a refused charge",
    (
        Field("notices.after_days", "On days", "After the case was opened, such as 1, 5, 11.", Kind.NUMBERS),
        Field("notices.gentle_below", "Gentle below this part of the time, in percent", kind=Kind.SHARE),
        Field("notices.firm_above", "Firm above this part of the time, in percent", kind=Kind.SHARE),
        Field("notices.least_hours", "Hours between two letters, at least"),
        Field("notices.per_week", "Letters in seven days, at most"),
    ),
)
TRANSFERS = Group(
    "Invoices that are paid by transfer",
    (
        Field("transfers.before_days", "Reminders so many days before the due date", kind=Kind.NUMBERS),
        Field("transfers.after_days", "Reminders so many days after it", kind=Kind.NUMBERS),
        Field("transfers.task_after_days", "Days after it on which a person is asked to call"),
        Field("transfers.within_days", "Days after it until the final notice"),
    ),
)
END = Group(
    "When nothing is left to try",
    (
        Field("grace_days", "Days from the final notice to the final action"),
        Field(
            "final_action",
            "The final action",
            kind=Kind.CHOICE,
            choices={
                "keep": "Leave the subscription as it is",
                "pause": "Pause the subscription",
                "cancel": "Cancel the subscription",
            },
        ),
        Field(
            "write_off_below",
            "Written off below",
            "A line a currency, such as USD 5.00. What is not named has no limit.",
            Kind.AMOUNTS,
        ),
        Field(
            "escalate_from",
            "A person decides from",
            "A line a currency. Nothing is done to the subscription by itself.",
            Kind.AMOUNTS,
        ),
    ),
)
DEEDS = {
    DunningStep.COLLECT: "The card is charged",
    DunningStep.END_SUBSCRIPTION: "The final action is carried out",
    DunningStep.WRITE_OFF: "The invoice is written off",
    DunningStep.GENTLE: "A gentle letter",
    DunningStep.NEUTRAL: "A neutral letter",
    DunningStep.FIRM: "A firm letter",
    DunningStep.CARD_UPDATE: "A letter asks for another card",
    DunningStep.AUTHENTICATION: "A letter asks to confirm the payment",
    DunningStep.FINAL_NOTICE: "The final notice",
    DunningStep.BEFORE_DUE: "A reminder before the due date",
    DunningStep.OVERDUE: "A reminder that it is overdue",
}
SAMPLE_MINOR = 50_000
IMAGINED = (
    ("A charge is refused today for lack of funds", "insufficient_funds", "And each time after that."),
    ("A charge is refused today without a reason", "do_not_honor", "And each time after that."),
    ("A card has expired today", "expired_card", "And the customer does nothing."),
    ("A transfer is due today", "", "And never comes."),
)


def _samples(policy: DunningPolicy, desk: Desk) -> list[Sample]:
    place = Place(desk.say.zone.key)
    found = []
    for title, code, lead in IMAGINED:
        invoice = SampleInvoice(SAMPLE_MINOR, "USD", desk.now, code)
        steps = rehearse_dunning(invoice, policy, place)
        words = f"{lead} $500, in your own time zone ({place.time_zone})."
        found.append(Sample(title, words, [(desk.say.moment(one.at), _say(one)) for one in steps]))
    return found


def _say(step: RehearsedStep) -> str:
    if step.step is not None:
        return DEEDS[step.step]
    ending = step.ending
    assert ending is not None  # noqa: S101 - what is no step is the end
    return ENDS.get(ending.outcome, ending.sentence)


ENDS = {CaseOutcome.ESCALATED: "A person is asked to decide", CaseOutcome.WRITTEN_OFF: "It is over"}


class DunningPolicyPage(PolicyController):
    """How unpaid invoices are collected."""

    path = "/dunning-policy"
    policy_page = PolicyPage(
        title="Dunning policy",
        lead="How unpaid invoices are collected: when a card is tried again, when we write, and what happens "
        "at the end. A case goes by the policy that it was opened with.",
        place=path,
        back=("/dunning", "Unpaid invoices"),
        docs="docs/dunning.md",
        key=KEY,
        model=DunningPolicy,
        groups=(RETRIES, PAYDAYS, CEILINGS, NOTICES, TRANSFERS, END),
        saved="It holds for cases that are opened from now on.",
        broken=StoredDunningPolicyError,
        load=load_dunning_policy,
        save=save_dunning_policy,
        samples=_samples,
    )
