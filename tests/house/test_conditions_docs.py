import re
import runpy

import pytest

from domain.condition_check import check_condition
from models.plain_yaml import YamlRead
from tests.house.repository import ROOT

PAGE = ROOT / "docs" / "conditions.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_published_table_of_fields_is_the_registry() -> None:
    printed = runpy.run_path(str(ROOT / "tools" / "conditions_docs.py"))["render"]()
    assert PAGE.read_text(encoding="utf-8") == printed, (
        "docs/conditions.md is out of date: run tools/conditions_docs.py"
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_page_can_be_asked_of_customers(example: str) -> None:
    assert check_condition(YamlRead(example).data).problems == ()
