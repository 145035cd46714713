"""Files in the browser: dropped, their columns mapped, checked, imported with live progress, taken back."""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template
from pydantic import ValidationError

from api.guards import needs
from api.resources.uploads import LARGEST_BODY
from api.upload_checks import UploadChecks
from api.uploads import UploadDesk, profiles, yaml_of
from api.web import data_words
from api.web.desk import DESK, Desk
from api.web.query import text
from domain.errors import EverstayError, InvalidInputError
from domain.mapping_draft import Choices, problems
from domain.mapping_guess import guess_fields
from domain.mapping_targets import KIND_LABELS, TARGETS
from domain.permissions import Permission
from models.uploads import SavedMapping, Upload, list_mappings, list_uploads, same_content
from models.views.data import ImportLine, load_imports

WRITE = needs(Permission.WRITE_IMPORTS)
Form = Mapping[str, object]


class UploadPageController(Controller):
    """The way of one file."""

    path = "/data/uploads"
    dependencies = DESK
    include_in_schema = False
    opt = WRITE

    @get("/")
    async def show_drop(self, desk: NamedDependency[Desk]) -> Template:
        """Show where to drop a file, and the files of before."""
        return await _drop_page(desk)

    @post("/", request_max_body_size=LARGEST_BODY)
    async def receive(
        self, desk: NamedDependency[Desk], upload_desk: NamedDependency[UploadDesk]
    ) -> Response[None] | Template:
        """Take a file; what is wrong with it is said where it was dropped."""
        file = (await desk.request.form()).get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return await _drop_page(desk, "Choose a file first.")
        try:
            upload = await upload_desk.receive(file, desk.user.id, desk.wall)
        except EverstayError as error:
            return await _drop_page(desk, str(error))
        return desk.go(f"/data/uploads/{upload.id}")

    @get("/{upload_id:uuid}")
    async def show(
        self,
        desk: NamedDependency[Desk],
        upload_id: FromPath[uuid.UUID],
        upload_desk: NamedDependency[UploadDesk],
        upload_checks: NamedDependency[UploadChecks],
    ) -> Template:
        """Show where the file is on its way: columns, check, import, or what was taken back."""
        is_checking = upload_checks.is_under_way(upload_id)  # before the load: it may end
        upload = await upload_desk.load(upload_id)
        edits = upload.state == "mapping" or (text(desk.query, "edit") == "1" and upload.state == "previewed")
        if edits:
            return await _columns_page(desk, upload, _choices(upload, text(desk.query, "kind")))
        return await _way_page(desk, upload, is_checking=is_checking)

    @post("/{upload_id:uuid}/columns")
    async def choose(
        self,
        desk: NamedDependency[Desk],
        upload_id: FromPath[uuid.UUID],
        upload_desk: NamedDependency[UploadDesk],
        upload_checks: NamedDependency[UploadChecks],
    ) -> Response[None] | Template:
        """Take what the columns mean and begin the check; what lacks is said above the columns."""
        upload = await upload_desk.load(upload_id)
        form = await desk.request.form()
        try:
            choices = choices_in(upload, form)
            chosen = await upload_desk.choose(upload_id, choices)
        except InvalidInputError as error:
            told = str(error.details.get("reason") or error)
            return await _columns_page(desk, upload, _lenient(upload, form), told)
        upload_checks.begin(chosen, desk.now)
        return desk.go(f"/data/uploads/{upload_id}")

    @post("/{upload_id:uuid}/{act:str}")
    async def act(
        self,
        desk: NamedDependency[Desk],
        upload_id: FromPath[uuid.UUID],
        act: FromPath[str],
        upload_desk: NamedDependency[UploadDesk],
        upload_checks: NamedDependency[UploadChecks],
    ) -> Response[None]:
        """Check again, import, save the mapping, undo, or discard."""
        form = await desk.request.form()
        try:
            said = await _act(desk, upload_id, act, form, upload_desk, upload_checks)
        except EverstayError as error:
            return desk.go(f"/data/uploads/{upload_id}?{urlencode({'problem': str(error)})}")
        if act == "discard":
            return desk.go("/data/uploads")
        return desk.go(f"/data/uploads/{upload_id}" + (f"?{urlencode({'said': said})}" if said else ""))

    @get("/{upload_id:uuid}/mapping.yaml", media_type="application/yaml")
    async def download(
        self, upload_id: FromPath[uuid.UUID], upload_desk: NamedDependency[UploadDesk]
    ) -> Response[str]:
        """Hand out the mapping as a file for `everstay import --mapping`."""
        upload = await upload_desk.load(upload_id)
        headers = {"Content-Disposition": 'attachment; filename="mapping.yaml"'}
        return Response(yaml_of(upload), media_type="application/yaml", headers=headers)


