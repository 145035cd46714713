"""`/api/fields` and `/api/conditions`: what conditions may speak of, and whether one is right."""

import uuid
from typing import Any, Literal

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, Field

from api.guards import needs
from api.resources.shapes import Shape
from domain.condition_check import check_condition
from domain.condition_needs import kinds_of
from domain.conditions import Condition
from domain.field_shape import AsOf, Place
from domain.fields import ALIASES, FIELDS
from domain.permissions import Permission
from domain.time import BusinessInstant
from models.clock import StoredClock
from models.condition_checks import count_holding, own_signal_keys, unseen_names
from models.database import Database, Session
from models.freshness import load_freshness
from models.scores import load_policy

TYPES: dict[type, Literal["number", "text", "boolean"]] = {
    int: "number",
    float: "number",
    str: "text",
    bool: "boolean",
}


class FieldLine(Shape):
    """One field of the registry."""

    name: str
    type: Literal["number", "text", "boolean"]
    unit: str | None
    meaning: str
    words: list[str] = Field(description="What it can be, where that is a fixed list.")
    rests_on: str | None = Field(description="The kind of fact it needs; empty while nobody tells that.")
    scope: Literal["customer", "run"] = Field(description="`run`: only inside a playbook's run.")
    as_of: AsOf
    has_history: bool = Field(description="`for` can be asked of it.")
    in_signals: bool = Field(description="Signals of your own may speak of it.")
    aliases: list[str]


class ConditionToCheck(BaseModel):
    """A condition as it stands in a document, and where it stands."""

    model_config = ConfigDict(extra="forbid")

    condition: dict[str, Any]
    place: Place = Place.CUSTOMER


class ConditionProblem(Shape):
    """One mistake, by its path in the tree; an empty path is the whole."""

    path: str
    reason: str


class HeldCustomer(Shape):
    """One customer of whom it holds."""

    id: uuid.UUID
    name: str


class HoldsFor(Shape):
    """The customers of whom it holds now; those who have left are counted apart."""

    customers: int
    left: int
    examples: list[HeldCustomer] = Field(description="The largest of those who are here.")


class CheckedCondition(Shape):
    """Whether a condition is right, and what it comes to now."""

    ok: bool
    problems: list[ConditionProblem]
    warnings: list[str] = Field(description="What is right and probably not meant.")
    rests_on: list[str] = Field(description="Kinds of fact that it needs.")
    silent: list[str] = Field(description="Those of them that nobody tells now.")
    holds_for: HoldsFor | None = Field(description="Null where it is wrong, or not asked of customers.")


class FieldController(Controller):
    """What conditions may speak of."""

    path = "/fields"
    opt = needs(Permission.READ_PLAYBOOKS)
    tags = ["Conditions"]  # noqa: RUF012  as Litestar declares it

    @get("/", sync_to_thread=False)
    def list_(self) -> list[FieldLine]:
        """List every field: name, type, unit, meaning, and where it may be used."""
        return [_line(name) for name in FIELDS]


class ConditionController(Controller):
    """Conditions are asked of customers: who may see customers may try one."""

    path = "/conditions"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Conditions"]  # noqa: RUF012  as Litestar declares it

    @post("/check", status_code=HTTP_200_OK)
    async def check(
        self,
        data: JSONBody[ConditionToCheck],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> CheckedCondition:
        """Say what is wrong with a condition, or of how many customers it holds now."""
        async with database.transaction() as session:
            checked = check_condition(data.condition, data.place, await own_signal_keys(session))
            if checked.condition is None:
                return _refused([ConditionProblem(**vars(each)) for each in checked.problems])
            return await _comes_to(session, checked.condition, data.place, clock.now())


def _line(name: str) -> FieldLine:
    field = FIELDS[name]
    return FieldLine(
        name=name,
        type=TYPES[field.type],
        unit=field.unit,
        meaning=field.meaning,
        words=list(field.words),
        rests_on=field.needs,
        scope="run" if field.scope is Place.RUN else "customer",
        as_of=field.as_of,
        has_history=field.has_history,
        in_signals=field.in_signals,
        aliases=[alias for alias, meant in ALIASES.items() if meant == name],
    )


def _refused(problems: list[ConditionProblem]) -> CheckedCondition:
    return CheckedCondition(ok=False, problems=problems, warnings=[], rests_on=[], silent=[], holds_for=None)


async def _comes_to(
    session: Session, condition: Condition, place: Place, now: BusinessInstant
) -> CheckedCondition:
    kinds = kinds_of(condition)
    told = await load_freshness(session, now, (await load_policy(session)).freshness)
    return CheckedCondition(
        ok=True,
        problems=[],
        warnings=await unseen_names(session, condition),
        rests_on=list(kinds),
        silent=[kind for kind in kinds if not told[kind].is_usable],
        holds_for=await _holds_for(session, condition, now) if place is Place.CUSTOMER else None,
    )


async def _holds_for(session: Session, condition: Condition, now: BusinessInstant) -> HoldsFor:
    held = await count_holding(session, condition, now)
    examples = [HeldCustomer(id=key, name=name) for key, name in held.examples]
    return HoldsFor(customers=held.customers, left=held.left, examples=examples)
