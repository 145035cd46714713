"""Trained models: who speaks for each target, each model's card, and what people decide about them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template
from markupsafe import Markup

from activities.model_decisions import promote_by_hand, review_by_hand, roll_back_by_hand
from api.guards import needs
from api.web import plots, words
from api.web.desk import DESK, Desk
from api.web.plots import Dot
from api.web.query import text
from api.web.run_control import field, hand_at
from domain.errors import EverstayError
from domain.permissions import Permission
from domain.trained_model import ModelState, ModelTarget, waits_for_review
from domain.vocabulary import RiskTier
from models.views.models import ModelView, load_model_view, load_registry

PLACE = "/models"
TARGETS = {
    ModelTarget.CHURN: (
        "Leaving by choice",
        "a customer decides to leave within 90 days",
        "the scorecard speaks alone",
    ),
    ModelTarget.INVOLUNTARY: (
        "Leaving unpaid",
        "payment fails for good within 90 days",
        "its share of customers counts for everybody alike",
    ),
    ModelTarget.EXPANSION: (
        "Expansion",
        "recurring revenue grows by a tenth within 60 days",
        "no chance of an expansion is told",
    ),
}
"""Their name, what is foretold, and what holds without a model."""
STATES = {
    ModelState.CHALLENGER: ("Waits", "info"),
    ModelState.SHADOW: ("In shadow", "watch"),
    ModelState.CHAMPION: ("In use", "good"),
    ModelState.RETIRED: ("Retired", "plain"),
    ModelState.REJECTED: ("Rejected", "bad"),
}
"""Each with its tone."""
FIGURES = {
    "auc": (
        "AUC",
        "how often of one who left and one who stayed, the one who left was put higher; .5 is chance",
    ),
    "log_loss": ("Log-loss", "in nats; less is better"),
    "ece": ("Calibration error", "mean distance of what was said and what came true; less is better"),
    "lift_top_decile": ("Lift of the top tenth", "how much denser those who left are among the first tenth"),
    "calibration_slope": ("Calibration slope", "1 is ideal; less is too sure of itself"),
    "pr_auc": ("Average precision", "beside the base rate"),
    "brier": ("Brier score", "less is better"),
}
"""Of the card: their names and how to read them."""
DIFFERENCES = {
    "log_loss_gain": ("Log-loss against what is in use", 1, 4),
    "log_loss_gain_over_base_rate": ("Log-loss against the base rate alone", 1, 4),
    "auc_difference": ("AUC", 1, 3),
    "ece_difference": ("Calibration error", -1, 4),
    "lift_difference": ("Lift of the top tenth", 1, 2),
}
"""Of the trial: their names, which sign is the better one, and digits."""
CHECKS = {
    "purge": "A gap between learning and judging",
    "grouping": "No customer on both sides of a split",
    "single_feature": "No column alone knows too much",
    "auc": "The whole is not too good to be true",
    "planted_leak_refused": "A planted leak is noticed",
    "knows_something": "It knows more than the base rate",
    "feature_parity": "A row is the same alone as in company",
    "future_deleted_equal": "Deleting the future changes nothing",
}


class _Words:
    """How a model's page says things."""

    targets, states, figures, differences, checks = TARGETS, STATES, FIGURES, DIFFERENCES, CHECKS

    @staticmethod
    def state(state: ModelState) -> Markup:
        """Return a state as a tag."""
        said, tone = STATES[state]
        return Markup('<span class="tag tone-{}">{}</span>').format(tone, said)

    @staticmethod
    def figure(value: float | None, digits: int = 3) -> str:
        """Return a figure, or that it is not known."""
        return "not known" if value is None else f"{value:.{digits}f}"

    @staticmethod
    def column(name: str) -> str:
        """Return a column as people read it: `usage.week_over_baseline` → week over baseline."""
        return words.words(name.partition(".")[2].replace(".", " ") or name).lower()

    @staticmethod
    def reach(figure: Mapping[str, float | None]) -> float:
        """Return the scale on which an interval is drawn."""
        return max(abs(figure.get(end) or 0.0) for end in ("value", "low", "high")) or 1.0

    @staticmethod
    def calibration(card: Mapping[str, Any]) -> Markup:
        """Return what was said against what came true, in tenths."""
        bins = card.get("calibration_bins") or []
        dots = [Dot(one["predicted"], one["observed"], one["rows"]) for one in bins]
        title = "Calibration in tenths: " + ", ".join(
            f"said {dot.said:.1%}, came true {dot.true:.1%}" for dot in dots
        )
        return plots.calibration(dots, title)


