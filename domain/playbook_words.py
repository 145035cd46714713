"""Playbooks in words: what a step does, where it leads, when a run opens and what ends it."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from domain.condition_clauses import Performed, SignalOpen
from domain.conditions import All, Compare, Condition, HasBeen, Not, Value
from domain.documents import END
from domain.durations import write_duration
from domain.playbook import Playbook
from domain.playbook_contacts import Person, ToPeople
from domain.playbook_steps import ANSWERS, Step, Wait
from domain.playbook_triggers import Trigger
from domain.vocabulary import ContactRole, CustomerDate

DATES = {
    CustomerDate.RENEWAL: "the renewal",
    CustomerDate.NOTICE_DEADLINE: "the notice deadline",
    CustomerDate.STARTED: "the start",
    CustomerDate.ONBOARDED: "the end of onboarding",
    CustomerDate.FIRST_VALUE: "the first value",
}
EVENTS = {
    "reply": "an answer",
    "touchpoint": "a talk with somebody there",
    "meeting": "a meeting held",
    "payment": "a payment",
}
UNITS = {"m": "minute", "h": "hour", "d": "day", "w": "week"}
COMPARED = {
    "is": "is",
    "is_not": "is not",
    "at_least": "is at least",
    "at_most": "is at most",
    "more_than": "is more than",
    "less_than": "is less than",
    "one_of": "is",
}
TIMES = {
    "at_least": "at least",
    "at_most": "at most",
    "more_than": "more than",
    "less_than": "fewer than",
    "is": "exactly",
}


def span(value: timedelta) -> str:
    """Return a span in words: 5 days."""
    written = write_duration(value)
    count = int(written[:-1])
    return f"{count} {UNITS[written[-1]]}{'' if count == 1 else 's'}"


def offset(value: timedelta, what: str) -> str:
    """Return where an offset lies: 30 days before the renewal."""
    if not value:
        return f"on the day of {what}"
    return f"{span(abs(value))} {'before' if value < timedelta() else 'after'} {what}"


def who(person: str) -> str:
    """Return one of our people by what they do."""
    return {"csm": "CSM", "sales": "sales owner"}.get(person, person)


def plain(word: object) -> str:
    """Return a code as words."""
    return str(word).replace("_", " ")


def condition(tree: Condition) -> str:
    """Return a condition as one line."""
    if isinstance(tree, Compare):
        lasting = f" for {span(tree.lasting)}" if isinstance(tree, HasBeen) else ""
        return _comparison(tree) + lasting
    if isinstance(tree, Performed):
        return f"“{tree.performed}” performed {TIMES[tree.op]} {tree.times} times within {span(tree.within)}"
    if isinstance(tree, SignalOpen):
        lasting = f" for {span(tree.lasting)}" if tree.lasting else ""
        return f"signal {plain(tree.signal)} open{lasting}"
    if isinstance(tree, Not):
        return f"not ({condition(tree.negated)})"
    parts, joint = (tree.all, " and ") if isinstance(tree, All) else (tree.any, " or ")
    return joint.join(condition(part) for part in parts)


def _comparison(tree: Compare) -> str:
    values = tree.value if isinstance(tree.value, tuple) else (tree.value,)
    said = " or ".join(_value(value) for value in values)
    return f"{plain(tree.field)} {COMPARED[tree.op]} {said}"


def _value(value: Value) -> str:
    if value is None:
        return "empty"
    return str(value).lower() if isinstance(value, bool) else plain(value)


def people(to: ToPeople) -> str:
    """Return whom a contact step is for."""
    first = " or ".join(_person(one) for one in to.to)
    return f"the first reachable of {first}" if len(to.to) > 1 else f"the {first}"


def _person(one: ContactRole | Person) -> str:
    if isinstance(one, ContactRole):
        return plain(one.value)
    said = [plain(one.role.value) if one.role else "somebody"]
    said += [f"away for {span(one.inactive_for)}"] if one.inactive_for else []
    said += [f"who used {one.used}"] if one.used else []
    said += [f"who never used {one.never_used}"] if one.never_used else []
    return " ".join(said)


def step(one: Step) -> str:
    """Return what a step does, in one sentence without its full stop."""
    return STEPS[one.kind](one)


def _email(one: Step) -> str:
    assert one.send_email is not None  # noqa: S101 - dispatched by kind
    return f"E-mail “{one.send_email.template}” to {people(one.send_email)}"


def _prompt(one: Step) -> str:
    assert one.in_app_prompt is not None  # noqa: S101 - dispatched by kind
    return f"Show “{one.in_app_prompt.title}” in the product to {people(one.in_app_prompt)}"


def _meeting(one: Step) -> str:
    assert one.schedule_meeting is not None  # noqa: S101 - dispatched by kind
    return f"Invite {people(one.schedule_meeting)} to “{one.schedule_meeting.title}”"


def _offer(one: Step) -> str:
    assert one.offer is not None  # noqa: S101 - dispatched by kind
    return f"Propose to the {who(one.offer.approver)}: {one.offer.title}"


def _task(one: Step) -> str:
    assert one.create_task is not None  # noqa: S101 - dispatched by kind
    task = one.create_task
    return f"Task for the {who(task.assignee)}, due in {span(task.due_in)}: {task.title}"


def _notify(one: Step) -> str:
    assert one.notify is not None  # noqa: S101 - dispatched by kind
    return f"Heads-up to the {who(one.notify.to)}: {one.notify.title}"


def _wait(one: Step) -> str:
    assert one.wait is not None  # noqa: S101 - dispatched by kind
    return wait(one.wait)


def wait(one: Wait) -> str:
    """Return what a wait is for."""
    if one.duration is not None:
        return f"Wait {span(one.duration)}"
    if one.until_date is not None:
        return f"Wait until {offset(one.until_date.offset, DATES[one.until_date.date])}"
    if one.until_window is not None:
        window = one.until_window
        where = window.zone or "the customer's time"
        return f"Wait for {', '.join(window.weekdays)} {window.opens} to {window.closes}, {where}"
    if one.condition is not None:
        awaited = f"until {condition(one.condition)}"
    else:
        awaited = f"until the task of “{one.step}” is done" if one.step else f"for {EVENTS[str(one.event)]}"
    return f"Wait {awaited}, at most {span(one.timeout or timedelta())}"


def _branch(one: Step) -> str:
    assert one.branch is not None  # noqa: S101 - dispatched by kind
    return f"If {condition(one.branch.condition)}"


def _experiment(one: Step) -> str:
    assert one.experiment is not None  # noqa: S101 - dispatched by kind
    return f"Experiment: {', '.join(variant.name for variant in one.experiment.variants)}"


def _update(one: Step) -> str:
    change = one.update_customer
    assert change is not None  # noqa: S101 - dispatched by kind
    said = [f"touch tier {plain(change.touch_tier.value)}"] if change.touch_tier else []
    said += (
        [] if change.watchlist is None else ["on the watchlist" if change.watchlist else "off the watchlist"]
    )
    return f"Change the customer: {', '.join(said)}"


def _crm(one: Step) -> str:
    assert one.write_crm is not None  # noqa: S101 - dispatched by kind
    names = ", ".join(plain(name) for name in one.write_crm.properties)
    parts = [f"set {names}"] if names else []
    parts += ["leave a note"] if one.write_crm.note is not None else []
    return f"At the CRM, {' and '.join(parts)}"


def _webhook(one: Step) -> str:
    assert one.call_webhook is not None  # noqa: S101 - dispatched by kind
    limit = one.call_webhook.timeout
    return (
        f"Call {one.call_webhook.endpoint}{f', wait for its answer at most {span(limit)}' if limit else ''}"
    )


def _call(one: Step) -> str:
    assert one.call is not None  # noqa: S101 - dispatched by kind
    return f"Own step “{one.call.step}”"


STEPS: dict[str, Callable[[Step], str]] = {
    "send_email": _email,
    "in_app_prompt": _prompt,
    "schedule_meeting": _meeting,
    "offer": _offer,
    "create_task": _task,
    "notify": _notify,
    "wait": _wait,
    "branch": _branch,
    "experiment": _experiment,
    "update_customer": _update,
    "retry_payment": lambda _one: "Try the oldest open invoice again",
    "call_webhook": _webhook,
    "write_crm": _crm,
    "call": _call,
}

WAY_NAMES = {
    "on_event": "it happens",
    "on_timeout": "time is up",
    "then": "yes",
    "otherwise": "no",
    "on_accepted": "accepted",
    "on_declined": "declined",
    "on_granted": "granted",
    "on_refused": "refused",
    "on_answer": "answered",
}
REASONS = {
    "timeout": WAY_NAMES["on_timeout"],
    "then": WAY_NAMES["then"],
    "else": WAY_NAMES["otherwise"],
    "otherwise": WAY_NAMES["otherwise"],
    "open_offer": "another offer is open",
    "used_lately": "an offer was used lately",
    "discounted": "a discount is running already",
    "shared": "another customer with the same address, domain or card has used an offer",
}
"""How a step's reason is told that is a name in the document."""
SETTLED = ("wait", "offer")
"""Kinds of steps that come to one of their answers, whatever happens."""


