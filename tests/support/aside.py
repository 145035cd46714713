"""Asynchronous work from a synchronous test, beside the loop that Playwright keeps in its thread."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def aside(work: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
    """Run it to its end in a thread and a loop of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()
