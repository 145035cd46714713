"""`/api/signals/own`: signals that the tenant declares."""

from typing import Any

from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from pydantic import BaseModel, ConfigDict

from api.guards import needs
from api.resources.pages import ApiRequest, write_once
from domain.permissions import Permission
from domain.signal_own import OwnSignalDocument, read_document
from domain.vocabulary import Severity
from models.clock import StoredClock
from models.database import Database, Session
from models.own_signals import delete_own_signal, get_own_signal, list_own_signals, save_own_signal


class OwnSignalChange(BaseModel):
    """A signal of your own; its key is in the address."""

    model_config = ConfigDict(extra="forbid")

    title: str
    condition: dict[str, Any]
    severity: Severity = Severity.MEDIUM
    enabled: bool = True


class OwnSignalController(Controller):
    """Signals that the tenant declares in the condition language."""

    path = "/signals/own"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Signals"]  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(self, database: NamedDependency[Database]) -> list[OwnSignalDocument]:
        """List them as they were written."""
        async with database.transaction() as session:
            return [document for document, _read in await list_own_signals(session)]

    @get("/{key:str}")
    async def show(self, key: FromPath[str], database: NamedDependency[Database]) -> OwnSignalDocument:
        """Return one."""
        async with database.transaction() as session:
            return await get_own_signal(session, key)

    @put("/{key:str}", opt=needs(Permission.EDIT_POLICIES))
    async def save(
        self,
        request: ApiRequest,
        key: FromPath[str],
        data: JSONBody[OwnSignalChange],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> OwnSignalDocument:
        """Create or replace one; an error names the path in the condition and the nearest field."""
        document = read_document(data.model_dump() | {"key": key})

        async def write(session: Session) -> OwnSignalDocument:
            await save_own_signal(session, document, request.user.user_id, clock.now())
            return document

        return await write_once(request, database, clock, OwnSignalDocument, write)

    @delete("/{key:str}", opt=needs(Permission.EDIT_POLICIES))
    async def remove(self, key: FromPath[str], database: NamedDependency[Database]) -> None:
        """Delete one; what it has open ends with the next look at each customer."""
        async with database.transaction() as session:
            await delete_own_signal(session, key)