def ways(playbook: Playbook, one: Step) -> tuple[tuple[str, str], ...]:
    """Return where a step leads, each with what leads there, empty where it is simply next."""
    found: dict[str, list[str]] = {}
    for label, target in _ways(playbook, one):
        found.setdefault(target, []).append(label)
    return tuple((" or ".join(name for name in labels if name), target) for target, labels in found.items())


def _ways(playbook: Playbook, one: Step) -> Iterator[tuple[str, str]]:
    following, body = playbook.after(one), getattr(one, one.kind)
    if one.experiment is not None:
        yield from ((variant.name, variant.next) for variant in one.experiment.variants)
        return
    named = [name for name in ANSWERS.get(one.kind, ()) if getattr(body, name) is not None]
    for name in named:
        yield WAY_NAMES[name], getattr(body, name)
    if one.call is not None:
        yield from one.call.results.items()
    is_settled = one.kind in SETTLED and len(named) == len(ANSWERS[one.kind])
    if one.branch is None and not is_settled:
        yield _otherwise(one, named), following


def why(reason: str | None) -> str:
    """Return why a step's state is what it is, in words."""
    return REASONS.get(reason or "", plain(reason or ""))


def _otherwise(one: Step, named: list[str]) -> str:
    if one.call is not None and one.call.results:
        return "else"
    if not named:
        return ""
    is_wait = one.wait is not None
    if is_wait and "on_timeout" not in named:
        return WAY_NAMES["on_timeout"]
    return WAY_NAMES["on_event"] if is_wait and "on_event" not in named else "else"


