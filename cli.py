"""`everstay …`: parse, wire, delegate.

To add a command, add a module to workers/commands with a function `register(app)`; it is found by itself.
Import whatever is heavy inside the command, so that `everstay --help` stays quick.
"""

import importlib
import os
import pkgutil
import sys
import traceback

import typer

from domain.errors import EverstayError
from workers import commands

INTERRUPTED = 130  # as shells report an end by Ctrl-C


def build_app() -> typer.Typer:
    """Return the command line with every command of workers/commands."""
    app = typer.Typer(
        name="everstay",
        help="Durable customer retention: every customer has a workflow that never forgets.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_begin)
    for module in sorted(found.name for found in pkgutil.iter_modules(commands.__path__)):
        importlib.import_module(f"{commands.__name__}.{module}").register(app)
    return app


def _begin() -> None:
    """Keep secrets out of what any command logs."""
    from workers.logs import configure_console

    configure_console()


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; an expected error is one message, no traceback."""
    try:
        build_app()(args=arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except EverstayError as error:
        typer.echo(str(error), err=True)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - the last frame: report and turn it into an exit code
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    """Run, flush, and leave at once.

    A process that used the Temporal client may abort while the interpreter shuts down (temporalio's issue
    300), which would turn a success into exit code 134; leaving without that shutdown keeps the code true.
    """
    code = 1
    try:
        code = run(sys.argv[1:])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
