"""What `everstay playbook` does."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from domain.dry_run import Assumptions
from domain.durations import parse_duration
from domain.edit_impact import Choices, Effect, OnOpen
from domain.errors import InvalidInputError
from domain.playbook import Playbook
from domain.playbook_checks import Surroundings
from domain.playbook_diff import differences
from domain.playbook_problems import PlaybookDocumentError, Problem
from domain.ports import Clock
from integrations.own_step_packages import find_own_steps
from models.clock import open_clock
from models.database import Database
from models.dry_runs import try_out
from models.installation import release
from models.playbook_edits import preview_edit, publish_edit
from models.playbook_surroundings import TEMPLATES, check_text, load_surroundings, sound, templates_in
from models.playbook_yaml import write_yaml
from models.playbooks import Author, PlaybookShelf
from models.resources.playbooks import archive, find_current, find_customer, list_versions, load_version
from settings import Settings

Document = dict[str, Any]


def files_at(places: Sequence[Path]) -> list[Path]:
    """Return the files that were named, and those in folders that were."""
    found = [
        file for place in places for file in (sorted(place.glob("*.yaml")) if place.is_dir() else [place])
    ]
    if not found:
        raise InvalidInputError(field="FILE", reason="there is no YAML file at that place")
    return found


def read_text(file: Path) -> str:
    """Return a file's text; raises PlaybookDocumentError where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not written in UTF-8"
        raise PlaybookDocumentError(file.name, [Problem((), reason)]) from None


def check_files(places: Sequence[Path]) -> tuple[list[str], bool]:
    """Return a line per problem, or per file without one, and whether any is an error."""
    around = Surroundings(templates=templates_in(TEMPLATES))
    lines, has_errors = [], False
    for file in files_at(places):
        playbook, problems = check_text(read_text(file), around)
        has_errors = has_errors or playbook is None
        lines += [f"{file}:{one.line or 1}: {one.level}: {_words(one)}" for one in problems]
        lines += [f"{file}: {playbook.key} is valid"] if playbook is not None else []
    return lines, has_errors


def _words(problem: Problem) -> str:
    return f"{problem.where}: {problem.message}{f' ({problem.hint})' if problem.hint else ''}"


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Database, Clock]]:
    database = Database(settings.database_url or "", pool_size=2)
    try:
        yield database, await open_clock(database)
    finally:
        await database.close()


async def plan_files(settings: Settings, place: Path) -> Document:
    """Return what applying each document would do."""
    async with _opened(settings) as (database, clock), database.transaction() as session:
        around = await load_surroundings(session, find_own_steps())
        plans = []
        for file in files_at([place]):
            playbook = sound(read_text(file), around, file.name)
            current = await find_current(session, playbook.key)
            preview = await preview_edit(session, PlaybookShelf(), playbook, clock.now())
            changes = differences(current.playbook, playbook) if current is not None else ()
            plans.append(
                {
                    "file": str(file),
                    "key": playbook.key,
                    "current_version": current.version if current is not None else 0,
                    "changes": [vars(change) for change in changes],
                    "runs": {effect.value: count for effect, count in preview.counts.items()},
                    "due_at_once": preview.due_at_once,
                }
            )
    return {"plans": plans}


def shown_plans(told: Document) -> str:
    """Return plans as text."""
    return "\n".join(line for plan in told["plans"] for line in _plan(plan))


SIGNS = {"added": "+", "removed": "-", "changed": "~", "retimed": "~"}


def _plan(plan: Document) -> list[str]:
    if not plan["current_version"]:
        return [f"{plan['key']}: new playbook"]
    if not plan["changes"]:
        return [f"{plan['key']}: version {plan['current_version']} says the same; nothing to do"]
    runs = ", ".join(f"{count} {name}" for name, count in plan["runs"].items() if count) or "none"
    return [
        f"{plan['key']}: version {plan['current_version']} → {plan['current_version'] + 1}",
        *(f"  {SIGNS[change['kind']]} {change['sentence']}" for change in plan["changes"]),
        f"  open runs: {runs}",
        *([f"  {plan['due_at_once']} waits would end at once"] if plan["due_at_once"] else []),
    ]


def choices_of(on_open: str, by_effect: Sequence[str]) -> Choices:
    """Return what becomes of open runs; raises InvalidInputError for a word that is none of the choices."""
    pairs = [one.partition("=") for one in by_effect]
    unknown = [name for name, _, _ in pairs if name not in set(Effect)]
    if unknown:
        raise InvalidInputError(
            field="--where", reason=f"effects are {', '.join(Effect)}, not {unknown[0]!r}"
        )
    given = {Effect(name): _choice(name, value) for name, _, value in pairs}
    return Choices(_choice("on-open", on_open), given)


