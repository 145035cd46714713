"""The errors of the API in its description: the same few everywhere, each a problem (RFC 9457).

Handlers describe what they return; who may be refused, and why, follows from the kind of route.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

PROBLEM = "application/problem+json"
PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What was wrong, where, and what to do (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {},
            "description": "Each field of the request that does not fit.",
        },
    },
}
WRITES = frozenset({"post", "put", "patch", "delete"})
_SAID = {
    400: "The request cannot be read, or a part of it does not fit.",
    401: "No valid key or session came with it.",
    403: "The key or the person may not do this.",
    404: "There is nothing with this id.",
    409: "It has changed or exists already, or the Idempotency-Key was used for another request.",
    412: "It has another version by now than the one that If-Match names.",
    410: "It is over: nobody waits for this any more.",
    413: "The body is too large.",
    415: "The body is of another kind than this address takes.",
    422: "The request is well-formed, but what it says cannot be done.",
    429: "Too many requests; try again after the time in Retry-After.",
    503: "A service behind this one is away for the moment; try again.",
}


MORE: Mapping[tuple[str, str], tuple[int, ...]] = {
    ("get", "/api/signals/lift"): (404,),
    ("get", "/api/uploads/{upload_id}/mapping"): (409,),
    ("post", "/api/playbooks"): (412,),
    ("post", "/api/playbooks/{key}/publish"): (412,),
    ("get", "/v1/prompts"): (403,),
    ("post", "/v1/prompts/{prompt_id}/clicked"): (403, 410),
    ("post", "/v1/prompts/{prompt_id}/dismissed"): (403, 410),
    ("post", "/webhooks/callbacks/{token}"): (410,),
}
"""What single routes may answer beyond what their kind does."""
OPEN = ("/health", "/healthz", "/readyz")


def with_errors(schema: dict[str, Any]) -> dict[str, Any]:
    """Add the errors that each operation may answer with, and the shape of a problem."""
    components = {**schema.get("components", {})}
    components["schemas"] = {**components.get("schemas", {}), "Problem": dict(PROBLEM_SCHEMA)}
    paths = {path: _path(path, operations) for path, operations in schema["paths"].items()}
    mended: dict[str, Any] = _mended({**schema, "components": components, "paths": paths})
    return mended


def _mended(part: Any) -> Any:
    """Return a part of the description in which the items of `tuple[X, ...]` are X, not X or anything."""
    if isinstance(part, list):
        return [_mended(each) for each in part]
    if not isinstance(part, dict):
        return part
    told = {name: _mended(value) for name, value in part.items()}
    kinds = told.get("oneOf")
    if isinstance(kinds, list) and {} in kinds and len(kinds) == 2:  # noqa: PLR2004  X and the dots
        return next(kind for kind in kinds if kind)
    return told


def _path(path: str, operations: Mapping[str, Any]) -> dict[str, Any]:
    return {method: _operation(path, method, told) for method, told in operations.items()}


def _operation(path: str, method: str, told: Mapping[str, Any]) -> dict[str, Any]:
    fine = {status: one for status, one in told["responses"].items() if int(status) < HTTPStatus.BAD_REQUEST}
    own = {status: one for status, one in told["responses"].items() if status not in {*fine, "400"}}
    errors = {str(status): _problem(status) for status in statuses(path, method, told)}
    security: dict[str, Any] = {"security": []} if path in OPEN else {}
    return {**told, **security, "responses": {**fine, **errors, **own}}


def statuses(path: str, method: str, told: Mapping[str, Any]) -> Iterator[int]:
    """Yield the errors of one route, by what it takes and whom it lets in."""
    yield from (400, 401, *MORE.get((method, path), ()))
    if path in OPEN:
        return
    if path.startswith("/api/"):
        yield 403
    if "{" in path or method in WRITES:
        yield 404
    if method in WRITES:
        yield from (409, 413, 422, 429)
    elif told.get("parameters"):
        yield 422
    if told.get("requestBody"):
        yield 415


def _problem(status: int) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answer: dict[str, Any] = {"description": _SAID.get(status, HTTPStatus(status).phrase), "content": content}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        answer["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds."}}
    return answer
