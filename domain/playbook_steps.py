"""The other steps of a playbook: work for our people, waits, ways, and calls to other systems."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from domain.calendar import Window
from domain.conditions import Condition
from domain.documents import END, Document, Text
from domain.durations import Duration, Offset
from domain.playbook_contacts import InAppPrompt, Offer, ScheduleMeeting, SendEmail
from domain.vocabulary import CustomerDate, Purpose, Severity, TouchTier

Assignee = Literal["csm", "manager", "sales"]


class CreateTask(Document):
    """Work for one of our people."""

    kind: Literal["call", "email", "meeting", "review", "executive"] = "call"
    title: Text
    body: Text
    assignee: Assignee = "csm"
    due_in: Duration = timedelta(days=2)
    severity: Severity = Severity.MEDIUM


class Notify(Document):
    """A heads-up for one of our people: to know, not to do."""

    to: Assignee = "csm"
    title: Text
    body: Text
    severity: Severity = Severity.MEDIUM


class UntilDate(Document):
    """A date of the customer, or so long before (`-30d`) or after it. It moves when the date moves."""

    date: CustomerDate
    offset: Offset = timedelta()


class UntilWindow(Window):
    """The next local time of this kind, in the customer's time zone, holidays left out."""

    zone: str | None = None
    """An IANA name; without one it is the customer's own."""


WaitEvent = Literal["task_done", "reply", "touchpoint", "meeting", "payment"]


class Wait(Document):
    """Let time pass, or wait for something with a timeout. What interrupts a run interrupts every wait."""

    duration: Duration | None = None
    until_date: UntilDate | None = None
    until_window: UntilWindow | None = None
    event: WaitEvent | None = None
    condition: Condition | None = None
    step: str | None = None
    timeout: Duration | None = None
    on_event: str | None = None
    on_timeout: str | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        spans = (self.duration, self.until_date, self.until_window)
        given = [one for one in (*spans, self.event, self.condition) if one is not None]
        if len(given) != 1:
            message = (
                "a wait has either a duration or an event, or one of until_date, until_window, condition"
            )
            raise ValueError(message)
        if self.waits_for_something and self.timeout is None:
            raise ValueError("a wait for an event needs a timeout: nothing waits for ever")
        if (self.event == "task_done") is (self.step is None):
            raise ValueError("a wait for task_done, and no other, names the step whose task it waits for")
        if not self.waits_for_something and (self.timeout or self.on_event or self.on_timeout):
            raise ValueError("a wait for a duration has no timeout, on_event or on_timeout: use next")
        return self

    @property
    def waits_for_something(self) -> bool:
        """Whether it is for something that may never happen, in contrast to time, which passes."""
        return self.event is not None or self.condition is not None

    @property
    def may_be_over_at_once(self) -> bool:
        """Whether the run may go past it in the instant in which it arrives."""
        if self.duration is not None:
            return self.duration <= timedelta()
        return True


class Branch(Document):
    """Go one way or the other, by what holds when the branch is reached."""

    condition: Condition = Field(alias="if")
    then: str
    otherwise: str = Field(alias="else")


class Variant(Document):
    """One way of an experiment, and how many of all customers go it, in proportion to the others."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    next: str
    weight: float = Field(1.0, gt=0)


class Experiment(Document):
    """Customers are dealt out over variants for good: the same customer always goes the same way."""

    variants: tuple[Variant, ...] = Field(min_length=2, max_length=10)
    choose: Literal["fixed", "measured"] = "fixed"
    """By the weights, or, for newcomers, as measured: each variant as often as it may be the best."""
    measure: Literal["goal", "recovered", "stayed"] = "goal"
    """What the variants are measured by: the run's goal, use within 14 days, or staying for 90."""
    least_share: float = Field(0.1, gt=0, le=0.5)
    """Each variant goes on being tried at least so often: what was measured once may change."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("the variants of an experiment have different names")
        if self.least_share * len(names) > 1:
            raise ValueError("least_share times the number of variants is at most 1")
        return self


class UpdateCustomer(Document):
    """Change what we say of the customer."""

    touch_tier: TouchTier | None = None
    watchlist: bool | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.touch_tier is None and self.watchlist is None:
            raise ValueError("update_customer names touch_tier or watchlist")
        return self


class RetryPayment(Document):
    """Ask the billing provider to try the oldest open invoice again."""


class CallWebhook(Document):
    """Tell another system, signed; with a timeout also wait for its signed answer."""

    endpoint: str = Field(pattern=r"^[a-z][a-z0-9-]{0,60}$")
    body: dict[str, Text] = Field(default_factory=dict)
    timeout: Duration | None = None
    on_answer: str | None = None
    on_timeout: str | None = None

    @model_validator(mode="after")
    def _waits_with_an_end(self) -> Self:
        if self.timeout is None and (self.on_answer or self.on_timeout):
            raise ValueError("to wait for an answer, a webhook needs a timeout: nothing waits for ever")
        return self


class WriteCrm(Document):
    """Set properties of the customer's company at the CRM, and perhaps leave a note there."""

    properties: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")], Text] = Field(
        default_factory=dict, max_length=20
    )
    note: Text | None = None

    @model_validator(mode="after")
    def _writes_something(self) -> Self:
        if not self.properties and self.note is None:
            raise ValueError("write_crm names properties or a note")
        return self


