"""`/api/suppressions`: addresses that the mail provider holds back, and taking mail to one up again."""

import datetime as dt
import uuid
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, ConfigDict, Field

from api.guards import needs
from api.resources.pages import ApiRequest, Cursor, Limit, Page, page_of, write_once
from api.resources.shapes import Shape
from domain.permissions import Permission
from domain.suppressions import SuppressionList
from domain.time import wall
from models.clock import StoredClock
from models.database import Database, Session
from models.resources.suppressions import list_suppressions, load_pulls
from models.suppressions import lift


class Suppression(Shape):
    """One address on one of the provider's lists. `people` are contacts with this address."""

    id: uuid.UUID
    provider: str
    list: SuppressionList
    group: str
    email: str
    reason: str
    listed_at: dt.datetime
    imported_at: dt.datetime
    people: int
    lifted_at: dt.datetime | None
    lifted_by: str | None
    lifted_because: str | None


class SuppressionPull(Shape):
    """How far a list was read, and what keeps it from being read."""

    provider: str
    list: SuppressionList
    cursor: dt.datetime | None
    pulled_at: dt.datetime
    problem: str | None


class LiftSuppression(BaseModel):
    """Why mail to the address is taken up again."""

    model_config = ConfigDict(extra="forbid")

    because: Annotated[str, Field(min_length=3, max_length=500)]


class Lifted(BaseModel):
    """What was lifted. The provider's own list stays as it is until somebody changes it there."""

    id: uuid.UUID


Lists = Annotated[
    list[SuppressionList] | None, QueryParameter(name="list", description="Only of these lists.")
]
Since = Annotated[dt.datetime | None, QueryParameter(description="Listed at this time or later.")]


class SuppressionController(Controller):
    """Addresses that the provider holds back."""

    path = "/suppressions"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["E-mail"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(
        self,
        database: NamedDependency[Database],
        lists: Lists = None,
        search: Annotated[str, QueryParameter(max_length=200, description="A part of the address.")] = "",
        since: Since = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[Suppression]:
        """List held addresses, the latest first."""
        begins = wall(since if since.tzinfo else since.replace(tzinfo=dt.UTC)) if since else None
        async with database.transaction() as session:
            found = await list_suppressions(session, lists or [], search, begins, cursor=cursor, limit=limit)
            return page_of(Suppression, found)

    @get("/pulls")
    async def pulls(self, database: NamedDependency[Database]) -> list[SuppressionPull]:
        """Say how far each list was read."""
        async with database.transaction() as session:
            return [SuppressionPull.model_validate(row) for row in await load_pulls(session)]

    @post("/{suppression_id:uuid}/lift", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def lift(
        self,
        request: ApiRequest,
        suppression_id: FromPath[uuid.UUID],
        data: JSONBody[LiftSuppression],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Lifted:
        """Take mail to the address up again here."""

        async def write(session: Session) -> Lifted:
            await lift(session, suppression_id, data.because, request.user.user_id, clock.now())
            return Lifted(id=suppression_id)

        return await write_once(request, database, clock, Lifted, write)