class ModelPages(Controller):
    """Read by everyone who sees customers; decided about by those who may edit policies."""

    path = PLACE
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)

    @get("/")
    async def show_all(self, desk: NamedDependency[Desk]) -> Template:
        """Show each target's champion, those in shadow, those that wait, and those before."""
        async with desk.reading() as session:
            registry = await load_registry(session, desk.now)
        return desk.page(
            "models.html", registry=registry, model_words=_Words, model_states=ModelState, **_said(desk)
        )

    @get("/{name:str}")
    async def show(self, desk: NamedDependency[Desk], name: FromPath[str]) -> Template:
        """Show one model: its card, its trial, and every decision about it."""
        async with desk.reading() as session:
            view = await load_model_view(session, name)
        return desk.page(
            "model.html",
            view=view,
            model=view.model,
            card=view.model["card"],
            can=_choices(view),
            model_words=_Words,
            model_states=ModelState,
            tiers=list(reversed(RiskTier)),
            **_said(desk),
        )

    @post("/{name:str}/promote", opt=needs(Permission.EDIT_POLICIES))
    async def promote(self, desk: NamedDependency[Desk], name: FromPath[str]) -> Response[None]:
        """Use a model from the next scoring on."""

        async def write(by: str, why: str, _form: Mapping[str, object]) -> str:
            async with desk.database.transaction() as session:
                before = await promote_by_hand(session, name, by, why, desk.now)
            place = before or "what held without a model"
            return f"In use from the next scoring on, in the place of {place}. A rollback undoes it."

        return await _decide(desk, f"{PLACE}/{name}", write)

    @post("/{name:str}/review", opt=needs(Permission.EDIT_POLICIES))
    async def review(self, desk: NamedDependency[Desk], name: FromPath[str]) -> Response[None]:
        """Say what a look at a model that seems too good has found."""

        async def write(by: str, why: str, form: Mapping[str, object]) -> str:
            is_sound = field(form, "found") == "sound"
            async with desk.database.transaction() as session:
                state = await review_by_hand(session, name, by, why, desk.now, is_sound=is_sound)
            return f"Noted with your name: {STATES[state][0].lower()}."

        return await _decide(desk, f"{PLACE}/{name}", write)

    @post("/rollback/{target:str}", opt=needs(Permission.EDIT_POLICIES))
    async def roll_back(self, desk: NamedDependency[Desk], target: FromPath[ModelTarget]) -> Response[None]:
        """Bring back the champion before; behind the first one stands what holds without a model."""

        async def write(by: str, why: str, _form: Mapping[str, object]) -> str:
            async with desk.database.transaction() as session:
                back = await roll_back_by_hand(session, target, by, why, desk.now)
            return f"{back} is in use again." if back else f"Rolled back: {TARGETS[target][2]}."

        return await _decide(desk, PLACE, write)


Decision = Callable[[str, str, Mapping[str, object]], Awaitable[str]]


async def _decide(desk: Desk, place: str, write: Decision) -> Response[None]:
    form = dict(await desk.request.form())
    try:
        said = await write(hand_at(desk).name, field(form, "why"), form)
    except EverstayError as error:
        return desk.go(f"{place}?{urlencode({'problem': str(error)})}")
    return desk.go(f"{place}?{urlencode({'said': said})}")


def _said(desk: Desk) -> dict[str, str]:
    return {"flash": text(desk.query, "said", 300), "problem": text(desk.query, "problem", 500)}


def _choices(view: ModelView) -> dict[str, bool]:
    """Return what may be decided about a model where it stands."""
    state = view.model["state"]
    return {
        "promote": state is not ModelState.CHAMPION,
        "roll_back": state is ModelState.CHAMPION,
        "review": waits_for_review(state, view.model["decisions"]),
    }
