"""What playbooks bring about: effects with interval and grade, saved revenue, and who is left in peace."""

from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template
from pydantic import ValidationError

from api.guards import needs
from api.resources.impact import read_segment
from api.web import sentences
from api.web.desk import DESK, Desk
from api.web.query import ListAddress, text
from api.web.words import compact, percent, plural
from domain.do_not_disturb import Word
from domain.errors import InvalidInputError
from domain.impact import Effect, Figure, Grade, Saved, Verdict
from domain.permissions import Permission
from domain.trial_sizes import WORTH_FINDING, needed_per_arm
from domain.trials import Arm
from domain.vocabulary import Segment
from models.changes import announce_change
from models.hands import Hand
from models.impact import say_word, take_word_back
from models.resources.trials import read_trial
from models.trial_rows import ArmFilter
from models.views.impact import load_impact, playbook_names

PAGE_SIZE = 50
EXAMPLE_BASE = 0.05
"""The share that leaves before anything is known, for the empty page."""
ARMS = {
    Arm.TREATED.value: "Treated",
    Arm.HOLDOUT.value: "Left without it",
    Arm.GLOBAL_HOLDOUT.value: "Left without anything",
    "untreated": "Untreated, matched",
}
GRADES = {
    Grade.RANDOMISED: "Chance decided who was left out.",
    Grade.MATCHED: "Held against others of the same segment and risk.",
    Grade.CLAIMED: "What runs say of themselves; held against nobody.",
}
TONES = {
    Verdict.WORKS: "good",
    Verdict.HARMS: "grave",
    Verdict.NO_DIFFERENCE: "plain",
    Verdict.NOT_ENOUGH: "info",
}
VERDICTS = {
    Verdict.WORKS: "Works",
    Verdict.HARMS: "Does harm",
    Verdict.NO_DIFFERENCE: "No difference seen",
    Verdict.NOT_ENOUGH: "Not enough data",
}


class ImpactPage(Controller):
    """For those who answer for the whole."""

    path = "/impact"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_IMPACT)

    @get("/")
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show every effect as of the last night."""
        async with desk.reading() as session:
            view = await load_impact(session)
        return desk.page(
            "impact.html",
            report=view.report,
            policy=view.policy,
            names=view.names,
            impact=_Words,
            segments=Segment,
            first_needed=needed_per_arm(EXAMPLE_BASE)[1],
            flash=text(desk.query, "said", 200),
            problem=text(desk.query, "problem", 300),
        )

    @post("/do-not-disturb", opt=needs(Permission.EDIT_POLICIES))
    async def say(self, desk: NamedDependency[Desk]) -> Response[None]:
        """Let a person's word outweigh what was measured, or take it back."""
        form = await desk.request.form()
        mine = Hand(desk.user.name, desk.user.id, desk.now, desk.wall)
        try:
            playbook, segment = str(form.get("playbook") or ""), read_segment(str(form.get("segment") or ""))
            async with desk.database.transaction() as session:
                if form.get("say") == "back":
                    await take_word_back(session, playbook, segment, mine)
                else:
                    reason, contact = str(form.get("reason") or "").strip(), form.get("say") == "contact"
                    word = Word(playbook=playbook, segment=segment, contact=contact, reason=reason)
                    await say_word(session, word, mine)
                await announce_change(session)
        except (InvalidInputError, ValidationError):
            told = {
                "problem": "Choose a playbook and a segment, and give a reason of at least three letters."
            }
            return desk.go("/impact?" + urlencode(told))
        return desk.go("/impact?" + urlencode({"said": "Noted. The next decision goes by it."}))

    @get("/{playbook:str}")
    async def customers(self, desk: NamedDependency[Desk], playbook: FromPath[str]) -> Template:
        """List the customers behind one playbook's figures."""
        segment = text(desk.query, "segment")
        chosen = ArmFilter(
            playbook, text(desk.query, "arm"), Segment(segment) if segment in set(Segment) else None
        )
        cursor = text(desk.query, "after", 500) or None
        async with desk.reading() as session:
            names = await playbook_names(session)
            page = await read_trial(session, chosen, cursor, PAGE_SIZE)
        state: dict[str, list[str] | str] = {"arm": chosen.arm, "segment": segment}
        return desk.page(
            "impact_customers.html",
            name=names.get(playbook, playbook),
            page=page,
            chosen=chosen,
            address=ListAddress(f"/impact/{playbook}", state),
            arms={key: ARMS[key] for key in Arm},
            segments=Segment,
            sentences=sentences,
        )


class _Words:
    """How figures of effects are said."""

    arms, grades, tones, verdicts = ARMS, GRADES, TONES, VERDICTS
    worth_finding = percent(WORTH_FINDING)

    @staticmethod
    def points(value: float) -> str:
        """Return points of share with their sign: `+3.1 points`."""
        return f"{value * 100:+.1f}"

    @staticmethod
    def hundred(share: float) -> str:
        """Return how many of a hundred a share is."""
        return f"{share * 100:.0f}"

    @staticmethod
    def effect(one: Effect, figure: Figure) -> str:
        """Return an effect with its interval in words."""
        what = {"stayed": "stay", "recovered": "recover", "goal": "reach the goal"}[one.measure.value]
        return (
            f"{figure.value * 100:+.1f} points more customers {what} "
            f"(95% interval {figure.low * 100:+.1f} to {figure.high * 100:+.1f})"
        )

    @staticmethod
    def missing(one: Effect) -> str:
        """Return what a verdict still waits for."""
        if one.missing:
            return f"{plural(one.missing, 'more untreated customer')} needed"
        treated = one.arms[0].matured if one.arms else 0
        if one.needed[0] > treated:
            return f"{plural(one.needed[0] - treated, 'more treated customer')} needed"
        return ""

    @staticmethod
    def amount(minor: int, currency: str) -> str:
        """Return an amount with its sign before the currency."""
        return f"{'-' if minor < 0 else ''}{compact(abs(minor), currency)}"

    @staticmethod
    def saved(one: Saved) -> str:
        """Return saved revenue, with its bounds where it has any."""
        said = _Words.amount(one.minor, one.currency)
        if one.low_minor is None or one.high_minor is None:
            return said
        low, high = (_Words.amount(end, one.currency) for end in (one.low_minor, one.high_minor))
        return f"{said} ({low} to {high})"

    @staticmethod
    def reach(effects: list[Effect]) -> float:
        """Return the scale that shows all intervals of a list: at least five points to either side."""
        ends = [abs(end) for one in effects if one.measured for end in (one.measured.low, one.measured.high)]
        return min(max([0.05, *ends]), 1.0)
