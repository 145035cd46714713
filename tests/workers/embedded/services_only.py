"""`everstay up` with Postgres and Temporal alone, as a program that tests start and kill."""

import asyncio
import os
import sys

from domain.errors import EverstayError
from settings import load_settings
from workers.embedded.parts import services
from workers.embedded.stack import run_stack


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    code = 0
    try:
        asyncio.run(run_stack(load_settings(), say, children=services))
    except EverstayError as error:
        sys.stderr.write(f"{error}\n")
        code = error.exit_code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
