"""What went wrong, told to whoever asked: problem+json (RFC 9457) to programs, a page to people."""

from http import HTTPStatus
from urllib.parse import quote

import structlog
from litestar import MediaType, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.types import ExceptionHandlersMap

from api.access_log import request_id
from domain.errors import EverstayError
from domain.permissions import NotSignedInError, TooManyAttemptsError

PROBLEM = "application/problem+json"
MACHINE_PATHS = ("/api/", "/v1/", "/webhooks/", "/health", "/ready", "/openapi.json")
SIGN_IN = "/sign-in"
_SERVER_ERROR = 500

AnyRequest = Request[object, object, State]
AnyResponse = Response[object]


def exception_handlers() -> ExceptionHandlersMap:
    """Return the handlers of everything that can be raised."""
    return {
        NotSignedInError: _not_signed_in,
        EverstayError: _ours,
        HTTPException: _litestar,
        Exception: _unexpected,
    }


def wants_page(request: AnyRequest) -> bool:
    """Whether a person is looking."""
    is_machine = request.url.path.startswith(MACHINE_PATHS)
    return not is_machine and "text/html" in request.headers.get("accept", "")


def _not_signed_in(request: AnyRequest, error: NotSignedInError) -> AnyResponse:
    """Send people to the sign-in page and back; tell programs."""
    if request.headers.get("hx-request"):
        return Response(None, status_code=error.status, headers={"HX-Redirect": SIGN_IN})
    if wants_page(request) and request.method == "GET":
        query = f"?{request.url.query}" if request.url.query else ""
        place = quote(request.url.path + query, safe="/")
        return Redirect(f"{SIGN_IN}?next={place}", status_code=HTTP_303_SEE_OTHER)
    response = answer(request, error.status, str(error))
    response.headers["WWW-Authenticate"] = 'Bearer realm="everstay"'
    return response


def _ours(request: AnyRequest, error: EverstayError) -> AnyResponse:
    if error.status >= _SERVER_ERROR:
        _log(error)
    response = answer(request, error.status, str(error), fields=getattr(error, "fields", None))
    if isinstance(error, TooManyAttemptsError):
        response.headers["Retry-After"] = str(60 * int(str(error.details["minutes"])))
    elif hasattr(error, "retry_after"):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _litestar(request: AnyRequest, error: HTTPException) -> AnyResponse:
    """Errors of the framework: no such route, wrong method, a body that does not fit."""
    if error.status_code >= _SERVER_ERROR:
        _log(error)
    fields = error.extra if isinstance(error.extra, list) else []
    detail = _detail(error.status_code, error.detail)
    response = answer(request, error.status_code, detail, fields=fields)
    response.headers.update(error.headers or {})
    return response


def _detail(status: int, detail: str) -> str:
    known = {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
    }
    return known.get(status, detail if status < _SERVER_ERROR else "Something went wrong on our side.")


def _unexpected(request: AnyRequest, error: Exception) -> AnyResponse:
    _log(error)
    detail = f"Something went wrong on our side; the log has it under request {request_id(request.scope)}."
    return answer(request, _SERVER_ERROR, detail)


def _log(error: Exception) -> None:
    structlog.get_logger("api.errors").error("request failed", exc_info=error)


def answer(
    request: AnyRequest, status: int, detail: str, *, fields: list[object] | None = None
) -> AnyResponse:
    """Return the error as a page or as a problem."""
    title = HTTPStatus(status).phrase
    if wants_page(request):
        return _page(request, status, title, detail)
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    problem |= {"instance": request.url.path, "request_id": request_id(request.scope)}
    problem |= {"errors": fields} if fields else {}
    return Response(problem, status_code=status, media_type=PROBLEM)


def _page(request: AnyRequest, status: int, title: str, detail: str) -> AnyResponse:
    """Render the error page, here and now: a page that fails to render must not hide the error."""
    context = {"status": status, "title": title, "detail": detail}
    try:
        made = Template("error.html", context=context).to_asgi_response(app=None, request=request)
    except Exception as error:  # noqa: BLE001  whatever is wrong with the page, people get the words
        _log(error)
        return Response(f"{title}. {detail}", status_code=status, media_type=MediaType.TEXT)
    return Response(made.body, status_code=status, media_type=MediaType.HTML)
