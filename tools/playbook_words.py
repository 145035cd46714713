"""What a playbook says, in words: for the pages of the docs that are printed from the library."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from domain.durations import write_duration
from domain.playbook import Playbook
from domain.playbook_contacts import Person, ToPeople
from domain.playbook_steps import ANSWERS, Step, Wait
from domain.playbook_triggers import Trigger
from domain.playbook_words import condition
from domain.vocabulary import ContactRole, TouchTier

EVENTS = {
    "reply": "an answer",
    "touchpoint": "a talk with somebody there",
    "meeting": "a meeting held",
    "payment": "a payment",
}
GOALS = {
    "causes_reversed": "what opened it has reversed",
    "touchpoint": "somebody has spoken with the customer",
    "meeting": "a meeting was held",
    "renewed": "the contract is renewed",
    "steps_taken": "every step was taken",
}
PEOPLE = {"csm": "the CSM", "manager": "the manager", "sales": "sales"}


def plain(word: object) -> str:
    """Return an enumeration's value without its underscores."""
    return str(word).replace("_", " ")


def span(value: timedelta) -> str:
    """Return a duration in words: 5 days."""
    short = write_duration(value)
    count, unit = int(short[:-1]), {"m": "minute", "h": "hour", "d": "day", "w": "week"}[short[-1]]
    return f"{count} {unit}" + ("" if count == 1 else "s")


