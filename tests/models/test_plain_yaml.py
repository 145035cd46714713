from typing import Any

import pytest

from api.web.own_signals import read_form
from domain.errors import InvalidInputError
from models.mapping_files import dump_mapping
from models.plain_yaml import YamlRead, write_plain

LOOKS = [
    ("17:00", "17:00"),
    ("on", "on"),
    ("yes", "yes"),
    ("No", "No"),
    ("2026-01-01", "2026-01-01"),
    ("1_000", "1_000"),
    ("0x1f", "0x1f"),
    ("true", True),
    ("12", 12),
    ("-1.5", -1.5),
    ("null", None),
]


@pytest.mark.parametrize(("written", "meant"), LOOKS)
def test_words_are_what_they_look_like(written: str, meant: object) -> None:
    assert YamlRead(f"value: {written}").data == {"value": meant}


@pytest.mark.parametrize(
    "text", ["17:00", "on", "089", "007", "1.0e3", "1e5", "true", "null", "", "a\nb", "~", "x" * 200, "# no"]
)
def test_a_text_that_is_written_reads_back_as_that_text(text: str) -> None:
    for write in (write_plain, dump_mapping):
        assert YamlRead(write({"value": [text]})).data == {"value": [text]}


def form(condition: str) -> dict[str, Any]:
    return {"key": "tried", "title": "Tried", "severity": "medium", "condition": condition}


def test_a_condition_of_the_browsers_form_means_what_it_says() -> None:
    read = read_form(form("{field: plan, is: on}"))
    assert read.condition == {"field": "plan", "is": "on"}


def test_a_condition_that_is_no_yaml_is_refused_with_its_line() -> None:
    with pytest.raises(InvalidInputError, match=r"condition: line 2, .*cannot be read as YAML"):
        read_form(form("all:\n  - {field: plan"))


def test_a_text_that_repeats_itself_without_end_is_refused() -> None:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    read = YamlRead(laughs)
    assert read.data is None
    assert "more than 100,000 parts" in str(read.problems[0])
