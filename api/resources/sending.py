"""How much mail a sender domain may send: the policy, and how far it is used."""

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from api.guards import needs
from api.resources.pages import ApiRequest, write_once
from api.resources.shapes import Shape
from domain.permissions import Permission
from domain.sending import SendingPolicy, domain_of
from models.clock import StoredClock
from models.database import Database, Session
from models.sending_policy import load_sending_policy, save_sending_policy
from models.views.sending import load_sending
from settings import Settings


class DomainUse(Shape):
    """One sender domain: messages sent and allowed, and why a warm-up allows so many."""

    domain: str
    sent_this_hour: int
    sent_today: int
    per_hour: int | None
    per_day: int | None
    because: str


class SendingUse(Shape):
    """Domains with a cap, and how many messages wait for one. `problem` says why all optional mail does."""

    domains: list[DomainUse]
    waiting: int
    problem: str


class SendingController(Controller):
    """Caps and warm-up of sender domains."""

    path = "/policies/sending"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Policies"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def show(self, database: NamedDependency[Database]) -> SendingPolicy:
        """Return the policy in force."""
        async with database.transaction() as session:
            return await load_sending_policy(session)

    @get("/use")
    async def use(
        self,
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
        settings: NamedDependency[Settings],
    ) -> SendingUse:
        """Say how much each domain has sent and may send, and how many messages wait."""
        async with database.transaction() as session:
            found = await load_sending(session, domain_of(settings.sender_email), clock.now())
        return SendingUse.model_validate({**vars(found), "domains": [vars(each) for each in found.domains]})

    @put("/", opt=needs(Permission.EDIT_POLICIES))
    async def replace(
        self,
        request: ApiRequest,
        data: JSONBody[SendingPolicy],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> SendingPolicy:
        """Put a whole new policy in force; what waits is asked by it when its time comes."""
        user = request.user.user_id

        async def write(session: Session) -> SendingPolicy:
            await save_sending_policy(session, data, user, clock.now())
            return data

        return await write_once(request, database, clock, SendingPolicy, write)
