"""`/api/uploads`: files as the page takes them: dropped, mapped, checked, imported, taken back."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from litestar import Controller, delete, get, post, put
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, MultipartBody
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from api.guards import needs
from api.resources import data_shapes as shapes
from api.resources.pages import STATE, ApiRequest
from api.upload_checks import UploadChecks
from api.uploads import UploadDesk, yaml_of
from domain.mapping_draft import Choices
from domain.permissions import Permission
from models.clock import StoredClock
from models.database import Database
from models.uploads import list_mappings, list_uploads

LARGEST_BODY = 1_100_000_000
"""Of the request; the setting for the file itself is lower."""


@dataclass(frozen=True)
class FileForm:
    """A form with one file."""

    file: UploadFile


def shown(upload: object) -> shapes.Upload:
    """Return an upload on the wire."""
    return shapes.Upload.model_validate(upload, from_attributes=True)


class UploadController(Controller):
    """Uploaded files."""

    path = "/uploads"
    opt = needs(Permission.WRITE_IMPORTS)
    tags = ["Data"]  # noqa: RUF012  as Litestar declares it

    @post("/", request_max_body_size=LARGEST_BODY)
    async def receive(
        self,
        request: ApiRequest,
        data: MultipartBody[FileForm],
        upload_desk: NamedDependency[UploadDesk],
        clock: NamedDependency[StoredClock],
    ) -> shapes.Upload:
        """Take a CSV or Parquet file and say what its columns seem to mean."""
        return shown(await upload_desk.receive(data.file, request.user.user_id, clock.wall_now()))

    @get("/")
    async def list_(
        self, database: NamedDependency[Database], states: Annotated[list[str] | None, STATE] = None
    ) -> shapes.Uploads:
        """List the newest uploads."""
        async with database.transaction() as session:
            found = await list_uploads(session, states or [])
        return shapes.Uploads(items=[shown(upload) for upload in found])

    @get("/{upload_id:uuid}")
    async def show(
        self, upload_id: FromPath[uuid.UUID], upload_desk: NamedDependency[UploadDesk]
    ) -> shapes.Upload:
        """Return one upload; while it is checked, `checked` says how far that is."""
        return shown(await upload_desk.load(upload_id))

    @put("/{upload_id:uuid}/mapping")
    async def choose(
        self,
        upload_id: FromPath[uuid.UUID],
        data: JSONBody[Choices],
        upload_desk: NamedDependency[UploadDesk],
        upload_checks: NamedDependency[UploadChecks],
        clock: NamedDependency[StoredClock],
    ) -> shapes.Upload:
        """Say what the columns mean; then the whole file is checked without storing anything."""
        upload = await upload_desk.choose(upload_id, data)
        upload_checks.begin(upload, clock.now())
        return shown(upload)

    @get("/{upload_id:uuid}/mapping", media_type="application/yaml")
    async def mapping(self, upload_id: FromPath[uuid.UUID], upload_desk: NamedDependency[UploadDesk]) -> str:
        """Return the mapping as YAML, for `everstay import --mapping`."""
        return yaml_of(await upload_desk.load(upload_id))

    @post("/{upload_id:uuid}/import", status_code=HTTP_202_ACCEPTED)
    async def start(
        self,
        upload_id: FromPath[uuid.UUID],
        data: JSONBody[shapes.StartImport],
        upload_desk: NamedDependency[UploadDesk],
        upload_checks: NamedDependency[UploadChecks],
        clock: NamedDependency[StoredClock],
    ) -> shapes.Upload:
        """Import the file; asking again for one that is under way is refused."""
        upload_checks.give_up(upload_id)
        return shown(await upload_desk.start(upload_id, clock.wall_now(), again=data.again))

    @post("/{upload_id:uuid}/undo", status_code=HTTP_202_ACCEPTED)
    async def undo(
        self, upload_id: FromPath[uuid.UUID], upload_desk: NamedDependency[UploadDesk]
    ) -> shapes.Upload:
        """Take back what the upload alone told; `undo` says what went and what stays."""
        return shown(await upload_desk.undo(upload_id))

    @post("/{upload_id:uuid}/save", status_code=HTTP_200_OK)
    async def save(
        self,
        request: ApiRequest,
        upload_id: FromPath[uuid.UUID],
        data: JSONBody[shapes.SaveMapping],
        upload_desk: NamedDependency[UploadDesk],
        clock: NamedDependency[StoredClock],
    ) -> shapes.SavedMapping:
        """Keep what was chosen under a name; the next file with these columns is mapped by it."""
        saved = await upload_desk.save(upload_id, data.name, request.user.user_id, clock.wall_now())
        return shapes.SavedMapping.model_validate(saved, from_attributes=True)

    @delete("/{upload_id:uuid}")
    async def discard(
        self,
        upload_id: FromPath[uuid.UUID],
        upload_desk: NamedDependency[UploadDesk],
        upload_checks: NamedDependency[UploadChecks],
    ) -> None:
        """Forget a file that was not imported."""
        upload_checks.give_up(upload_id)
        await upload_desk.discard(upload_id)


@get("/mappings", opt=needs(Permission.READ_IMPORTS), tags=["Data"])
async def saved_mappings(database: NamedDependency[Database]) -> shapes.SavedMappings:
    """List the choices that were saved under a name."""
    async with database.transaction() as session:
        found = await list_mappings(session)
    return shapes.SavedMappings.model_validate({"items": found}, from_attributes=True)
