"""docs/imports.md says what the mapping documents really hold."""

import textwrap
from pathlib import Path

import pytest

from domain.mapping import Mapping
from domain.mapping_check import parse_mapping
from models.plain_yaml import YamlRead
from tests.support.mapping_docs import TABLES, table_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "imports.md"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_page_is_that_of_the_models(name: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = table_of(name)
    assert f"<!-- {name} -->\n{table}<!-- /{name} -->" in page, f"the page needs this table:\n{table}"


def test_the_example_of_the_page_is_a_valid_mapping() -> None:
    page = PAGE.read_text(encoding="utf-8")
    block = page[page.index("    source: {id: shop") : page.index("### The document")]
    found = parse_mapping(YamlRead(textwrap.dedent(block)).data)
    assert isinstance(found, Mapping), found
