"""What the benchmarks' own stacks share: some children of the whole stack, served until they are stopped."""

import asyncio
import os
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from domain.errors import EverstayError
from settings import Settings, load_settings
from workers.embedded.children import ChildSpec
from workers.embedded.stack import run_stack

QUIET = {"EVERSTAY_LOG_LEVEL": "warning"}


def alone(spec: ChildSpec, needed: Collection[str], environment: Mapping[str, str] = QUIET) -> ChildSpec:
    """Return a child that waits for no other than the needed ones."""
    needs = tuple(name for name in spec.depends_on if name in needed)
    return replace(spec, depends_on=needs, environment={**spec.environment, **environment})


def serve(children: Callable[[Settings], tuple[ChildSpec, ...]]) -> None:
    """Run a stack of these children as the process's whole life; ends the process."""
    code = 0
    try:
        asyncio.run(run_stack(load_settings(), _say, auto_ports=True, children=children))
    except EverstayError as error:
        sys.stderr.write(f"{error}\n")
        code = error.exit_code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # as the command line itself does


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
