"""A playbook document in a request: JSON or YAML, by its content type, and described as both."""

import json
from dataclasses import dataclass
from typing import Any

from litestar.exceptions import ClientException
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from api.resources.pages import ApiRequest
from domain.errors import InvalidInputError
from domain.playbook import Playbook
from domain.playbook_problems import PlaybookDocumentError, Problem
from integrations.own_step_packages import find_own_steps
from models.database import Session
from models.playbook_surroundings import check_data, check_text, load_surroundings

YAML = "application/yaml"
MOST_BYTES = 500_000
DESCRIBED = "A playbook document; its schema is at /api/playbook-schema."
ANY = "*"


@dataclass
class DocumentBody(Operation):
    """Describes the body, which the handler reads itself since it may be JSON or YAML."""

    def __post_init__(self) -> None:
        """Say that it is a document in either form."""
        as_json = OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT, description=DESCRIBED))
        as_yaml = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, description=DESCRIBED))
        content = {"application/json": as_json, YAML: as_yaml}
        self.request_body = RequestBody(content=content, required=True)


async def check_document(
    request: ApiRequest, session: Session
) -> tuple[Playbook | None, tuple[Problem, ...]]:
    """Return the playbook in the body if it has no errors, and every problem."""
    body = await request.body()
    around = await load_surroundings(session, find_own_steps())
    if "json" in request.headers.get("content-type", ""):
        return check_data(_json(body), around)
    try:
        return check_text(body.decode(), around)
    except UnicodeDecodeError:
        return None, (Problem((), "it is not written in UTF-8"),)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        detail = f"The body is no JSON: {error}"
        raise ClientException(detail) from None


async def sound_document(request: ApiRequest, session: Session, key: str | None = None) -> Playbook:
    """Return the playbook in the body; raises PlaybookDocumentError with every error, and for another key."""
    playbook, problems = await check_document(request, session)
    if playbook is None:
        raise PlaybookDocumentError("document", [one for one in problems if one.level == "error"])
    if key is not None and playbook.key != key:
        message = f"is {playbook.key!r}, and the address says {key!r}"
        raise PlaybookDocumentError("document", [Problem(("key",), message, "a key never changes")])
    return playbook


def etag(version: int) -> str:
    """Return the ETag of a playbook whose current version this is."""
    return f'"{version}"'


def seen_version(request: ApiRequest) -> int | None:
    """Return the version that If-Match names, None where anything will do."""
    value = request.headers.get("if-match", ANY).strip()
    if value == ANY:
        return None
    number = value.removeprefix("W/").strip('"')
    if not number.isdecimal() or len(number) > 9:  # noqa: PLR2004  far more than there will be
        raise InvalidInputError(field="If-Match", reason=f"{value[:40]!r} is no ETag of a playbook")
    return int(number)