class Call(Document):
    """A step of a developer's own, by the name that it is registered under."""

    step: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,60}$")
    config: dict[str, Any] = Field(default_factory=dict)
    results: dict[str, str] = Field(default_factory=dict)
    """Where each of its results leads; a result that is not named goes on with `next`."""


class Step(Document):
    """One node: an id that stays the same across versions, and exactly one thing to do."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")
    send_email: SendEmail | None = None
    in_app_prompt: InAppPrompt | None = None
    schedule_meeting: ScheduleMeeting | None = None
    offer: Offer | None = None
    create_task: CreateTask | None = None
    notify: Notify | None = None
    wait: Wait | None = None
    branch: Branch | None = None
    experiment: Experiment | None = None
    update_customer: UpdateCustomer | None = None
    retry_payment: RetryPayment | None = None
    call_webhook: CallWebhook | None = None
    write_crm: WriteCrm | None = None
    call: Call | None = None
    next: str | None = None

    @property
    def kind(self) -> str:
        """Name of the one thing this step does."""
        return next(name for name in STEP_KINDS if getattr(self, name) is not None)

    @property
    def is_message(self) -> bool:
        """Whether it is one that the sending activity carries out."""
        return self.kind in ("send_email", "schedule_meeting")

    @property
    def is_transactional(self) -> bool:
        """Whether it must arrive at any hour."""
        order = self.send_email or self.schedule_meeting
        return order is not None and order.purpose is Purpose.TRANSACTIONAL

    @property
    def is_contact(self) -> bool:
        """Whether it reaches the customer's people or costs us money: a person may want to see it first."""
        return self.kind in CONTACT_KINDS

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if sum(getattr(self, name) is not None for name in STEP_KINDS) != 1:
            message = f"step {self.id} must have exactly one of {', '.join(STEP_KINDS)}"
            raise ValueError(message)
        return self

    def targets(self) -> tuple[str, ...]:
        """Return every step id that this step may go to by name."""
        return tuple(name for name in (self.next, *self.ways()) if name is not None and name != END)

    def ways(self) -> Iterator[str | None]:
        """Yield where its own answers lead, None where they lead on."""
        body = getattr(self, self.kind)
        for name in ANSWERS.get(self.kind, ()):
            yield getattr(body, name)
        if self.experiment is not None:
            yield from (variant.next for variant in self.experiment.variants)
        if self.call is not None:
            yield from self.call.results.values()


CONTACT_KINDS = ("send_email", "in_app_prompt", "schedule_meeting", "offer")
STEP_KINDS = (
    *CONTACT_KINDS,
    "create_task",
    "notify",
    "wait",
    "branch",
    "experiment",
    "update_customer",
    "retry_payment",
    "call_webhook",
    "write_crm",
    "call",
)
ANSWERS = {
    "wait": ("on_event", "on_timeout"),
    "branch": ("then", "otherwise"),
    "schedule_meeting": ("on_accepted", "on_declined", "on_timeout"),
    "offer": ("on_granted", "on_refused"),
    "call_webhook": ("on_answer", "on_timeout"),
}
"""The names under which a step says where each of its answers leads."""
