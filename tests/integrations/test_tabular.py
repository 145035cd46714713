"""Reading tables: true lines, nothing lost, and going on from any row."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from domain.errors import InvalidInputError
from domain.tabular import Position, RawRow, TableFormat
from integrations.tabular import FileReader

CSV = TableFormat()
PARQUET = TableFormat("parquet")


def read(path: Path, text: str | bytes, start: Position | None = None) -> list[RawRow]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(FileReader().rows(path, CSV, start or Position()))


def test_lines_are_those_of_the_file_also_behind_a_quoted_line_break(tmp_path: Path) -> None:
    rows = read(tmp_path / "a.csv", 'a,b\n1,"x\ny"\n\n2,z\n')
    assert [(row.line, row.cells) for row in rows] == [
        (2, {"a": "1", "b": "x\ny"}),
        (5, {"a": "2", "b": "z"}),
    ]


def test_a_byte_order_mark_and_windows_line_ends_are_no_content(tmp_path: Path) -> None:
    rows = read(tmp_path / "a.csv", b"\xef\xbb\xbfa,b\r\n1,2\r\n")
    assert [row.cells for row in rows] == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("1", "has 1 columns where the header has 2"),
        ("1,2,3", "has 3 columns where the header has 2"),
        ('1,"2', "cannot be taken apart"),
        ('1,"2"x', "cannot be taken apart"),
    ],
)
def test_a_row_of_the_wrong_shape_is_told_and_the_next_is_read(tmp_path: Path, bad: str, reason: str) -> None:
    rows = read(tmp_path / "a.csv", f"a,b\n{bad}\n3,4\n5,6\n")
    assert (rows[0].line, rows[0].cells) == (2, {"": bad})
    assert reason in str(rows[0].problem)
    assert [(row.line, row.cells) for row in rows[1:]] == [
        (3, {"a": "3", "b": "4"}),
        (4, {"a": "5", "b": "6"}),
    ]


@pytest.mark.parametrize("bad", [b"\xff,2", b"\x00,2"])
def test_bytes_that_are_no_text_are_told(tmp_path: Path, bad: bytes) -> None:
    rows = read(tmp_path / "a.csv", b"a,b\n" + bad + b"\n3,4\n")
    assert rows[0].problem == "holds bytes that are no UTF-8 text"
    assert rows[1].cells == {"a": "3", "b": "4"}


def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"")
    with pytest.raises(InvalidInputError, match=r"a\.csv"):
        FileReader().describe(path, CSV)


LINES = st.lists(
    st.one_of(
        st.sampled_from(['1,"2', '"a\nb",c', "1", "x,y", '"q""r",s', "ü,ß", "", '"', '1,"x"y']),
        st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n\0"), max_size=8),
    ),
    max_size=12,
)


@given(lines=LINES)
def test_every_line_belongs_to_one_row_and_reading_goes_on_from_any(
    lines: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    rows = read(path, "a,b\n" + "".join(f"{line}\n" for line in lines))
    assert [row.position.rows for row in rows] == list(range(1, len(rows) + 1))
    assert [row.line for row in rows] == sorted({row.line for row in rows})
    for number, row in enumerate(rows):
        assert list(FileReader().rows(path, CSV, row.position)) == rows[number + 1 :]


def test_parquet_keeps_types_and_goes_on_from_any_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    count = 10_000
    parquet.write_table(pa.table({"a": list(range(count)), "b": ["x"] * count}), path, row_group_size=3000)
    reader = FileReader()
    assert reader.describe(path, PARQUET).columns == ("a", "b")
    rows = list(reader.rows(path, PARQUET, Position()))
    assert [row.cells["a"] for row in rows] == list(range(count))
    assert [row.line for row in rows] == list(range(1, count + 1))
    again = reader.rows(path, PARQUET, rows[4999].position)
    assert next(again) == rows[5000]


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("nothing")
    with pytest.raises(InvalidInputError, match="no Parquet file"):
        FileReader().describe(path, PARQUET)
