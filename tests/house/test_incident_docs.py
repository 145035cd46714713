"""The page of incidents and the tests that prove them impossible: each has the other."""

import ast
import re
from collections import Counter
from pathlib import Path

from tests.house.repository import ROOT, files, tree

PAGE = ROOT / "docs" / "incidents.md"
NAMED = re.compile(r"\| `(tests/[\w/]+\.py)::(test_\w+)` \|$")


def lines() -> list[str]:
    """Every line of the page's tables."""
    text = PAGE.read_text(encoding="utf-8").splitlines()
    return [line for line in text if line.startswith("| ") and not line.startswith(("| ---", "| elsewhere"))]


def named() -> list[tuple[str, str]]:
    """File and function that each line names."""
    return [(found[1], found[2]) for line in lines() if (found := NAMED.search(line))]


def functions_of(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_incident_of_the_page_has_a_test_of_its_own() -> None:
    found = named()
    assert [line for line in lines() if not NAMED.search(line)] == []
    assert [count for count in Counter(found).values() if count > 1] == []
    missing = [
        f"{file}::{function}"
        for file, function in found
        if not (ROOT / file).is_file() or function not in functions_of(ROOT / file)
    ]
    assert missing == []


def test_every_test_of_an_incident_stands_on_the_page() -> None:
    written = {
        (path.relative_to(ROOT).as_posix(), function)
        for path in files("tests/incidents/*.py")
        for function in functions_of(path)
    }
    assert written - set(named()) == set()
