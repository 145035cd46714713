"""How far a training is: a bar on a terminal, a line per tenth anywhere else."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

STEP = 0.1


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """Yield what to tell: what is done, and the share of the whole."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("training", total=1.0)
        yield lambda what, share: bar.update(task, completed=share, description=what)


def _lines(console: Console) -> Callable[[str, float], None]:
    told = -STEP

    def tell(what: str, share: float) -> None:
        nonlocal told
        if share >= told + STEP or share >= 1:
            told = share
            console.print(f"{share:4.0%}  {what}")

    return tell