def either(words: list[str]) -> str:
    """Join by commas and a last `or`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def trigger(document: Playbook) -> str:
    """Return what opens a playbook."""
    opens = document.trigger
    return WAYS_IN[opens.kinds[0]](opens)


def _tier(opens: Trigger) -> str:
    drivers = ", ".join(family.value for family in opens.drivers)
    tier = opens.tier.value if opens.tier else ""
    return f"risk {tier}" + (f", main driver {drivers}" if drivers else "")


def _date(opens: Trigger) -> str:
    date = opens.on_date
    assert date is not None  # noqa: S101 - chosen by kind
    side = "before" if date.offset < timedelta() else "after"
    within = f", at most {span(date.within)} late"
    return f"{span(abs(date.offset))} {side} the date {plain(date.date)}{within}"


def _event(opens: Trigger) -> str:
    event = opens.event
    assert event is not None  # noqa: S101 - chosen by kind
    return f"{event.performed!r} done {event.times} times within {span(event.within)}"


def _schedule(opens: Trigger) -> str:
    schedule = opens.schedule
    assert schedule is not None  # noqa: S101 - chosen by kind
    return f"every {span(schedule.every)}, counted from the date {plain(schedule.since)}"


WAYS_IN: dict[str, Callable[[Trigger], str]] = {
    "tier": _tier,
    "health": lambda opens: f"health {plain(opens.health)} or worse",
    "signals": lambda opens: "signal " + ", ".join(opens.signals),
    "own_signals": lambda opens: "own signal " + ", ".join(opens.own_signals),
    "resolved": lambda opens: "end of signal " + ", ".join(opens.resolved),
    "before_renewal": lambda opens: f"{span(opens.before_renewal or timedelta())} before the renewal",
    "on_date": _date,
    "event": _event,
    "schedule": _schedule,
    "manual": lambda _opens: "a person",
}
"""How each kind of trigger is told."""


def audience(document: Playbook) -> str:
    """Return whom it is for by touch tier."""
    return "all" if set(document.audience) == set(TouchTier) else ", ".join(map(plain, document.audience))


def goal(document: Playbook) -> str:
    """Return what ends it well, as what, and within how long."""
    aim = document.goal
    when = condition(aim.condition) if aim.condition is not None else GOALS[aim.when]
    lasting = f" for {span(aim.dwell)}" if aim.when == "causes_reversed" else ""
    return f"{when}{lasting}, which counts as {plain(aim.outcome)}; within {span(aim.window)}"


def person(one: ContactRole | Person) -> str:
    """Return whom a contact step means."""
    if isinstance(one, ContactRole):
        return plain(one)
    said = [plain(one.role)] if one.role is not None else ["anybody"]
    if one.inactive_for is not None:
        said.append(f"away for {span(one.inactive_for)}")
    said += [f"who used {one.used}"] if one.used else []
    said += [f"who never used {one.never_used}"] if one.never_used else []
    return " ".join(said)


def people(order: ToPeople) -> str:
    """Return whom a step reaches, in order, and what happens where nobody can be reached."""
    count = f", up to {order.at_most} of them" if order.at_most > 1 else ""
    lost = "; nobody reachable: a task for the CSM" if order.otherwise == "task" else ""
    late = f"; dropped when put off for more than {span(order.useful_for)}" if order.useful_for else ""
    return f"to the first of {', '.join(person(one) for one in order.to)}{count}{lost}{late}"


def wait(order: Wait) -> str:
    """Return what a wait is for."""
    if order.duration is not None:
        return span(order.duration)
    if order.until_date is not None:
        at = order.until_date
        side = "before " if at.offset < timedelta() else "after "
        return f"until {span(abs(at.offset)) + ' ' + side if at.offset else ''}the date {plain(at.date)}"
    if order.until_window is not None:
        window = order.until_window
        return f"until {', '.join(window.weekdays)} between {window.opens} and {window.closes} there"
    what = condition(order.condition) if order.condition is not None else EVENTS.get(order.event or "", "")
    if order.event == "task_done":
        what = f"the task of `{order.step}` being done"
    return f"for {what}, at most {span(order.timeout or timedelta())}"


def does(step: Step) -> str:
    """Return what one step does."""
    return DOES[step.kind](getattr(step, step.kind))


DOES: dict[str, Callable[[Any], str]] = {
    "send_email": lambda it: f"E-mail `{it.template}` {people(it)}.",
    "in_app_prompt": lambda it: f"Prompt “{it.title}” in the product {people(it)}.",
    "schedule_meeting": lambda it: (
        f"Invitation `{it.template}` to {it.minutes} minutes, from {span(it.ahead)} ahead, {people(it)}."
    ),
    "offer": lambda it: (
        f"“{it.title}”: {PEOPLE[it.approver]} grants or refuses it within {span(it.decide_in)}; "
        f"asked only from an expected loss of {it.least_expected_loss:,.0f}."
    ),
    "create_task": lambda it: (
        f"Task for {PEOPLE[it.assignee]} within {span(it.due_in)}, {it.severity}: “{it.title}”."
    ),
    "notify": lambda it: f"Heads-up for {PEOPLE[it.to]}, {it.severity}: “{it.title}”.",
    "wait": lambda it: f"Wait {wait(it)}.",
    "branch": lambda it: f"Whether {condition(it.condition)}.",
    "experiment": lambda _it: "Each customer goes one way for good, dealt by lot.",
    "update_customer": lambda it: f"Say of the customer: {it.model_dump(exclude_none=True)}.",
    "retry_payment": lambda _it: "Try the oldest open invoice again.",
    "call_webhook": lambda it: f"Tell {it.endpoint}.",
    "call": lambda it: f"Do `{it.step}`.",
}
"""What each kind of step does, in words."""
ANSWERED = {
    "on_event": "it happens",
    "on_timeout": "time is over",
    "then": "yes",
    "otherwise": "no",
    "on_accepted": "accepted",
    "on_declined": "declined",
    "on_granted": "granted",
    "on_refused": "refused",
    "on_answer": "answered",
}
"""How each answer of a step is told."""


def ways(document: Playbook, step: Step) -> Iterator[tuple[str, str]]:
    """Yield each way on from a step: its name, empty where there is one way only, and the step."""
    body, following = getattr(step, step.kind), document.after(step)
    if step.experiment is not None:
        yield from ((one.name, one.next) for one in step.experiment.variants)
        return
    fields = ANSWERS.get(step.kind, ())
    named = [(ANSWERED[field], getattr(body, field) or following) for field in fields]
    named = [] if step.wait is not None and not step.wait.waits_for_something else named
    if step.call is not None:
        named += list(step.call.results.items())
    if len({target for _words, target in named}) > 1:
        yield from named
    else:
        yield "", named[0][1] if named else following
