"""Writes docs/library.md from the shipped playbooks, so that what is published is what is done."""

import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from domain.playbook import Playbook
from domain.playbook_contacts import ToPeople
from domain.playbook_steps import Step
from domain.playbook_words import GOALS, condition, plain, span, trigger, ways
from domain.playbook_words import step as say_step
from domain.vocabulary import TouchTier
from integrations.jinja_renderer import JinjaMessageRenderer
from models.playbooks import read_library

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "library.md"
TEMPLATES = ROOT / "playbooks" / "templates"
WIDTH = 110
INTRODUCTION = """
This page is printed from `playbooks/*.yaml` by `tools/library_docs.py`; a test fails when it is out of
date. How to write one of your own is in [writing-playbooks.md](writing-playbooks.md), and which of them
opens where several could in [director.md](director.md).

All of them keep to the same manners. A person knows before a strategic customer is written to. A run
sends at most three messages, each of them as the contact budget allows; once the customer has answered,
nothing else goes out by itself. Nobody is spoken to about growth while the risk is high. A cause that
reverses holds everything back and ends the run.

Besides what is said below, every run ends when the customer leaves, when a person stops it, when an
escalation replaces it, and when its window is over.
"""
WHY = {
    "adoption": "A product that few use for little is the first to be cut.",
    "champion-left": "Who loses its champion often loses the reason why it bought.",
    "contract-stagnation": "What no longer fits in a contract is found by the customer, at the worst moment.",
    "escalated-save": "At this point only people can turn it, and only at once and together.",
    "executive-check-in": "A large customer that hangs on one person hangs on a thread.",
    "expansion-blocker": "A sales call into an open problem costs both the deal and trust.",
    "feature-drop-off": "A part that falls out of use is often the first step of leaving, and easily mended.",
    "feature-tour": "People learn where they work, not in their inbox.",
    "low-engagement": "Those who leave without a word have mostly stopped using the product before.",
    "onboarding-stalled": "Who never gets started has nothing to renew.",
    "personal-note": "Sometimes a person knows better than any signal that it is time to write.",
    "poor-survey": "A bad mark answered soon becomes trust; an ignored one becomes a notice.",
    "qbr-missed": "A review that falls out twice seldom takes place again by itself.",
    "renewal-check-in": "Sixty days are enough to change something; ten are not.",
    "renewal-last-month": "What is not settled now is settled by whoever forgets it.",
    "renewal-plan": "A renewal is won by what happened before anybody speaks about it.",
    "silent-executive": "Who signs, and has not heard from us for months, signs by price.",
    "stay-in-touch": "Silence feels like peace on our side and like neglect on theirs.",
    "support-frustration": "People forgive a fault, but not to be left alone with it.",
    "tech-touch-all-clear": "Whoever asks once more hears of a half-solved problem before it is a bad mark.",
    "tech-touch-check-in": "Many small customers are a large one that nobody calls.",
    "tech-touch-thanks": "Whoever writes only when something is wanted is soon not read.",
    "usage-nudge": "Most falls in use are small at first, and so is what mends them.",
    "value-check-month-3": "A hope of the first day can still be met after three months, not after a year.",
    "value-check-month-6": "By now it shows what is used from habit and what is worth its price.",
    "value-conversation": "The best time to plan together is when nobody is in need.",
}
"""Why each of them is there."""


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *[[cell.replace("|", "\\|") for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def prose(text: str) -> str:
    """Return paragraphs, each wrapped anew."""
    return "\n\n".join(textwrap.fill(part, WIDTH) for part in text.strip().split("\n\n"))


def overview(shipped: list[Playbook]) -> str:
    """Return the whole library at a glance, worthiest first."""
    rows = [
        (
            f"[{one.name}](#{anchor(one)})",
            trigger(one.trigger),
            audience(one),
            plain(one.motion),
            str(one.priority),
        )
        for one in shipped
    ]
    return table(("playbook", "opens by", "touch tiers", "motion", "priority"), rows)


def audience(document: Playbook) -> str:
    """Return whom it is for by touch tier."""
    return "all" if set(document.audience) == set(TouchTier) else ", ".join(map(plain, document.audience))


def goal(document: Playbook) -> str:
    """Return what ends it well, as what, and within how long."""
    aim = document.goal
    when = condition(aim.condition) if aim.condition is not None else GOALS[aim.when].lower()
    lasting = f" for {span(aim.dwell)}" if aim.when == "causes_reversed" else ""
    return f"{when}{lasting}, which counts as {plain(aim.outcome)}; within {span(aim.window)}"


def does(step: Step) -> str:
    """Return what one step does, with the limits that a page has no room for."""
    body = getattr(step, step.kind)
    said = people(body) if isinstance(body, ToPeople) else []
    if step.create_task is not None or step.notify is not None:
        said.append(f"severity {body.severity}")
    if step.offer is not None:
        said.append(f"decided within {span(body.decide_in)}")
        said.append(f"asked only from an expected loss of {body.least_expected_loss:,.0f}")
    if step.schedule_meeting is not None:
        said.append(f"{body.minutes} minutes, from {span(body.ahead)} ahead")
    return f"{'; '.join((say_step(step), *said))}."


def people(order: ToPeople) -> list[str]:
    """Return the limits of whom a step reaches, and when."""
    said = [f"up to {order.at_most} of them"] if order.at_most > 1 else []
    said += ["nobody reachable: a task for the CSM"] if order.otherwise == "task" else []
    said += [f"dropped when put off for more than {span(order.useful_for)}"] if order.useful_for else []
    return said


def anchor(document: Playbook) -> str:
    """Return where a playbook stands on the page."""
    kept = "".join(letter for letter in document.name.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def endings(document: Playbook) -> str:
    """Return what ends a run before its goal."""
    said = [f"{condition(out.condition)} ({out.reason}), as {plain(out.outcome)}" for out in document.exits]
    return "; ".join(said) or "nothing besides what ends every run"


def turns(document: Playbook) -> str:
    """Return what recalibration does."""
    rules = document.recalibration
    said = [f"better: goes to `{rules.step_down}`, then ends well"] if rules.step_down else []
    said += [f"worse for {span(rules.dwell)}: goes to `{rules.step_up}`"] if rules.step_up else []
    if document.goal.when == "causes_reversed" and not rules.step_down:
        said.insert(0, "better: ends well")
    return "; ".join(said) or "goes on, since its goal is another"


def approval(document: Playbook) -> str:
    """Return who is asked before something reaches the customer."""
    rules = document.autonomy
    asked = [plain(tier) for tier in document.audience if rules.asks(tier)]
    if not asked:
        return "none: it goes out by itself"
    expiry = {"go": "it goes out", "skip": "it is left out", "end": "the run goes to its end"}
    who = {"csm": "CSM", "manager": "manager", "sales": "sales"}[rules.approver]
    return f"{who}, for {', '.join(asked)}, within {span(rules.deadline)}; then {expiry[rules.on_expiry]}"


def facts(document: Playbook) -> list[tuple[str, str]]:
    """Return what a playbook says of itself beside its steps."""
    found = [
        ("opens by", trigger(document.trigger)),
        ("only if", condition(document.only_if) if document.only_if is not None else ""),
        ("for", audience(document)),
        ("needs", ", ".join(map(plain, document.requires))),
        ("goal", goal(document)),
        ("ends early", endings(document)),
        ("when the cause changes", turns(document)),
        ("yes of a person", approval(document)),
        ("again", "never" if document.once else f"{span(document.cooldown)} after its end at the earliest"),
        (
            "holdout",
            "gets it, too" if not document.holdout else "gets none, so that we can measure",
        ),
        ("letters", letters(document)),
    ]
    return [(name, words) for name, words in found if words]


def letters(document: Playbook) -> str:
    """Return the templates that it sends, with their languages."""
    orders = [step.send_email or step.schedule_meeting for step in document.steps]
    used = dict.fromkeys(order.template for order in orders if order is not None)
    return ", ".join(
        f"[{name}](../playbooks/templates/{name}/body.txt)" + languages(name)
        for name in used
        if name in JinjaMessageRenderer(TEMPLATES).names()
    )


def languages(template: str) -> str:
    """Return the translations of a template."""
    found = sorted(path.parent.name for path in (TEMPLATES / template).glob("*/body.txt"))
    return f" ({', '.join(found)})" if found else ""


def graph(document: Playbook) -> str:
    """Return every way from step to step, one a line."""
    lines = []
    for step in document.steps:
        for name, target in ways(document, step):
            lines.append(f"{step.id} ── {name} ──▶ {target}" if name else f"{step.id} ──▶ {target}")
    return "```text\n" + "\n".join(lines) + "\n```"


def section(document: Playbook) -> str:
    """Return one playbook."""
    steps = [(str(place), f"`{step.id}`", does(step)) for place, step in enumerate(document.steps, start=1)]
    return "\n\n".join(
        (
            f"## {document.name}",
            prose(f"`{document.key}`. {document.description}"),
            prose(f"Why: {WHY[document.key]}"),
            table(("", ""), facts(document)),
            table(("", "step", "what it does"), steps),
            graph(document),
        )
    )


def render() -> str:
    """Return the whole page."""
    shipped = sorted(
        read_library(ROOT / "playbooks"), key=lambda one: (not one.replaces, -one.priority, one.key)
    )
    parts = ("# The library", prose(INTRODUCTION), overview(shipped), *map(section, shipped))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
