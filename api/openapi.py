"""The API's description, made from the handlers themselves."""

from litestar import Request, Router, get
from litestar.datastructures import State
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from api.guards import PUBLIC
from api.health import version

DESCRIPTION = (
    "Everything that the pages do. Send a key as `Authorization: Bearer …`; "
    "a write takes an `Idempotency-Key`."
)


@get("/openapi.json", opt=PUBLIC, include_in_schema=False, sync_to_thread=False)
def openapi_json(request: Request[object, None, State]) -> dict[str, object]:
    """Serve the description to everyone: it is the same in every installation."""
    return request.app.openapi_schema.to_schema()


def openapi_config() -> OpenAPIConfig:
    """Describe the API; Litestar's own pages are left out, since they load from elsewhere."""
    return OpenAPIConfig(
        title="Everstay",
        version=version(),
        description=DESCRIPTION,
        use_handler_docstrings=True,
        components=Components(security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"key": []}],
        render_plugins=[JsonRenderPlugin()],
        openapi_router=Router("/api/schema", route_handlers=[], opt=PUBLIC, include_in_schema=False),
    )
