import re
import subprocess
from pathlib import Path

import pytest

from tests.house.repository import ROOT, files, name

LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
MAKE = re.compile(r"(?:`|^ {4})make ([a-z]+)", re.MULTILINE)
DECISION = re.compile(r"^\d{4}-[a-z0-9-]+\.md$")


def documents() -> list[Path]:
    return list(files("*.md"))


@pytest.mark.parametrize("document", documents(), ids=name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = LINK.findall(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_make_target_that_the_docs_name_exists() -> None:
    listing = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    targets = {line.split()[0] for line in listing.splitlines()}
    named = {
        target for document in documents() for target in MAKE.findall(document.read_text(encoding="utf-8"))
    }
    assert named - targets == set()


def test_every_decision_has_its_own_number_and_is_listed() -> None:
    pages = [path for path in files("docs/decisions/*.md") if path.name != "README.md"]
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert all(DECISION.match(page.name) for page in pages)
    assert len({page.name[:4] for page in pages}) == len(pages)
    assert [page.name for page in pages if f"({page.name})" not in listed] == []


def test_the_changelog_begins_with_what_is_unreleased() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
