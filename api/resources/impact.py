"""`/api/impact` and `/api/policies/do-not-disturb`: what playbooks bring about, and where they do harm."""

import datetime as dt
import uuid

from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, Field

from api.guards import needs
from api.resources.pages import ApiRequest, Cursor, Limit, Page, hand_of, page_of, write_once
from api.resources.shapes import Shape
from domain.do_not_disturb import DoNotDisturb, Word
from domain.errors import InvalidInputError
from domain.impact import ImpactReport
from domain.permissions import Permission
from domain.trial_labels import TrialLabel
from domain.trials import LARGEST_SHARE
from domain.vocabulary import Segment
from models.clock import StoredClock
from models.database import Database, Session
from models.impact import load_do_not_disturb, load_report, say_word, take_word_back
from models.installation import playbook_holdout_share, withhold_playbooks
from models.resources.trials import read_trial
from models.trial_rows import ArmFilter


class TrialCustomer(Shape):
    """A customer behind a figure: the first occasion of a playbook, its arm, and what became of it."""

    id: uuid.UUID
    customer_id: uuid.UUID
    customer: str
    arm: str
    propensity: float
    segment: Segment
    occasion: str
    assigned_at: dt.datetime
    churn_probability: float | None
    arr_minor: int
    currency: str
    intervention_id: uuid.UUID | None
    late: TrialLabel | None
    late_known_at: dt.datetime | None
    early: TrialLabel | None


class HoldoutShare(BaseModel):
    """So large a share of customers is left without a playbook, to measure it."""

    model_config = ConfigDict(extra="forbid")

    playbook_share: float = Field(ge=0, le=LARGEST_SHARE)


class WordSaid(BaseModel):
    """A person's word on a playbook in a segment."""

    model_config = ConfigDict(extra="forbid")

    contact: bool = Field(description="True: write to them all the same. False: leave them in peace.")
    reason: str = Field(min_length=3, max_length=500)


def read_segment(name: str) -> Segment:
    """Return the segment of this name; raises InvalidInputError naming those that there are."""
    try:
        return Segment(name)
    except ValueError:
        known = ", ".join(Segment)
        raise InvalidInputError(field="segment", reason=f"is one of {known}") from None


class ImpactController(Controller):
    """What was really saved, as of the last night."""

    path = "/impact"
    opt = needs(Permission.READ_IMPACT)
    tags = ["Impact"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, database: NamedDependency[Database]) -> ImpactReport:
        """Return the effect of each playbook and segment with interval and grade, and the revenue saved."""
        async with database.transaction() as session:
            return await load_report(session)

    @get("/holdout")
    async def holdout(self, database: NamedDependency[Database]) -> HoldoutShare:
        """Return which share of customers is left without a playbook that names no share of its own."""
        async with database.transaction() as session:
            return HoldoutShare(playbook_share=await playbook_holdout_share(session))

    @put("/holdout", opt=needs(Permission.EDIT_POLICIES))
    async def withhold(
        self,
        request: ApiRequest,
        data: JSONBody[HoldoutShare],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> HoldoutShare:
        """Set that share; who is left out is drawn for life, so a larger share only adds customers."""

        async def write(session: Session) -> HoldoutShare:
            await withhold_playbooks(session, data.playbook_share)
            return data

        return await write_once(request, database, clock, HoldoutShare, write)

    @get("/{playbook:str}/customers")
    async def customers(
        self,
        database: NamedDependency[Database],
        playbook: FromPath[str],
        arm: FromQuery[str | None] = None,
        segment: FromQuery[Segment | None] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[TrialCustomer]:
        """List the customers behind a playbook's figures, the newest first."""
        chosen = ArmFilter(playbook, arm or "", segment)
        async with database.transaction() as session:
            return page_of(TrialCustomer, await read_trial(session, chosen, cursor, limit))


class DoNotDisturbController(Controller):
    """Where contact was measured to do harm, and what people say to that."""

    path = "/policies/do-not-disturb"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Policies"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, database: NamedDependency[Database]) -> DoNotDisturb:
        """Return the list in force."""
        async with database.transaction() as session:
            return await load_do_not_disturb(session)

    @put("/{playbook:str}/{segment:str}", opt=needs(Permission.EDIT_POLICIES))
    async def say(
        self,
        request: ApiRequest,
        playbook: FromPath[str],
        segment: FromPath[str],
        data: JSONBody[WordSaid],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> DoNotDisturb:
        """Let a person's word outweigh what was measured, from the next decision on."""
        word = Word(
            playbook=playbook, segment=read_segment(segment), contact=data.contact, reason=data.reason
        )

        async def write(session: Session) -> DoNotDisturb:
            return await say_word(session, word, hand_of(request, clock))

        return await write_once(request, database, clock, DoNotDisturb, write)

    @delete("/{playbook:str}/{segment:str}", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def take_back(
        self,
        request: ApiRequest,
        playbook: FromPath[str],
        segment: FromPath[str],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> DoNotDisturb:
        """Go by what is measured there again."""

        async def write(session: Session) -> DoNotDisturb:
            return await take_word_back(session, playbook, read_segment(segment), hand_of(request, clock))

        return await write_once(request, database, clock, DoNotDisturb, write)
