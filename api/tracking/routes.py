"""`/v1/…` as Segment's and RudderStack's clients call it, and the addresses of PostHog's."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, Router, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.status_codes import HTTP_200_OK

from api.errors import PROBLEM
from api.guards import Access, needs
from api.tracking.browsers import AnyOrigin
from api.tracking.intake import MOST_BODY_BYTES, SUCCESS, Dialect, TrackingIntake
from api.tracking.service import provide_intake
from integrations.tracking.envelopes import (
    POSTHOG,
    SEGMENT,
    open_batch,
    open_message,
    open_strict_batch,
)

_SHORT = {"track": "t", "identify": "i", "group": "g", "page": "p", "screen": "s", "alias": "a"}
"""The addresses that browser clients use, by the call."""
DIALECTS = (
    *(
        Dialect((f"/v1/{call}", f"/v1/{short}"), open_message, SEGMENT, call)
        for call, short in _SHORT.items()
    ),
    Dialect(("/v1/batch", "/v1/import", "/v1/b"), open_strict_batch, SEGMENT, None),
    Dialect(("/batch", "/capture", "/e", "/i/v0/e"), open_batch, POSTHOG, None),
)
TrackingRequest = Request[object, None, State]
_REFUSALS = {
    400: "The body is no JSON, cut off, or empty.",
    401: "No living write key was sent.",
    413: "The body, or what it unzips to, is too large.",
    429: "The write key sends too much; see Retry-After.",
    503: "Nothing was stored; send it again after the time in Retry-After.",
}


@dataclass
class JsonBody(Operation):
    """Describes the body, which the handler reads itself since clients call it by any content type."""

    def __post_init__(self) -> None:
        """Say that it is an object."""
        media = OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT))
        self.request_body = RequestBody(content={"application/json": media}, required=True)


@dataclass
class Problem:
    """An error as RFC 9457 has it."""

    title: str
    status: int
    detail: str


@dataclass
class Success:
    """What every client gets whose messages are stored, or kept with the reason why they could not be."""

    success: bool


def tracking_router() -> Router:
    """Return the routes of the tracking API, open to browsers of any site that send a write key."""
    return Router(
        "/",
        route_handlers=[_handler(dialect) for dialect in DIALECTS],
        dependencies={"intake": Provide(provide_intake, sync_to_thread=False)},
        middleware=[AnyOrigin()],
        opt=needs(Access.SENT_KEY),
        tags=["Tracking"],
        security=[{"write_key": []}, {}],
    )


def _handler(dialect: Dialect) -> HTTPRouteHandler:
    async def handler(request: TrackingRequest, intake: NamedDependency[TrackingIntake]) -> Response[bytes]:
        body, headers = await request.body(), request.headers
        encoding, authorization = headers.get("content-encoding", ""), headers.get("authorization", "")
        await intake.take(dialect, body, encoding, authorization)
        return Response(SUCCESS, media_type="application/json", status_code=HTTP_200_OK)

    handler.__name__ = "track_" + dialect.paths[0].strip("/").replace("/", "_")
    what = f"one {dialect.call} call" if dialect.call else "messages"
    handler.__doc__ = f"Take {what} of a tracking client."
    declared: dict[str, Any] = {
        "status_code": HTTP_200_OK,
        "request_max_body_size": MOST_BODY_BYTES,
        "operation_class": JsonBody,
        "responses": {
            HTTP_200_OK: ResponseSpec(Success, description="Stored.", generate_examples=False),
            **{
                status: ResponseSpec(Problem, description=said, media_type=PROBLEM, generate_examples=False)
                for status, said in _REFUSALS.items()
            },
        },
    }
    return post(list(dialect.paths), **declared)(handler)
