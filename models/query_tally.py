"""How many statements a request sent to Postgres, and how long it waited for them: counted, not guessed."""

import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event


@dataclass
class QueryTally:
    """The statements of one request, and the milliseconds waited for them."""

    queries: int = 0
    milliseconds: float = 0.0


_current: ContextVar[QueryTally | None] = ContextVar("query_tally", default=None)


def begin_tally() -> QueryTally:
    """Count what this task and the tasks that it starts send, from now on."""
    tally = QueryTally()
    _current.set(tally)
    return tally


def watch(engine: Engine) -> None:
    """Let an engine report its statements to the tally of whoever sends them."""
    event.listen(engine, "before_cursor_execute", _before)
    event.listen(engine, "after_cursor_execute", _after)


def _before(_connection: Any, _cursor: Any, _statement: Any, _values: Any, context: Any, _many: Any) -> None:
    context.everstay_began = time.perf_counter()


def _after(_connection: Any, _cursor: Any, _statement: Any, _values: Any, context: Any, _many: Any) -> None:
    tally = _current.get()
    if tally is not None:
        tally.queries += 1
        tally.milliseconds += (time.perf_counter() - context.everstay_began) * 1000
