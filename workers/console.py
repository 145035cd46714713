"""What commands that talk to the database share: one transaction, and passwords that nobody sees."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from models.database import Database, Session
from models.passwords import check_password_rules, generate_password
from settings import Settings, load_settings
from workers.embedded.runtime import locate

Result = TypeVar("Result")


def located_settings() -> Settings:
    """Return the settings with the address of the database; says the fix when the stack does not run."""
    settings = load_settings()
    return settings if settings.database_url is not None else locate(settings)


def in_transaction(settings: Settings, work: Callable[[Session], Awaitable[Result]]) -> Result:
    """Do the work in one transaction of its own connection."""
    return asyncio.run(_in_transaction(settings, work))


async def _in_transaction(settings: Settings, work: Callable[[Session], Awaitable[Result]]) -> Result:
    database = Database(settings.database_url or "", pool_size=1)
    try:
        async with database.transaction() as session:
            return await work(session)
    finally:
        await database.close()


def read_password(*, generate: bool, from_stdin: bool) -> tuple[str, bool]:
    """Return a password, and whether we made it: read, asked for, or without a terminal generated."""
    if from_stdin:
        password, is_ours = sys.stdin.readline().rstrip("\r\n"), False
    elif generate or not sys.stdin.isatty():
        password, is_ours = generate_password(), True
    else:
        password, is_ours = typer.prompt("Password", hide_input=True, confirmation_prompt=True), False
    check_password_rules(password)
    return password, is_ours


@contextmanager
def steps(title: str) -> Iterator[Callable[[str, float], None]]:
    """Draw one bar on standard error meanwhile; call what is yielded with what is done, and its share."""
    columns = (TextColumn(title), BarColumn(), TextColumn("{task.percentage:>3.0f} %  {task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=1.0)

        def step(what: str, share: float) -> None:
            progress.update(task, description=what, completed=share)

        yield step
