"""The API's description, made from the handlers themselves."""

from collections.abc import Mapping
from typing import Any

from litestar import Litestar, Request, Router, get
from litestar.datastructures import State
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Reference, SecurityScheme
from litestar.response import Template

from api.guards import PUBLIC
from api.health import version
from api.openapi_errors import with_errors

DESCRIPTION = (
    "Everything that the pages do. Send a key as `Authorization: Bearer …`; "
    "a write takes an `Idempotency-Key`."
)


@get("/openapi.json", opt=PUBLIC, include_in_schema=False, sync_to_thread=False)
def openapi_json(request: Request[object, None, State]) -> dict[str, object]:
    """Serve the description to everyone: it is the same in every installation."""
    return description(request.app)


@get("/reference", opt=PUBLIC, include_in_schema=False, sync_to_thread=False)
def reference(request: Request[object, None, State]) -> Template:
    """Show the same to people."""
    schema = description(request.app)
    return Template("reference.html", context={"title": schema["info"]["title"], "groups": groups_of(schema)})


def description(app: Litestar) -> dict[str, Any]:
    """Return the whole description: what handlers return, and the errors that all share."""
    return with_errors(app.openapi_schema.to_schema())


def groups_of(schema: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the operations by their tag, in the order of their addresses."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in sorted(schema["paths"].items()):
        for method, operation in operations.items():
            shown = {"method": method.upper(), "path": path, **operation}
            groups.setdefault(operation.get("tags", ["Other"])[0], []).append(shown)
    return dict(sorted(groups.items()))


SCHEMES: dict[str, SecurityScheme | Reference] = {
    "key": SecurityScheme(type="http", scheme="bearer"),
    "write_key": SecurityScheme(type="http", scheme="basic", description="The write key as the user name."),
}


def openapi_config() -> OpenAPIConfig:
    """Describe the API; Litestar's own pages are left out, since they load from elsewhere."""
    return OpenAPIConfig(
        title="Everstay",
        version=version(),
        description=DESCRIPTION,
        use_handler_docstrings=True,
        components=Components(security_schemes=SCHEMES),
        security=[{"key": []}],
        render_plugins=[JsonRenderPlugin()],
        openapi_router=Router("/api/schema", route_handlers=[], opt=PUBLIC, include_in_schema=False),
    )