def _choice(name: str, value: str) -> OnOpen:
    if value not in set(OnOpen):
        raise InvalidInputError(field=f"--{name}", reason=f"it is one of {', '.join(OnOpen)}")
    return OnOpen(value)


async def apply_files(settings: Settings, place: Path, choices: Choices, note: str) -> Document:
    """Publish each document; all are read before the first is published."""
    async with _opened(settings) as (database, clock):
        async with database.transaction() as session:
            around = await load_surroundings(session, find_own_steps())
        documents = [sound(read_text(file), around, file.name) for file in files_at([place])]
        done = [await _apply(database, clock, one, choices, note) for one in documents]
    return {"applied": done}


async def _apply(
    database: Database, clock: Clock, document: Playbook, choices: Choices, note: str
) -> Document:
    published, runs = await publish_edit(database, clock, document, choices, Author(note=note))
    return {"key": published.key, "version": published.version, "is_new": published.is_new, "runs": runs}


def shown_applied(told: Document) -> str:
    """Return what was published as text."""
    return "\n".join(_applied(one) for one in told["applied"])


def _applied(one: Document) -> str:
    if not one["is_new"]:
        return f"{one['key']}: version {one['version']} says the same; nothing done"
    runs = ", ".join(f"{count} {name}" for name, count in one["runs"].items())
    return f"{one['key']}: published version {one['version']}{f'; open runs: {runs}' if runs else ''}"


async def export_one(settings: Settings, key: str, version: int | None) -> Document:
    """Return a version's YAML."""
    async with _opened(settings) as (database, _clock), database.transaction() as session:
        return {"yaml": write_yaml((await load_version(session, key, version)).playbook)}


async def list_of_versions(settings: Settings, key: str) -> Document:
    """Return every version."""
    async with _opened(settings) as (database, _clock), database.transaction() as session:
        return {"versions": [dict(row) for row in await list_versions(session, key)]}


def shown_versions(told: Document) -> str:
    """Return versions as text."""
    return "\n".join(
        f"{'*' if one['is_current'] else ' '} {one['version']:>3}  {one['published_at']:%Y-%m-%d %H:%M}  "
        f"{one['open_runs']} open  {one['published_by'] or one['origin']}  {one['note']}".rstrip()
        for one in told["versions"]
    )


async def archive_one(settings: Settings, key: str, *, archived: bool) -> Document:
    """Archive a playbook or take it back."""
    async with _opened(settings) as (database, clock), database.transaction() as session:
        await archive(session, key, clock.now() if archived else None)
    said = "is archived: it opens no more runs; open ones go on" if archived else "is in use again"
    return {"said": f"{key} {said}."}


async def release_one(settings: Settings, key: str) -> Document:
    """Release a playbook."""
    async with _opened(settings) as (database, clock), database.transaction() as session:
        await load_version(session, key)
        told = await release(session, clock.now(), clock.wall_now(), playbook_key=key)
    return {"said": f"{key} is released; {told} customers with a run hear of it."}


async def try_one(settings: Settings, key: str, customer: str, spans: Mapping[str, str | None]) -> Document:
    """Return the story of a run that is not opened."""
    assumed = Assumptions(**{name: _span(name, value) for name, value in spans.items() if value})
    async with _opened(settings) as (database, clock), database.transaction() as session:
        found = await load_version(session, key)
        customer_id = await find_customer(session, customer)
        tried = await try_out(session, found.playbook, customer_id, assumed, clock.now())
    return {
        "customer": tried.customer,
        "time_zone": tried.zone.key,
        "remarks": list(tried.remarks),
        "events": [{**vars(event), "local": tried.local(event)} for event in tried.events],
    }


def _span(name: str, value: str) -> Any:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise InvalidInputError(field=f"--{name.replace('_', '-')}", reason=str(error)) from None


def shown_try(told: Document) -> str:
    """Return a story as text."""
    return "\n".join(
        [
            f"{told['customer']}, times in {told['time_zone']}. Nothing was done.",
            *told["remarks"],
            *(
                f"{one['local']}  {one['sentence']}{f' ({why})' if (why := one['why']) else ''}"
                for one in told["events"]
            ),
        ]
    )
