"""The contact policy in words: what it says, and what a change to it does."""

from collections.abc import Iterable

from domain.calendar import WEEKDAYS, Window
from domain.contact_policy import ContactPolicy

WORKDAYS = WEEKDAYS[:5]


def say_policy(policy: ContactPolicy) -> tuple[str, ...]:
    """Return the whole policy, one sentence a rule."""
    said = [
        _cap("A customer", policy.emails_per_day, policy.emails_per_week, "optional e-mail"),
        _cap("One person", policy.emails_per_person_per_day, policy.emails_per_person_per_week, "of these"),
        _cap("A customer", policy.prompts_per_day, policy.prompts_per_week, "in-app prompt"),
    ]
    for topic, most in sorted(policy.topics_per_week.items()):
        said.append(f"Of these, at most {most} a week are about {str(topic).replace('_', ' ')}.")
    said.append(
        f"Optional e-mail goes out {' or '.join(map(say_window, policy.hours))}, where the reader is."
    )
    said.append(
        "Public holidays of the reader's country are days off."
        if policy.public_holidays
        else "Public holidays are days like others."
    )
    if policy.days_off:
        days = ", ".join(f"{day.day} {day:%B %Y}" for day in sorted(policy.days_off))
        said.append(f"Nothing optional goes out on {days}.")
    said.append(
        f"A message waits at most {_plural(policy.longest_deferral_days, 'day')}; then it is dropped."
    )
    for tier, days in policy.longest_silence_days.items():
        name = tier.value.replace("_", "-")
        said.append(f"After {_plural(days, 'day')} without contact, a {name} customer counts as neglected.")
    said.append("Transactional mail is outside all this.")
    return tuple(said)


def say_change(before: ContactPolicy, after: ContactPolicy) -> tuple[tuple[str, str], ...]:
    """Return the sentences that change, each as it is and as it would be; empty where one begins or ends."""
    old, new = say_policy(before), say_policy(after)
    gone = [each for each in old if each not in new]
    come = [each for each in new if each not in old]
    pairs = [(each, _partner(each, come)) for each in gone]
    taken = {partner for _, partner in pairs}
    return (*pairs, *(("", each) for each in come if each not in taken))


def _partner(sentence: str, others: Iterable[str]) -> str:
    """Return the sentence of the same rule: it begins with the same three words."""
    start = sentence.split()[:3]
    like = [each for each in others if each.split()[:3] == start]
    tail = sentence.split()[-2:]
    return next((each for each in like if each.split()[-2:] == tail), like[0] if like else "")


def say_window(window: Window) -> str:
    """Return a window in words."""
    days = tuple(day for day in WEEKDAYS if day in window.weekdays)
    if days == WEEKDAYS:
        when = "every day"
    elif days == WORKDAYS:
        when = "Monday to Friday"
    else:
        when = ", ".join(NAMES[day] for day in days)
    if window.opens == window.closes:
        return (
            f"{when} at any hour"
            if window.opens.hour == 0
            else f"{when} for 24 hours from {window.opens:%H:%M}"
        )
    return f"{when} {window.opens:%H:%M} to {window.closes:%H:%M}"


NAMES = dict(
    zip(
        WEEKDAYS,
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True,
    )
)


def _cap(who: str, day: int, week: int, what: str) -> str:
    if min(day, week) == 0:
        return f"{who} gets no {what}s at all." if what != "of these" else f"{who} gets none of these."
    many = what if what == "of these" or day == 1 else f"{what}s"
    return f"{who} gets at most {day} {many} a day and {week} a week."


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
