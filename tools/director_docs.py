"""Writes docs/director.md from the code that decides, so that what is published is what is done."""

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from domain import director, guard
from domain.contact_policy import ContactPolicy
from domain.contact_words import say_policy
from domain.durations import write_duration
from domain.playbook import Playbook
from domain.playbook_words import trigger
from domain.run_rulings import OBJECTIONS
from domain.uplift import PRIORITY_SCALE, declared_uplift
from domain.vocabulary import TouchTier
from models.playbooks import read_library
from models.send_claims import SENTENCES

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "director.md"
WIDTH = 110
CONTACT = ContactPolicy()
INTRODUCTION = """
This page is printed from the code by `tools/director_docs.py`; a test fails when it is out of date.

The director is one pure function, `domain.director.decide`. It looks at what holds of a customer, not at
what happened: a notice only says that it is time to look again, so that one that is lost, late or doubled
changes nothing. Everything that it says, every refusal too, is a row of the decision ledger.
"""
WORTH = """
An escalation (a playbook that replaces) comes before every other, then what saves more of what would be lost,
then the key. The share of departures that a playbook prevents is the measured one where chance has measured
it in the customer's segment ([impact](impact.md)), a posterior mean; else the one that it declares
(`assumed_uplift`); else its priority over {scale}. The expected value of a run is the chance of leaving times
revenue times that share, and the decision says which it was: `measured: saves 6 in 100, 90 % 2 to 10,
n = 410`, or `assumed: saves 6 in 100`. Messages that want the same slot are weighed by the same share.

An open escalation outranks all but a worthier one. A plan that nobody has released outranks only plans. A
plan that nothing calls for any more is dropped; one for a customer who may no longer be written to, too.

Where no playbook is meant for the reasons of a high risk, none is opened, and the ledger says so
(`no_playbook`): an apology for tickets that nobody has opened is worse than none.
"""
GUARD = """
Asked in the transaction that claims a send, with the customer's row locked: nothing that was true when the
run asked is taken for granted. The first answer that is not a yes counts. How slots are held and taken over
is said in [the contact budget](contact-budget.md).
"""
POLICY = """
A day is any 24 hours, and also the recipient's own day; a week is any seven days. All caps go over all
playbooks; those of a customer go over all its people.
"""


def prose(text: str) -> str:
    """Return paragraphs, each wrapped anew now that its figures are in it."""
    return "\n\n".join(textwrap.fill(part, WIDTH) for part in text.strip().split("\n\n"))


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *[[str(cell) for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def says(function: Callable[..., Any]) -> str:
    """Return the first line of a function's docstring."""
    return (inspect.getdoc(function) or "").splitlines()[0]


def numbered(functions: Iterable[Callable[..., Any]]) -> list[tuple[object, ...]]:
    """Return one row per function, in order."""
    return [(place, says(function)) for place, function in enumerate(functions, start=1)]


def playbook_row(document: Playbook) -> tuple[object, ...]:
    """Return one playbook of the library."""
    audience = "all" if set(document.audience) == set(TouchTier) else ", ".join(document.audience)
    goal = document.goal
    return (
        document.key,
        document.priority,
        trigger(document.trigger),
        audience,
        "replaces" if document.replaces else "",
        write_duration(document.cooldown),
        "yes" if document.holdout else "no",
        f"{goal.when.replace('_', ' ')} → {goal.outcome.value}",
        write_duration(goal.window),
    )


def director_section() -> str:
    """Return the director's order, its objections and what it chooses from."""
    objections = [
        (place, each.reason, each.sentence.format(days="N")) for place, each in enumerate(OBJECTIONS, 1)
    ]
    worth = sorted(
        read_library(ROOT / "playbooks"),
        key=lambda one: (not one.replaces, -declared_uplift(one.priority, one.assumed_uplift), one.key),
    )
    head = (
        "playbook",
        "priority",
        "opens by",
        "touch tiers",
        "escalates",
        "cooldown",
        "holdout",
        "goal",
        "window",
    )
    silence = [(tier.value, f"{CONTACT.longest_silence_days[tier]} days") for tier in TouchTier]
    return "\n\n".join(
        (
            "## In this order it looks",
            table(("", "what"), numbered(director.LOOKS)),
            "## What may open, worthiest first",
            prose(WORTH.format(scale=PRIORITY_SCALE)),
            table(head, map(playbook_row, worth)),
            "## What speaks against opening a run",
            table(("", "reason", "as it is told"), objections),
            "## The longest silence",
            table(("touch tier", "counted from the last contact"), silence),
        )
    )


def answers_of(rule: Callable[..., Any]) -> str:
    """Return the reasons that a rule may give, as its source has them."""
    found = re.findall(r'(Refuse|Defer)\(.*?"(\w+)"\)', inspect.getsource(rule))
    words = {"Refuse": "refused", "Defer": "put off"}
    return "; ".join(dict.fromkeys(f"{words[kind]}: `{reason}`" for kind, reason in found))


def guard_section() -> str:
    """Return the guard's rules in order, and its reasons in words."""
    rows: list[tuple[object, ...]] = [
        (place, says(rule), answers_of(rule)) for place, rule in enumerate(guard.RULES, start=1)
    ]
    rows.append(("", says(guard.gave_way), answers_of(guard.gave_way)))
    reasons = [(f"`{reason}`", sentence) for reason, sentence in SENTENCES.items()]
    return "\n\n".join(
        (
            "## The guard: may this message go out now?",
            prose(GUARD),
            table(("", "rule", "answers"), rows),
            table(("reason", "in words"), reasons),
            "## The contact policy as it is shipped",
            prose(POLICY),
            "\n".join(f"- {sentence}" for sentence in say_policy(CONTACT).values()),
        )
    )


def render() -> str:
    """Return the whole page."""
    return (
        "\n\n".join(("# How the director decides", prose(INTRODUCTION), director_section(), guard_section()))
        + "\n"
    )


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
