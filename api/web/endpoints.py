"""Where we post to: listed for those who may read playbooks, changed by administrators."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template
from litestar.status_codes import HTTP_200_OK, HTTP_422_UNPROCESSABLE_ENTITY

from api.guards import needs
from api.web.desk import DESK, Desk
from domain.errors import InvalidInputError
from domain.permissions import Permission
from domain.webhook_events import FAMILIES
from models.changes import announce_change
from models.ciphers import Cipher
from models.endpoints import EndpointOrder, disable_endpoint, save_endpoint
from models.views.endpoints import load_endpoints

BY_HAND = "switched off by a person"


class EndpointPage(Controller):
    """One page: what there is, and a form for another one."""

    path = "/endpoints"
    dependencies = DESK
    include_in_schema = False

    @get("/", opt=needs(Permission.READ_PLAYBOOKS))
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """List every endpoint with what became of its last calls."""
        return await _page(desk, {})

    @post("/", opt=needs(Permission.EDIT_ENDPOINTS), status_code=HTTP_200_OK)
    async def save(self, desk: NamedDependency[Desk]) -> Template:
        """Add or replace one; a secret that was made for it is shown this once, so nothing is redirected."""
        form = {name: str(value).strip() for name, value in (await desk.request.form()).items()}
        order = EndpointOrder(
            form.get("key", ""),
            form.get("url", ""),
            form.get("note", ""),
            form.get("secret") or None,
            desk.user.id,
            _events(form.get("events", "")) or None,
        )
        private, cipher = desk.settings.webhook_private_addresses, Cipher(desk.settings.signing_key)
        try:
            async with desk.database.transaction() as session:
                made = await save_endpoint(session, order, cipher, desk.wall, allow_private=private)
                await announce_change(session)
        except InvalidInputError as error:
            page = await _page(desk, form, problem=str(error))
            page.status_code = HTTP_422_UNPROCESSABLE_ENTITY
            return page
        return await _page(desk, {}, saved=order.key, secret=made or "")

    @post("/{key:str}/disable", opt=needs(Permission.EDIT_ENDPOINTS))
    async def disable(self, desk: NamedDependency[Desk], key: FromPath[str]) -> Response[None]:
        """Post nothing more there until it is saved again."""
        async with desk.database.transaction() as session:
            await disable_endpoint(session, key, BY_HAND, desk.wall, desk.user.id)
            await announce_change(session)
        return desk.go("/endpoints")


def _events(written: str) -> list[str]:
    """Return what stands in a field: one event a line, or with commas or spaces between."""
    return written.replace(",", " ").split()


async def _page(desk: Desk, written: Mapping[str, Any], **told: str) -> Template:
    async with desk.reading() as session:
        lines = await load_endpoints(session)
    defaults = {"problem": "", "saved": "", "secret": ""}
    return desk.page(
        "endpoints.html", lines=lines, families=FAMILIES, written=written, **{**defaults, **told}
    )
