"""The dunning policy on the wire."""

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from api.guards import needs
from api.resources.pages import ApiRequest, write_once
from domain.dunning_policy import DunningPolicy
from domain.permissions import Permission
from models.clock import StoredClock
from models.database import Database, Session
from models.dunning_policies import load_dunning_policy, save_dunning_policy


class DunningPolicyController(Controller):
    """How unpaid invoices are collected: attempts, letters, and what happens at the end."""

    path = "/policies/dunning"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Policies"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, database: NamedDependency[Database]) -> DunningPolicy:
        """Return the policy in force."""
        async with database.transaction() as session:
            return await load_dunning_policy(session)

    @put("/", opt=needs(Permission.EDIT_POLICIES))
    async def replace(
        self,
        request: ApiRequest,
        data: JSONBody[DunningPolicy],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> DunningPolicy:
        """Put a whole new policy in force: for cases that are opened from now on."""
        user = request.user.user_id

        async def write(session: Session) -> DunningPolicy:
            await save_dunning_policy(session, data, user, clock.now())
            return data

        return await write_once(request, database, clock, DunningPolicy, write)
