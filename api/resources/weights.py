"""`/api/policies/health`: the weights of the components, what they would do, and what outcomes propose."""

import datetime as dt
import uuid
from typing import Annotated, Any

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, Field

from api.guards import needs
from api.resources.pages import ApiRequest, hand_of, write_once
from api.resources.shapes import Shape
from domain.health_preview import Move, WeightPreview, read_weights, weights_document
from domain.permissions import Permission
from domain.vocabulary import HealthComponent, HealthStatus, Segment
from models.clock import StoredClock
from models.database import Database, Session
from models.health_weights import preview, save_weights
from models.scores import load_policy
from models.weight_proposals import decline_proposal, load_proposal, load_proposals

MOST_MOVES = 1000
LONGEST_NOTE = 500
Weight = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Weights = dict[Segment, dict[HealthComponent, Weight]]
EDIT = needs(Permission.EDIT_POLICIES)


class WantedWeights(BaseModel):
    """Weights of every segment; components left out count nothing, and they need not add up to 1."""

    model_config = ConfigDict(extra="forbid")

    weights: Weights


class SavedWeights(WantedWeights):
    """The same, with the mark of the preview that was seen; a proposal that is answered by them."""

    mark: str = Field(max_length=100, description="From the preview of these weights.")
    note: str = Field("", max_length=LONGEST_NOTE)
    proposal_id: uuid.UUID | None = None


class Note(BaseModel):
    """Why."""

    note: str = Field("", max_length=LONGEST_NOTE)


class WeightsShape(Shape):
    """The weights in force, by segment and component."""

    weights: dict[Segment, dict[HealthComponent, float]]


class MoveShape(Shape):
    """A customer whose status would be another."""

    customer_id: uuid.UUID
    customer: str
    segment: Segment
    arr_minor: int
    currency: str
    is_set_by_hand: bool
    score: int
    status: HealthStatus
    new_score: int
    new_status: HealthStatus


class WeightPreviewShape(Shape):
    """Who would change status, from the newest stored component scores; the largest revenue first."""

    mark: str
    customers: int
    changed: int
    worse: int
    before: dict[HealthStatus, int]
    after: dict[HealthStatus, int]
    moves: list[MoveShape] = Field(description=f"At most {MOST_MOVES:,}; `changed` counts all.")


class ProposalShape(Shape):
    """What outcomes propose for a quarter, with the evidence per segment; or what a person set."""

    id: uuid.UUID
    quarter: str | None
    proposed_at: dt.datetime
    present: dict[str, dict[str, float]]
    proposed: dict[str, dict[str, float]]
    evidence: dict[str, dict[str, Any]]
    is_open: bool
    answer: str | None
    answered_at: dt.datetime | None
    answered_by: str | None
    note: str | None


class HealthPolicyController(Controller):
    """How much each component of health counts."""

    path = "/policies/health"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Policies"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, database: NamedDependency[Database]) -> WeightsShape:
        """Return the weights in force."""
        async with database.transaction() as session:
            return await _weights(session)

    @post("/preview", opt=EDIT, status_code=HTTP_200_OK)
    async def preview(
        self,
        data: JSONBody[WantedWeights],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> WeightPreviewShape:
        """Say who would change status; saving needs the mark of this answer."""
        async with database.transaction() as session:
            return _preview(await preview(session, _read(data), clock.now()))

    @put("/", opt=EDIT)
    async def replace(
        self,
        request: ApiRequest,
        data: JSONBody[SavedWeights],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> WeightsShape:
        """Put weights in force whose effect was seen; the next look at each customer uses them."""

        async def write(session: Session) -> WeightsShape:
            by, answered = hand_of(request, clock), data.proposal_id
            await save_weights(session, _read(data), data.mark, by, note=data.note, proposal_id=answered)
            return await _weights(session)

        return await write_once(request, database, clock, WeightsShape, write)

    @get("/proposals")
    async def proposals(self, database: NamedDependency[Database]) -> list[ProposalShape]:
        """List what outcomes proposed and people set, the newest first."""
        async with database.transaction() as session:
            return [ProposalShape(**vars(one)) for one in await load_proposals(session)]

    @post("/proposals/{proposal_id:uuid}/decline", opt=EDIT, status_code=HTTP_200_OK)
    async def decline(
        self,
        request: ApiRequest,
        proposal_id: FromPath[uuid.UUID],
        data: JSONBody[Note],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> ProposalShape:
        """Keep the weights in force in spite of a proposal."""

        async def write(session: Session) -> ProposalShape:
            await decline_proposal(session, proposal_id, data.note, hand_of(request, clock))
            return ProposalShape(**vars(await load_proposal(session, proposal_id)))

        return await write_once(request, database, clock, ProposalShape, write)


def _read(data: WantedWeights) -> Any:
    cells = {segment.value: {one.value: w for one, w in row.items()} for segment, row in data.weights.items()}
    return read_weights(cells)


async def _weights(session: Session) -> WeightsShape:
    document = weights_document((await load_policy(session)).health.weights)
    return WeightsShape.model_validate({"weights": document})


def _preview(seen: WeightPreview) -> WeightPreviewShape:
    return WeightPreviewShape(
        mark=seen.mark,
        customers=seen.customers,
        changed=len(seen.moves),
        worse=seen.worse,
        before=dict(seen.before),
        after=dict(seen.after),
        moves=[_move(move) for move in seen.moves[:MOST_MOVES]],
    )


def _move(move: Move) -> MoveShape:
    told = {**vars(move.customer), **vars(move), "customer": move.customer.name}
    return MoveShape.model_validate(told)
