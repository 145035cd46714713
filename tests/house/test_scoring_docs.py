import runpy

from tests.house.repository import ROOT


def test_the_published_points_table_is_what_the_code_does() -> None:
    printed = runpy.run_path(str(ROOT / "tools" / "scoring_docs.py"))["render"]()
    assert (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8") == printed, (
        "docs/scoring.md is out of date: run tools/scoring_docs.py"
    )
