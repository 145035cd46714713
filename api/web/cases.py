"""What the pages of all cases share: where one is shown, and buttons that hold, resume, end and ring."""

import uuid
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from api.guards import also, needs
from api.web import case_words, sentences
from api.web.desk import DESK, Desk
from api.web.query import text
from api.web.run_control import Form, field, hand_at
from domain.case_vocabulary import CaseOutcome, CaseState
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.permissions import Permission
from models.case_control import BY_HAND, hold_case, look_again, resume_case, stop_case
from models.cases import kind_of, read_case
from models.database import Session
from models.hands import Hand
from models.views.cases import load_case_page
from models.views.decisions import DecisionFilter, load_decisions
from models.views.offers import OfferFilter, load_offers

DECISIONS_OF_A_CASE = 100


async def case_context(desk: Desk, session: Session, case_id: uuid.UUID) -> dict[str, object]:
    """Return what the template of every case shows beside what is of its kind."""
    page = await load_case_page(session, case_id)
    decisions = await load_decisions(session, DecisionFilter(case=case_id), DECISIONS_OF_A_CASE)
    return {
        "page": page,
        "decisions": decisions.decisions,
        "offers": (await load_offers(session, OfferFilter(case=case_id))).offers,
        "cases": case_words,
        "sentences": sentences,
        "endings": BY_HAND[page.head.kind],
        "flash": text(desk.query, "said", 300),
        "problem": text(desk.query, "problem", 500),
    }


class CaseController(Controller):
    """One case, of whatever kind."""

    path = "/cases/{case_id:uuid}"
    dependencies = DESK
    include_in_schema = False
    opt = needs(Permission.READ_CUSTOMERS)
    guards = [also(Permission.READ_RUNS)]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, desk: NamedDependency[Desk], case_id: FromPath[uuid.UUID]) -> Response[None]:
        """Lead to the page of its kind."""
        async with desk.reading() as session:
            kind = await kind_of(session, case_id)
        return desk.go(case_words.address(kind, case_id))

    @get("/end", opt=needs(Permission.CONTROL_RUNS))
    async def confirm(
        self, desk: NamedDependency[Desk], case_id: FromPath[uuid.UUID]
    ) -> Response[None] | Template:
        """Say what ending it means, and ask why, before anything is done."""
        async with desk.reading() as session:
            page = await load_case_page(session, case_id)
            case = await read_case(session, case_id)
        place = case_words.address(case.kind, case_id)
        if case.state is CaseState.ENDED:
            return desk.go(f"{place}?{urlencode({'problem': 'It has ended already.'})}")
        outcome = text(desk.query, "outcome")
        endings = BY_HAND[case.kind]
        return desk.page(
            "case_stop.html",
            page=page,
            place=place,
            endings=endings,
            outcome=outcome if outcome in endings else endings[0].value,
            cases=case_words,
            problem=text(desk.query, "problem", 500),
        )

    @post("/{act:str}", opt=needs(Permission.CONTROL_RUNS))
    async def act(
        self, desk: NamedDependency[Desk], case_id: FromPath[uuid.UUID], act: FromPath[str]
    ) -> Response[None]:
        """Hold, resume, end or ring one case."""
        form = await desk.request.form()
        async with desk.database.transaction() as session:
            place = case_words.address(await kind_of(session, case_id), case_id)
        try:
            async with desk.database.transaction() as session:
                said = await _act(session, case_id, act, form, hand_at(desk))
        except (ConflictError, InvalidInputError) as error:
            return desk.go(f"{place}?{urlencode({'problem': str(error)})}")
        return desk.go(f"{place}?{urlencode({'said': said})}")


async def _act(session: Session, case_id: uuid.UUID, act: str, form: Form, by: Hand) -> str:
    if act == "hold":
        await hold_case(session, case_id, field(form, "reason"), by)
        return "It is held: nothing is done until you let it go on."
    if act == "resume":
        await resume_case(session, case_id, by)
        return "It goes on, and looks again now."
    if act == "stop":
        await stop_case(session, case_id, _outcome(form), field(form, "reason"), by)
        return "The case has ended."
    if act == "ring":
        await look_again(session, case_id, by)
        return "It looks again."
    raise NotFoundError(what="act on a case", key=act)


def _outcome(form: Form) -> CaseOutcome:
    try:
        return CaseOutcome(field(form, "outcome"))
    except ValueError:
        raise InvalidInputError(field="outcome", reason="say how the case ends") from None
