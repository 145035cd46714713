import re
from pathlib import Path

import pytest

from tests.house.repository import PACKAGES, ROOT, files, name, tree

LONGEST_FILE = 400
GENERATED = ROOT / "migrations" / "versions"  # Alembic writes them, once; nobody works on them again
CODE = ("*.py", "*.html", "*.css", "*.js", "*.mjs", "playbooks/*.yaml", "mappings/*.yaml")
# An ignore of a lint or type rule names the rule and then says why, after a dash, a second hash or a space.
IGNORE = re.compile(r"#\s*(noqa|type:\s*ignore|ruff:\s*noqa|pragma:\s*no cover)")
IGNORE_WITH_REASON = re.compile(
    r"#\s*(?:(?:ruff:\s*)?noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|type:\s*ignore\[[\w\-, ]+\])"
    r"(?:\s*[#-]\s*|\s+)\S.{5,}"
)


@pytest.mark.parametrize("pattern", CODE)
def test_every_file_stays_under_four_hundred_lines(pattern: str) -> None:
    written = [path for path in files(pattern) if path.parent != GENERATED]
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in written}
    assert {path: length for path, length in lengths.items() if length >= LONGEST_FILE} == {}


def test_no_code_stands_in_an_init_file() -> None:
    assert [name(path) for path in files("*__init__.py") if tree(path).body] == []


def test_every_folder_of_python_files_is_a_package() -> None:
    folders = {path.parent for package in (*PACKAGES, "tests") for path in files(f"{package}/*.py")}
    assert sorted(name(folder) for folder in folders if not (folder / "__init__.py").is_file()) == []


def test_no_file_is_called_utils() -> None:
    assert [
        name(path) for path in files("*.py") if path.stem in {"utils", "util", "helpers", "misc", "common"}
    ] == []


def test_every_ignored_rule_is_named_and_carries_its_reason() -> None:
    bare = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in files("*.py")
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if IGNORE.search(line) and not IGNORE_WITH_REASON.search(line)
    ]
    assert bare == []


def test_every_ignore_in_the_configuration_carries_its_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if re.match(r'\s+"[A-Z]{1,4}\d*",', line)]
    assert [line for line in rules if not re.search(r",\s+# \S.{5,}", line)] == []


def test_import_contracts_have_no_exceptions() -> None:
    assert "ignore_imports" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
