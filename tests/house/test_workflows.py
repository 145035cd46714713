import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.repository import ROOT, files, name, tree

# The only file that may arm a timer: a negative or a forgotten one wedges a run.
WAITING = ROOT / "workflows" / "waiting.py"
TIMERS = {
    "asyncio.sleep",
    "asyncio.wait_for",
    "asyncio.timeout",
    "asyncio.timeout_at",
    "workflow.sleep",
    "time.sleep",
}
CLOCKS = {"datetime.now", "datetime.utcnow", "date.today", "time.time", "time.monotonic"}


def timers(module: ast.Module) -> Iterator[str]:
    """Each call in a workflow file that would arm a timer, as `line: call`."""
    names = {
        alias.asname or alias.name: f"{node.module.rpartition('.')[2]}.{alias.name}"
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
        written = ast.unparse(call.func)
        called = names.get(written, written)
        waits = called.endswith("wait_condition") and any(
            word.arg in {"timeout", None} for word in call.keywords
        )
        if called in TIMERS | {f"temporalio.{timer}" for timer in TIMERS} or waits:
            yield f"{call.lineno}: {ast.unparse(call)}"


def clocks(module: ast.Module) -> Iterator[str]:
    """Each reading of the machine's clock, which would differ on replay."""
    for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
        if ast.unparse(call.func).removeprefix("datetime.") in CLOCKS:
            yield f"{call.lineno}: {ast.unparse(call)}"


def workflow_files() -> list[Path]:
    return list(files("workflows/*.py"))


def test_only_waiting_arms_timers() -> None:
    armed = {name(path): list(timers(tree(path))) for path in workflow_files() if path != WAITING}
    assert {path: found for path, found in armed.items() if found} == {}


def test_workflows_never_read_the_clock_of_the_machine() -> None:
    read = {name(path): list(clocks(tree(path))) for path in workflow_files()}
    assert {path: found for path, found in read.items() if found} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import asyncio\nasyncio.sleep(1)",
        "from asyncio import sleep as nap\nnap(1)",
        "from temporalio import workflow\nworkflow.sleep(1)",
        "import temporalio.workflow\ntemporalio.workflow.sleep(1)",
        "workflow.wait_condition(lambda: True, timeout=1)",
        "from temporalio.workflow import wait_condition\nwait_condition(lambda: True, timeout=1)",
        "workflow.wait_condition(lambda: True, **options)",
        "asyncio.wait_for(x, 1)",
    ],
)
def test_the_rule_sees_a_timer_however_it_is_spelled(line: str) -> None:
    assert list(timers(ast.parse(line)))


def test_waiting_for_a_condition_without_a_timeout_arms_nothing() -> None:
    assert list(timers(ast.parse("workflow.wait_condition(lambda: True)"))) == []
