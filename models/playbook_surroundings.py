"""The names around a playbook: templates on disk, signals of the tenant's own, and what others may add."""

from pathlib import Path

from sqlalchemy import select

from domain.own_steps import OwnSteps
from domain.playbook import Playbook
from domain.playbook_checks import Checker, Surroundings, check_playbook
from domain.playbook_problems import PlaybookDocumentError, Problem, read_playbook, with_lines
from models.database import Session
from models.own_signals import list_own_signals
from models.playbook_yaml import read_yaml
from models.tables.endpoints import WebhookEndpointRow

TEMPLATES = Path(__file__).resolve().parent.parent / "playbooks" / "templates"


def templates_in(folder: Path) -> frozenset[str] | None:
    """Return the message templates of a folder, None where there is no such folder."""
    return frozenset(path.parent.name for path in folder.glob("*/subject.txt")) or None


async def load_surroundings(
    session: Session, own_steps: OwnSteps | None, folder: Path = TEMPLATES
) -> Surroundings:
    """Return what this installation has; its own steps are known to whoever has looked for packages."""
    own = frozenset(document.key for document, _read in await list_own_signals(session))
    endpoints = frozenset(await session.scalars(select(WebhookEndpointRow.key)))
    return Surroundings(templates_in(folder), endpoints, own_steps, own)


def check_text(
    text: str, around: Surroundings, *more: Checker
) -> tuple[Playbook | None, tuple[Problem, ...]]:
    """Return the playbook of a text if it has no errors, and every problem with its line."""
    playbook, problems, lines = read_yaml(text)
    if playbook is not None:
        problems = with_lines(check_playbook(playbook, around, *more), lines)
    has_errors = any(problem.level == "error" for problem in problems)
    return (None if has_errors else playbook), problems


def sound(text: str, around: Surroundings, name: str = "document", *more: Checker) -> Playbook:
    """Return the playbook of a text; raises PlaybookDocumentError with every error in it."""
    playbook, problems = check_text(text, around, *more)
    if playbook is None:
        errors = [problem for problem in problems if problem.level == "error"]
        raise PlaybookDocumentError(name, errors)
    return playbook


def check_data(
    data: object, around: Surroundings, *more: Checker
) -> tuple[Playbook | None, tuple[Problem, ...]]:
    """Do the same for a document that came as plain data, which has no lines."""
    playbook, problems = read_playbook(data)
    if playbook is not None:
        problems = check_playbook(playbook, around, *more)
    has_errors = any(problem.level == "error" for problem in problems)
    return (None if has_errors else playbook), problems
