"""The order of commands in each workflow, read from its source: what a replay depends on.

Every call that can become a command, and every call of an own method that leads to one, in source order.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "execute_activity_method",
    "execute_activity",
    "execute_local_activity_method",
    "start_activity_method",
    "start_child_workflow",
    "execute_child_workflow",
    "upsert_search_attributes",
    "upsert_memo",
    "continue_as_new",
    "signal",
    "cancel",
    "sleep",
    "wait_until",
    "wait_condition",
    "create_task",
    "gather",
    "patched",
    "deprecate_patch",
    "uuid4",
    "random",
}
Fingerprint = dict[str, dict[str, list[str]]]


def fingerprint(folder: Path = ROOT / "workflows") -> Fingerprint:
    """Return the commands of each method of each class in the workflows folder."""
    found: Fingerprint = {}
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and _commands_of(node):
                found[f"{path.stem}.{node.name}"] = _commands_of(node)
            if isinstance(node, ast.AsyncFunctionDef) and (calls := list(_calls(node))):
                found.setdefault(path.stem, {})[node.name] = calls
    return found


def _commands_of(node: ast.ClassDef) -> dict[str, list[str]]:
    methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    calls = {method.name: list(_calls(method)) for method in methods}
    return {name: found for name, found in calls.items() if found}


def _calls(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield each command in source order, with what it is asked to do and the branches it stands in."""
    for node in _in_order(function):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        called = name.rpartition(".")[2]
        if called in COMMANDS:
            what = ast.unparse(node.args[0]) if node.args else ""
            yield f"{called}({what})"
        elif name.startswith("self._") and name.count(".") == 1:
            yield f"self.{called}"


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)
        yield child