async def _act(
    desk: Desk, upload_id: uuid.UUID, act: str, form: Form, uploads: UploadDesk, checks: UploadChecks
) -> str:
    if act == "check":
        checks.begin(await uploads.load(upload_id), desk.now)
    elif act == "import":
        checks.give_up(upload_id)
        await uploads.start(upload_id, desk.wall, again=form.get("again") == "1")
    elif act == "save":
        name = " ".join(str(form.get("name") or "").split())[:80]
        if not name:
            raise InvalidInputError(field="name", reason="give the mapping a name")
        await uploads.save(upload_id, name, desk.user.id, desk.wall)
        return f"Saved as “{name}”: the next file with these columns is mapped by it."
    elif act == "undo":
        await uploads.undo(upload_id)
    elif act == "discard":
        checks.give_up(upload_id)
        await uploads.discard(upload_id)
    else:
        raise InvalidInputError(field="act", reason=f"there is no {act!r}")
    return ""


def choices_in(upload: Upload, form: Form) -> Choices:
    """Return what the form says; raises InvalidInputError."""
    try:
        return Choices.model_validate(_told(upload, form))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = f"{first['loc'][0]}: {first['msg']}"
        raise InvalidInputError(field="columns", reason=reason) from None


def _told(upload: Upload, form: Form) -> dict[str, Any]:
    fields, forms = {}, {}
    for place, column in enumerate(upload.columns):
        field = str(form.get(f"field-{place}") or "")
        form_of = str(form.get(f"form-{place}") or "")
        if field:
            fields[str(column["name"])] = field
        if form_of in {*column["forms"], *column["rivals"]}:
            forms[str(column["name"])] = form_of
    return {
        "kind": str(form.get("kind") or ""),
        "fields": fields,
        "forms": forms,
        "currency": str(form.get("currency") or "USD").strip().upper(),
        "time_zone": str(form.get("time_zone") or "UTC").strip(),
    }


def _lenient(upload: Upload, form: Form) -> Choices:
    """Return what the form says as far as it can be shown again."""
    told = _told(upload, form)
    told["kind"] = told["kind"] if told["kind"] in KIND_LABELS else upload.details["kind"]
    return Choices.model_construct(None, **told)


def _choices(upload: Upload, kind: str) -> Choices:
    """Return what was chosen, or, for another kind, what we would choose."""
    kept = Choices.model_validate(upload.choices)
    if kind not in KIND_LABELS or kind == kept.kind:
        return kept
    fields = {name: one.field for name, one in guess_fields(kind, profiles(upload)).items()}
    return kept.model_copy(update={"kind": kind, "fields": fields})


async def _drop_page(desk: Desk, problem: str = "") -> Template:
    async with desk.reading() as session:
        uploads = await list_uploads(session, limit=20)
        saved = await list_mappings(session)
    context = {"uploads": [one for one in uploads if one.state != "discarded"], "saved": saved}
    largest = desk.settings.upload_megabytes
    return desk.page("upload.html", problem=problem, said=data_words, largest=largest, **context)


async def _columns_page(desk: Desk, upload: Upload, choices: Choices, problem: str = "") -> Template:
    columns = profiles(upload)
    async with desk.reading():
        pass
    return desk.page(
        "upload_columns.html",
        upload=upload,
        choices=choices,
        columns=columns,
        guesses=guess_fields(choices.kind, columns),
        targets=TARGETS[choices.kind],
        kinds=KIND_LABELS,
        lacking=[problem] if problem else problems(choices, columns),
        is_refused=bool(problem),
        said=data_words,
    )


async def _way_page(desk: Desk, upload: Upload, *, is_checking: bool) -> Template:
    run: ImportLine | None = None
    async with desk.reading() as session:
        if upload.import_run_id is not None:
            run = next(iter(await load_imports(session, upload.import_run_id)), None)
        twins = await same_content(session, upload) if upload.state == "previewed" else []
        saved: list[SavedMapping] = await list_mappings(session)
    return desk.page(
        "upload_way.html",
        upload=upload,
        run=run,
        twins=twins,
        saved=[one.name for one in saved],
        yaml=yaml_of(upload) if upload.mapping is not None else "",
        is_checking=is_checking,
        kinds=KIND_LABELS,
        said=data_words,
        flash=text(desk.query, "said", 200),
        problem=text(desk.query, "problem", 400),
    )
