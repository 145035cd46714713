"""The contact policy in words: what it says, and what a change to it does."""

from domain.calendar import WEEKDAYS, Window
from domain.contact_policy import ContactPolicy

MIDNIGHT = "00:00"
WORKDAYS = WEEKDAYS[:5]
NAMES = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}


def say_policy(policy: ContactPolicy) -> dict[str, str]:
    """Return the whole policy, one sentence per rule, by the name of the rule."""
    return (
        {
            "customer": _cap("A customer", policy.emails_per_day, policy.emails_per_week, "optional e-mail"),
            "person": _cap(
                "One person", policy.emails_per_person_per_day, policy.emails_per_person_per_week, "of these"
            ),
            "prompts": _cap(
                "One person",
                policy.prompts_per_person_per_day,
                policy.prompts_per_person_per_week,
                "in-app prompt",
            ),
        }
        | {
            f"topic {topic}": f"About {str(topic).replace('_', ' ')}: at most {most} in a week."
            for topic, most in sorted(policy.topics_per_week.items())
        }
        | _say_times(policy)
        | {
            f"silence {tier.value}": f"A {tier.value.replace('_', '-')} customer counts as neglected after "
            f"{_plural(days, 'day')} of silence."
            for tier, days in policy.longest_silence_days.items()
        }
        | {"transactional": "Transactional mail is outside all this."}
    )


def _say_times(policy: ContactPolicy) -> dict[str, str]:
    hours = " or ".join(map(say_window, policy.hours))
    public = "are days off" if policy.public_holidays else "are days like others"
    said = {
        "hours": f"Optional e-mail goes out {hours}, where the reader is.",
        "holidays": f"Public holidays of the reader's country {public}.",
    }
    if policy.days_off:
        days = ", ".join(f"{day.day} {day:%B %Y}" for day in sorted(policy.days_off))
        said["days off"] = f"Nothing optional goes out on {days}."
    waits = _plural(policy.longest_deferral_days, "day")
    return said | {"deferral": f"A message waits at most {waits} for its turn; then it is dropped."}


def say_change(before: ContactPolicy, after: ContactPolicy) -> tuple[tuple[str, str], ...]:
    """Return the rules that change, each as it is and as it would be; empty where one begins or ends."""
    old, new = say_policy(before), say_policy(after)
    rules = dict.fromkeys((*old, *new))
    pairs = ((old.get(rule, ""), new.get(rule, "")) for rule in rules)
    return tuple((was, will) for was, will in pairs if was != will)


def say_window(window: Window) -> str:
    """Return a window in words."""
    days = _say_days(window)
    if window.opens != window.closes:
        return f"{days} {window.opens} to {window.closes}"
    return f"{days} at any hour" if window.opens == MIDNIGHT else f"{days} for 24 hours from {window.opens}"


def _say_days(window: Window) -> str:
    days = tuple(day for day in WEEKDAYS if day in window.weekdays)
    if days == WEEKDAYS:
        return "every day"
    return "Monday to Friday" if days == WORKDAYS else ", ".join(NAMES[day] for day in days)


def _cap(who: str, day: int, week: int, what: str) -> str:
    if min(day, week) == 0:
        return f"{who} gets none of these." if what == "of these" else f"{who} gets no {what}s at all."
    many = what if what == "of these" or day == 1 else f"{what}s"
    return f"{who} gets at most {day} {many} a day and {week} a week."


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