def trigger(one: Trigger) -> str:
    """Return when a run opens."""
    return TRIGGERS[one.kinds[0]](one)


def _tier(one: Trigger) -> str:
    because = " or ".join(plain(driver.value) for driver in one.drivers)
    return f"churn risk becomes {one.tier}{f', because of {because}' if because else ''}"


def _signals(one: Trigger) -> str:
    kinds = [*(plain(kind.value) for kind in one.signals), *one.own_signals]
    return f"a signal opens: {', '.join(kinds)}"


def _on_date(one: Trigger) -> str:
    assert one.on_date is not None  # noqa: S101 - dispatched by kind
    days = offset(one.on_date.offset, DATES[one.on_date.date])
    return f"{days}, at most {span(one.on_date.within)} late"


def _event(one: Trigger) -> str:
    assert one.event is not None  # noqa: S101 - dispatched by kind
    times = "" if one.event.times == 1 else f" {one.event.times} times within {span(one.event.within)}"
    return f"somebody does “{one.event.performed}”{times}"


def _schedule(one: Trigger) -> str:
    assert one.schedule is not None  # noqa: S101 - dispatched by kind
    return f"every {span(one.schedule.every)}, counted from {DATES[one.schedule.since]}"


TRIGGERS: dict[str, Callable[[Trigger], str]] = {
    "tier": _tier,
    "health": lambda one: f"health falls to {plain(one.health)} or lower",
    "signals": _signals,
    "own_signals": _signals,
    "resolved": lambda one: f"a signal has ended: {', '.join(plain(kind.value) for kind in one.resolved)}",
    "before_renewal": lambda one: f"{span(one.before_renewal or timedelta())} before the renewal",
    "on_date": _on_date,
    "event": _event,
    "schedule": _schedule,
    "manual": lambda _one: "a person or another system opens it",
}


def endings(playbook: Playbook) -> tuple[str, ...]:
    """Return what ends a run, one line each."""
    goal = playbook.goal
    reached = condition(goal.condition) if goal.condition is not None else GOALS[goal.when]
    stays = f" and has stayed so for {span(goal.dwell)}" if goal.when == "causes_reversed" else ""
    return (
        f"{reached}{stays}: it ends as {plain(goal.outcome.value)}",
        f"{span(goal.window)} have passed: it ends as no change",
        "the customer leaves: it ends as churned",
        *(f"{condition(way.condition)}: it ends as {plain(way.outcome.value)}" for way in playbook.exits),
    )


GOALS = {
    "causes_reversed": "What opened it has reversed",
    "touchpoint": "Somebody has spoken with the customer",
    "meeting": "A meeting was held",
    "renewed": "The contract is renewed",
    "steps_taken": "Every step was taken",
}


def name_of(step_id: str | None) -> str:
    """Return a place of a run in words."""
    return {None: "not begun", END: "after the last step"}.get(step_id, f"“{step_id}”")
