"""`/v1/…` as Segment's and RudderStack's clients call it, and the addresses of PostHog's."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, Router, post
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.status_codes import HTTP_200_OK

from api.errors import PROBLEM
from api.guards import Access, needs
from api.tracking.browsers import AnyOrigin
from api.tracking.intake import MOST_BODY_BYTES, TrackingIntake, TrackingRequest
from api.tracking.service import provide_intake
from integrations.tracking.envelopes import (
    POSTHOG,
    SEGMENT,
    Opener,
    Reader,
    open_batch,
    open_message,
    open_strict_batch,
)

SUCCESS = b'{"success": true}'
SHORT = {"track": "t", "identify": "i", "group": "g", "page": "p", "screen": "s", "alias": "a"}
"""The addresses that browser clients use, by the call."""
POSTHOG_PATHS = ["/batch", "/capture", "/e", "/i/v0/e"]
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
    calls = [
        _handler([f"/v1/{call}", f"/v1/{short}"], open_message, SEGMENT, call)
        for call, short in SHORT.items()
    ]
    batch = _handler(["/v1/batch", "/v1/import", "/v1/b"], open_strict_batch, SEGMENT, None)
    posthog = _handler(POSTHOG_PATHS, open_batch, POSTHOG, "posthog")
    return Router(
        "/",
        route_handlers=[*calls, batch, posthog],
        dependencies={"intake": Provide(provide_intake, sync_to_thread=False)},
        middleware=[AnyOrigin()],
        opt=needs(Access.SENT_KEY),
        tags=["Tracking"],
        security=[{"write_key": []}, {}],
    )


def _handler(paths: list[str], opener: Opener, reader: Reader, call: str | None) -> HTTPRouteHandler:
    name = call or "batch"

    async def handler(request: TrackingRequest, intake: NamedDependency[TrackingIntake]) -> Response[bytes]:
        await intake.take(request, opener, reader, call)
        return Response(SUCCESS, media_type="application/json", status_code=HTTP_200_OK)

    handler.__name__ = f"track_{name}"
    handler.__doc__ = (
        f"Take {'messages' if name in {'batch', 'posthog'} else f'one {name} call'} of a tracking client."
    )
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
    return post(paths, **declared)(handler)
