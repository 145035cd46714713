import re
import runpy
from typing import Any

from domain.run_rulings import NO_PLAYBOOK, OBJECTIONS
from domain.sending import SENDING_LIMIT
from models.send_claims import SENTENCES
from tests.house.repository import ROOT


def tool() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "tools" / "director_docs.py"))


def test_the_published_rules_of_the_director_are_what_the_code_does() -> None:
    printed = tool()["render"]()
    assert (ROOT / "docs" / "director.md").read_text(encoding="utf-8") == printed, (
        "docs/director.md is out of date: run tools/director_docs.py"
    )


def test_every_reason_of_the_guard_is_published_and_has_a_sentence() -> None:
    """A reason without one would stop the sending activity."""
    source = (ROOT / "domain" / "guard.py").read_text(encoding="utf-8")
    given = set(re.findall(r'(?:Refuse|Defer)\([^"]*"(\w+)"\)', source))
    assert given | {SENDING_LIMIT} == set(SENTENCES)
    assert given == set(re.findall(r": `(\w+)`", tool()["guard_section"]()))


def test_every_objection_has_a_reason_of_its_own() -> None:
    reasons = [objection.reason for objection in OBJECTIONS]
    assert len(set(reasons)) == len(reasons)
    assert NO_PLAYBOOK not in reasons
