"""`/api/playbooks`: documents, their versions, what an edit would do, and doing it."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from api.guards import needs
from api.resources.pages import ApiRequest, write_once
from api.resources.playbook_bodies import (
    MOST_BYTES,
    YAML,
    DocumentBody,
    check_document,
    etag,
    seen_version,
    sound_document,
)
from api.resources.playbook_shapes import (
    PlaybookCheck,
    PlaybookPlan,
    PlaybookPublished,
    PlaybookVersion,
    PlaybookVersionDetail,
    Tried,
    TryOut,
)
from api.resources.runs import Release
from api.resources.shapes import Playbook, PlaybookDetail
from domain.dry_run import Assumptions
from domain.durations import parse_duration
from domain.edit_impact import Choices, Effect, OnOpen
from domain.permissions import Permission
from domain.playbook_diff import differences
from domain.playbook_problems import as_field
from domain.playbook_schema import playbook_schema
from models.clock import StoredClock
from models.database import Database, Session
from models.dry_runs import DryRun, try_out
from models.installation import observe_again, release
from models.playbook_edits import EditPreview, begin_edit, finish_edits, preview_edit
from models.playbook_yaml import plain, write_yaml
from models.playbooks import Author, PlaybookShelf
from models.resources.playbooks import archive, find_current, list_versions, load_version
from models.resources.runs import list_playbooks, load_playbook, load_playbook_document

BODY: dict[str, Any] = {"operation_class": DocumentBody, "request_max_body_size": MOST_BYTES}
OnOpenRuns = Annotated[OnOpen, QueryParameter(description="What becomes of open runs.")]
OnClass = Annotated[OnOpen | None, QueryParameter(description="The same, where an edit means this for them.")]
Note = Annotated[str, QueryParameter(max_length=500, description="What the versions page says of it.")]


@dataclass(frozen=True)
class Asked:
    """What a publisher says beside the document."""

    choices: Choices
    note: str


def _asked(
    on_open: OnOpenRuns = OnOpen.PIN,
    unaffected: OnClass = None,
    retimed: OnClass = None,
    changed: OnClass = None,
    stranded: OnClass = None,
    note: Note = "",
) -> Asked:
    given = zip(Effect, (unaffected, retimed, changed, stranded), strict=True)
    return Asked(Choices(on_open, {name: one for name, one in given if one is not None}), note)


@get("/playbook-schema", opt=needs(Permission.READ_PLAYBOOKS), tags=["Playbooks"], sync_to_thread=False)
def schema_of_playbooks() -> dict[str, Any]:
    """Return the JSON Schema of playbook documents, for editors."""
    return playbook_schema()


class PlaybookController(Controller):
    """Recipes."""

    path = "/playbooks"
    opt = needs(Permission.READ_PLAYBOOKS)
    tags = ["Playbooks"]  # noqa: RUF012  as Litestar declares it
    dependencies = {"asked": Provide(_asked, sync_to_thread=False)}  # noqa: RUF012  as Litestar declares it

    @get("/")
    async def list_(self, database: NamedDependency[Database]) -> list[Playbook]:
        """List every playbook."""
        async with database.transaction() as session:
            return [Playbook.model_validate(row) for row in await list_playbooks(session)]

    @post("/", opt=needs(Permission.EDIT_POLICIES), **BODY)
    async def create(
        self,
        request: ApiRequest,
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
        note: Note = "",
    ) -> PlaybookPublished:
        """Publish the first version of a playbook that is not there yet."""

        async def write(session: Session) -> PlaybookPublished:
            playbook = await sound_document(request, session)
            author = Author(request.user.user_id, note)
            done = await begin_edit(session, clock.now(), playbook, Choices(), author, seen=0)
            return PlaybookPublished(key=playbook.key, version=done.version, is_new=done.is_new, runs={})

        return await write_once(request, database, clock, PlaybookPublished, write)

    @get("/{key:str}")
    async def show(self, key: FromPath[str], database: NamedDependency[Database]) -> Response[PlaybookDetail]:
        """Return one playbook with its current document; the ETag is what If-Match takes."""
        async with database.transaction() as session:
            found = PlaybookDetail.model_validate(await load_playbook_document(session, key))
        return Response(found, headers={"ETag": etag(found.current_version)})

    @get(
        "/{key:str}/document",
        media_type=YAML,
        responses={HTTP_200_OK: ResponseSpec(dict[str, Any], media_type=YAML, generate_examples=False)},
    )
    async def document(
        self, key: FromPath[str], database: NamedDependency[Database], version: FromQuery[int | None] = None
    ) -> Response[str]:
        """Return the document as YAML that publish takes unchanged; comments are not kept."""
        async with database.transaction() as session:
            found = await load_version(session, key, version)
        headers = {"ETag": etag(found.current)}
        return Response(write_yaml(found.playbook), media_type=YAML, headers=headers)

    @get("/{key:str}/versions")
    async def versions(
        self, key: FromPath[str], database: NamedDependency[Database]
    ) -> list[PlaybookVersion]:
        """List the versions, the newest first, with the open runs that follow each."""
        async with database.transaction() as session:
            return [PlaybookVersion.model_validate(row) for row in await list_versions(session, key)]

    @get("/{key:str}/versions/{version:int}")
    async def version(
        self, key: FromPath[str], version: FromPath[int], database: NamedDependency[Database]
    ) -> PlaybookVersionDetail:
        """Return one version with its document; to roll back, publish it again."""
        async with database.transaction() as session:
            found = await load_version(session, key, version)
        return PlaybookVersionDetail(key=key, version=found.version, document=plain(found.playbook))

    @post("/check", status_code=HTTP_200_OK, **BODY)
    async def check(self, request: ApiRequest, database: NamedDependency[Database]) -> PlaybookCheck:
        """Say everything that is wrong with a document; nothing is stored."""
        async with database.transaction() as session:
            playbook, problems = await check_document(request, session)
        told: list[Any] = [as_field(problem) for problem in problems]
        document = plain(playbook) if playbook is not None else None
        return PlaybookCheck(valid=playbook is not None, problems=told, document=document)

    @post("/{key:str}/plan", status_code=HTTP_200_OK, **BODY)
    async def plan(
        self,
        request: ApiRequest,
        key: FromPath[str],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> PlaybookPlan:
        """Say what publishing this document would change, and what that means for each open run."""
        async with database.transaction() as session:
            playbook = await sound_document(request, session, key)
            current = await find_current(session, key)
            preview = await preview_edit(session, PlaybookShelf(), playbook, clock.now())
        changes = differences(current.playbook, playbook) if current is not None else ()
        return PlaybookPlan.model_validate(
            {
                "key": key,
                "current_version": current.current if current is not None else 0,
                "is_new": current is None or bool(changes),
                "changes": [vars(change) for change in changes],
                **_told(preview),
            }
        )

    @post("/{key:str}/publish", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK, **BODY)
    async def publish(
        self,
        request: ApiRequest,
        key: FromPath[str],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
        asked: NamedDependency[Asked],
    ) -> PlaybookPublished:
        """Publish a document, new or edited. With If-Match, only if that version is still the current one."""
        seen = seen_version(request)

        async def write(session: Session) -> PlaybookPublished:
            playbook = await sound_document(request, session, key)
            author = Author(request.user.user_id, asked.note)
            done = await begin_edit(session, clock.now(), playbook, asked.choices, author, seen=seen)
            return PlaybookPublished(key=key, version=done.version, is_new=done.is_new, runs={})

        answer = await write_once(request, database, clock, PlaybookPublished, write)
        counts = await finish_edits(database, clock, key)
        newest = [*counts.values()][-1:]
        return answer.model_copy(update={"runs": newest[0] if newest else {}})

    @post("/{key:str}/archive", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def archive(
        self,
        request: ApiRequest,
        key: FromPath[str],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Playbook:
        """Open no more runs of it; those that are open go on."""

        async def write(session: Session) -> Playbook:
            await archive(session, key, clock.now())
            return Playbook.model_validate(await load_playbook(session, key))

        return await write_once(request, database, clock, Playbook, write)

    @post("/{key:str}/restore", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def restore(
        self,
        request: ApiRequest,
        key: FromPath[str],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Playbook:
        """Take an archived playbook back into use."""

        async def write(session: Session) -> Playbook:
            await archive(session, key, None)
            return Playbook.model_validate(await load_playbook(session, key))

        return await write_once(request, database, clock, Playbook, write)

    @post("/{key:str}/dry-run", opt=needs(Permission.READ_CUSTOMERS), status_code=HTTP_200_OK)
    async def dry_run(
        self,
        key: FromPath[str],
        data: JSONBody[TryOut],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Tried:
        """Say what would happen for one customer if a run opened now, when and why; nothing is done."""
        async with database.transaction() as session:
            found = await load_version(session, key, data.version)
            tried = await try_out(
                session, found.playbook, data.customer_id, assumptions_of(data), clock.now()
            )
        return _tried(tried)

    @post("/{key:str}/observe", opt=needs(Permission.RELEASE), status_code=HTTP_200_OK)
    async def observe(
        self,
        request: ApiRequest,
        key: FromPath[str],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Playbook:
        """Take the release of one playbook back: new runs are only planned."""

        async def write(session: Session) -> Playbook:
            await load_playbook(session, key)
            await observe_again(session, playbook_key=key)
            return Playbook.model_validate(await load_playbook(session, key))

        return await write_once(request, database, clock, Playbook, write)

    @post("/{key:str}/release", opt=needs(Permission.RELEASE), status_code=HTTP_200_OK)
    async def release(
        self,
        request: ApiRequest,
        key: FromPath[str],
        data: JSONBody[Release],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Playbook:
        """Let one playbook act from now on; what it has planned starts, at the rate given."""

        async def write(session: Session) -> Playbook:
            await load_playbook(session, key)
            now, wall = clock.now(), clock.wall_now()
            await release(session, now, wall, playbook_key=key, per_day=data.per_day)
            return Playbook.model_validate(await load_playbook(session, key))

        return await write_once(request, database, clock, Playbook, write)


def _told(preview: EditPreview) -> dict[str, Any]:
    return {
        "counts": {effect.value: count for effect, count in preview.counts.items()},
        "due_at_once": preview.due_at_once,
        "runs": [{**vars(line), **vars(line.impact)} for line in preview.lines],
    }


def assumptions_of(asked: TryOut) -> Assumptions:
    """Return what people are assumed to do."""
    names = ("task_done_after", "reply_after", "cause_gone_after")
    given = {name: getattr(asked, name) for name in names}
    return Assumptions(**{name: parse_duration(value) for name, value in given.items() if value})


def _tried(tried: DryRun) -> Tried:
    return Tried.model_validate(
        {
            "customer_id": tried.customer_id,
            "time_zone": tried.zone.key,
            "remarks": list(tried.remarks),
            "events": [{**vars(event), "local": tried.local(event)} for event in tried.events],
        }
    )
