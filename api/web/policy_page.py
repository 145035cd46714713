"""A page on which a policy is read, tried and changed: the same for each that is a form of fields."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar, cast

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.response import Response, Template
from litestar.status_codes import HTTP_200_OK, HTTP_409_CONFLICT, HTTP_422_UNPROCESSABLE_ENTITY
from pydantic import BaseModel, ValidationError

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.policy_changes import say_changes
from api.web.policy_fields import Cells, Field, Group, Kind, read_document, written_cells
from api.web.policy_problems import WHOLE, problems_in, repeated_names
from api.web.query import text
from domain.errors import ConflictError, EverstayError
from domain.permissions import Permission
from models.changes import announce_change
from models.database import Session
from models.policies import PolicyChange, hold_seen_policy, load_policy_change

Policy = TypeVar("Policy", bound=BaseModel)


@dataclass(frozen=True)
class Sample:
    """What the policy would do in one imagined case, as a table."""

    title: str
    lead: str
    rows: Sequence[tuple[str, str]]
    """When, and what."""


@dataclass(frozen=True)
class PolicyPage(Generic[Policy]):
    """What one policy is, and what its page says of it."""

    title: str
    lead: str
    place: str
    back: tuple[str, str]
    """The page that one comes from: its address and its name."""
    docs: str
    """The chapter of the documentation that tells the rules."""
    key: str
    model: type[Policy]
    groups: tuple[Group, ...]
    saved: str
    """For whom it holds once it is saved."""
    broken: type[EverstayError]
    """What `load` raises where nobody can read what is stored."""
    load: Callable[[Session], Awaitable[Policy]]
    save: Callable[..., Awaitable[None]]
    samples: Callable[[Policy, Desk], list[Sample]]

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every field of every group."""
        return tuple(field for group in self.groups for field in group.fields)

    def cells(self, policy: Policy) -> dict[str, str]:
        """Return a policy as the form's cells."""
        return written_cells(self.fields, policy.model_dump(mode="json", by_alias=True))

    def read(self, cells: Cells) -> "Read[Policy]":
        """Return the policy that a form describes, or what is wrong with it."""
        problems = repeated_names(self.fields, cells)
        try:
            wanted = self.model.model_validate(read_document(self.fields, cells))
        except ValidationError as error:
            return Read(None, problems | problems_in(self.fields, cells, error))
        return Read(None if problems else wanted, problems)


@dataclass(frozen=True)
class Read(Generic[Policy]):
    """What a form came to."""

    policy: Policy | None
    problems: Mapping[str, str]


@dataclass(frozen=True)
class Standing(Generic[Policy]):
    """What is in force. `problem` says why nobody can read it; then `policy` is the default."""

    policy: Policy
    change: PolicyChange | None
    problem: str = ""

    @classmethod
    async def load(cls, session: Session, page: PolicyPage[Policy]) -> Self:
        """Read it."""
        change = await load_policy_change(session, page.key)
        try:
            return cls(await page.load(session), change)
        except page.broken as error:
            return cls(page.model(), change, str(error))


class PolicyController(Controller):
    """Read by everyone who sees customers, changed by those who may edit policies; each names its own."""

    dependencies = DESK
    include_in_schema = False
    policy_page: PolicyPage[Any]

    @get("/", opt=needs(Permission.READ_CUSTOMERS))
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show what is in force, as a form where it may be changed."""
        async with desk.reading() as session:
            standing = await Standing.load(session, self.policy_page)
        return _page(desk, self.policy_page, standing, self.policy_page.cells(standing.policy))

    @post("/preview", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def preview(self, desk: NamedDependency[Desk]) -> Template:
        """Say what the form would change, and keep nothing."""
        cells = dict(await desk.request.form())
        async with desk.reading() as session:
            standing = await Standing.load(session, self.policy_page)
        read = self.policy_page.read(cells)
        return _page(desk, self.policy_page, standing, cells, read, is_tried=True)

    @post("/", opt=needs(Permission.EDIT_POLICIES))
    async def save(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """Put what the form says in force, or show it again with what is wrong."""
        page, cells = self.policy_page, dict(await desk.request.form())
        read = Read(page.model(), {}) if cells.get("reset") else page.read(cells)
        if read.policy is None:
            return await self._again(desk, cells, read, HTTP_422_UNPROCESSABLE_ENTITY)
        try:
            async with desk.database.transaction() as session:
                await hold_seen_policy(session, page.key, str(cells.get("mark") or ""))
                await page.save(session, read.policy, desk.user.id, desk.now)
                await announce_change(session)
        except ConflictError as error:
            return await self._again(desk, cells, Read(None, {WHOLE: str(error)}), HTTP_409_CONFLICT)
        return cast("Response[Any]", desk.go(f"{page.place}?said=Saved."))

    async def _again(self, desk: Desk, cells: Cells, read: Read[Any], status: int) -> Response[Any]:
        async with desk.reading() as session:
            standing = await Standing.load(session, self.policy_page)
        shown = _page(desk, self.policy_page, standing, cells, read)
        shown.status_code = status
        return shown


def _page(
    desk: Desk,
    page: PolicyPage[Any],
    standing: Standing[Any],
    cells: Cells,
    read: Read[Any] | None = None,
    *,
    is_tried: bool = False,
) -> Template:
    problems = read.problems if read is not None else {}
    wanted = read.policy if read is not None else None
    in_force = page.cells(standing.policy)
    return desk.page(
        "policy.html",
        page=page,
        kinds=Kind,
        cells=cells,
        standing=standing,
        problems=problems,
        labels=_labels(page.fields, cells),
        changes=say_changes(page.fields, in_force, cells) if is_tried and wanted is not None else None,
        samples=page.samples(wanted or standing.policy, desk),
        is_default=standing.change is None or standing.policy == page.model(),
        flash=f"Saved. {page.saved}" if text(desk.query, "said", 10) else "",
    )


def _labels(fields: Sequence[Field], cells: Cells) -> dict[str, str]:
    """Return the label of every control, also of those in rows."""
    found = {field.name: field.label for field in fields}
    for field in fields:
        for place in field.places(cells) if field.kind is Kind.ROWS else ():
            found |= {
                field.at(place, cell): f"{field.label}, row {place + 1}: {cell.label}" for cell in field.cells
            }
    return found
