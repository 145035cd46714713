"""The weights of health: what is in force, what outcomes propose, and who would change status."""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template
from litestar.status_codes import HTTP_200_OK, HTTP_422_UNPROCESSABLE_ENTITY

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import key, text
from api.web.run_control import field, hand_at
from domain.errors import ConflictError, InvalidInputError
from domain.health_preview import WeightPreview, Weights, read_weights, weights_document
from domain.permissions import Permission
from domain.vocabulary import HealthComponent, HealthStatus, Segment
from models.database import Session
from models.health_weights import preview, save_weights
from models.scores import load_policy
from models.weight_proposals import WeightProposal, decline_proposal, load_proposals

PLACE = "/weights"
MOST_SHOWN = 200
"""Customers of a preview that the page lists; the API lists more."""
VERDICTS = {
    "better": "ranks those who left better",
    "no_difference": "no difference that could be told from chance",
    "worse": "ranks worse on later outcomes, so nothing is proposed",
    "untested": "not yet tested on later outcomes",
    "not_enough": "not enough outcomes",
}


class WeightController(Controller):
    """Read by everyone who sees customers; changed by those who may edit policies."""

    path = PLACE
    dependencies = DESK
    include_in_schema = False

    @get("/", opt=needs(Permission.READ_CUSTOMERS))
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show the weights; `proposal` puts what outcomes propose into the form, with its preview."""
        chosen = key(desk.query, "proposal")
        async with desk.reading() as session:
            weights: Weights = (await load_policy(session)).health.weights
            proposals = await load_proposals(session)
            proposal = next((one for one in proposals if one.id == chosen and one.is_open), None)
            seen = None
            if proposal is not None:
                weights = read_weights(proposal.proposed)
                seen = await preview(session, weights, desk.now)
        return _page(desk, _cells(weights), proposals, seen, proposal)

    @post("/preview", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def preview(self, desk: NamedDependency[Desk]) -> Template:
        """Say who would change status with the weights of the form, and keep nothing."""
        form = dict(await desk.request.form())
        async with desk.reading() as session:
            proposals = await load_proposals(session)
            proposal = await _proposal(session, form)
            try:
                seen = await preview(session, read_form(form), desk.now)
            except InvalidInputError as error:
                return _refused(desk, form, proposals, proposal, error)
        return _page(desk, form, proposals, seen, proposal)

    @post("/", opt=needs(Permission.EDIT_POLICIES))
    async def save(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """Put the weights that were seen in force."""
        form = dict(await desk.request.form())
        proposal_id = _id(form)
        try:
            async with desk.database.transaction() as session:
                mark, note = field(form, "mark"), field(form, "note")
                wanted = read_form(form)
                await save_weights(session, wanted, mark, hand_at(desk), note=note, proposal_id=proposal_id)
        except (ConflictError, InvalidInputError) as error:
            return desk.go(f"{PLACE}?{urlencode({'problem': str(error)})}")
        return desk.go(f"{PLACE}?said=Saved.+The+next+look+at+each+customer+uses+them.")

    @post("/proposals/{proposal_id:uuid}/decline", opt=needs(Permission.EDIT_POLICIES))
    async def decline(self, desk: NamedDependency[Desk], proposal_id: FromPath[uuid.UUID]) -> Response[None]:
        """Keep the weights in force."""
        form = dict(await desk.request.form())
        try:
            async with desk.database.transaction() as session:
                await decline_proposal(session, proposal_id, field(form, "note"), hand_at(desk))
        except ConflictError as error:
            return desk.go(f"{PLACE}?{urlencode({'problem': str(error)})}")
        return desk.go(f"{PLACE}?said=Declined.+The+weights+stay+as+they+are.")


async def _proposal(session: Session, form: Mapping[str, object]) -> WeightProposal | None:
    chosen = _id(form)
    found = [one for one in await load_proposals(session) if one.id == chosen and one.is_open]
    return found[0] if found else None


def _id(form: Mapping[str, object]) -> uuid.UUID | None:
    try:
        return uuid.UUID(field(form, "proposal"))
    except ValueError:
        return None


def read_form(form: Mapping[str, object]) -> Weights:
    """Return the weights that the form says in percent; raises InvalidInputError naming the cell."""
    document = {
        segment.value: {name.value: _percent(form, segment, name) / 100 for name in HealthComponent}
        for segment in Segment
    }
    return read_weights(document)


def _percent(form: Mapping[str, object], segment: Segment, name: HealthComponent) -> float:
    written = field(form, f"{segment.value}-{name.value}").rstrip("% ")
    try:
        return float(written or 0)
    except ValueError:
        cell = f"{segment.value.replace('_', ' ')}, {name.value}".capitalize()
        raise InvalidInputError(field=cell, reason=f"{written!r} is no number") from None


def _cells(weights: Weights) -> dict[str, str]:
    """Return weights as the form's cells, so that what is read back is the same."""
    document = weights_document(weights)
    return {
        f"{segment}-{name}": f"{round(100 * weight, 2):g}"
        for segment, row in document.items()
        for name, weight in row.items()
    }


def _page(
    desk: Desk,
    cells: Mapping[str, Any],
    proposals: list[WeightProposal],
    seen: WeightPreview | None,
    proposal: WeightProposal | None,
    problem: str = "",
) -> Template:
    return desk.page(
        "weights.html",
        cells=cells,
        proposals=proposals,
        proposal=proposal,
        seen=seen,
        most=MOST_SHOWN,
        segments=Segment,
        components=HealthComponent,
        statuses=HealthStatus,
        verdicts=VERDICTS,
        flash=text(desk.query, "said", 200),
        problem=problem or text(desk.query, "problem", 300),
    )


def _refused(
    desk: Desk,
    form: Mapping[str, Any],
    proposals: list[WeightProposal],
    proposal: WeightProposal | None,
    error: InvalidInputError,
) -> Template:
    page = _page(desk, form, proposals, None, proposal, str(error))
    page.status_code = HTTP_422_UNPROCESSABLE_ENTITY
    return page
