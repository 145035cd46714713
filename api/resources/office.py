"""`/api/users`, `/api/decisions`, `/api/policies`: who works here, what was decided, by which rules."""

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from api.guards import needs
from api.resources.pages import ApiRequest, Cursor, Limit, Page, page_of, write_once
from api.resources.shapes import Colleague, LedgerDecision
from domain.attention import AttentionPolicy
from domain.permissions import Permission
from domain.vocabulary import DecisionKind
from models.attention import load_attention, save_attention
from models.clock import StoredClock
from models.database import Database, Session
from models.resources.history import read_ledger
from models.users import list_users


@get("/users", opt=needs(Permission.READ_WORK), tags=["Work"])
async def colleagues(database: NamedDependency[Database]) -> list[Colleague]:
    """List our users, disabled ones too: owners of customers and of work."""
    async with database.transaction() as session:
        return [Colleague.model_validate(vars(user)) for user in await list_users(session)]


@get("/decisions", opt=needs(Permission.READ_RUNS), tags=["Runs"])
async def decisions(
    database: NamedDependency[Database],
    kind: FromQuery[DecisionKind | None] = None,
    reason: FromQuery[str | None] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[LedgerDecision]:
    """List what was decided, refused or put off for all customers, the newest first."""
    async with database.transaction() as session:
        return page_of(LedgerDecision, await read_ledger(session, kind, reason, cursor, limit))


class AttentionController(Controller):
    """The table that says what to look at first."""

    path = "/policies/attention"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Policies"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, database: NamedDependency[Database]) -> AttentionPolicy:
        """Return the table in force."""
        async with database.transaction() as session:
            return await load_attention(session)

    @put("/", opt=needs(Permission.EDIT_POLICIES))
    async def replace(
        self,
        request: ApiRequest,
        data: JSONBody[AttentionPolicy],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> AttentionPolicy:
        """Put a whole new table in force."""
        user = request.user.user_id

        async def write(session: Session) -> AttentionPolicy:
            await save_attention(session, data, user, clock.now())
            return data

        return await write_once(request, database, clock, AttentionPolicy, write)
