"""What a dropped file is: Parquet or text, in which encoding, cut by which sign, under which header.

Pure over the first bytes of the file; every refusal says what is wrong and what to do.
"""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

from domain.errors import InvalidInputError

SAMPLE_BYTES = 256 * 1024
DELIMITERS = (",", ";", "\t", "|")
_PARQUET = b"PAR1"
_ZIP = b"PK\x03\x04"
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_LIKE_A_VALUE = re.compile(r"[-+]?[0-9][0-9.,:/ T-]*|[^@\s]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")
_MOST_CONTROL = 0.001


@dataclass(frozen=True)
class Sniffed:
    """How a file is written."""

    format: str
    encoding: str = "utf-8"
    delimiter: str = ","
    header: tuple[str, ...] = ()


def sniff(filename: str, head: bytes) -> Sniffed:
    """Return how the file that begins like this is written; raises InvalidInputError with the reason."""
    if not head.strip():
        raise InvalidInputError(field=filename, reason="is empty")
    if head.startswith(_PARQUET):
        return Sniffed("parquet")
    if head.startswith(_ZIP):
        reason = "is a workbook or an archive, not a table of text; save the sheet as CSV and drop that"
        raise InvalidInputError(field=filename, reason=reason)
    encoding = _encoding(filename, head)
    text = decoded(head, encoding, is_cut=len(head) >= SAMPLE_BYTES)
    delimiter = _delimiter(text)
    header = _header(filename, text, delimiter)
    return Sniffed("csv", encoding, delimiter, header)


def decoded(head: bytes, encoding: str, *, is_cut: bool) -> str:
    """Return the text, without the last line where the sample may end in the middle of one."""
    text = head.decode(encoding, errors="ignore" if is_cut else "replace")
    return text[: text.rfind("\n") + 1] if is_cut and "\n" in text else text


def _encoding(filename: str, head: bytes) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    half = head[:4096]
    if half.count(b"\0") > len(half) // 4:
        return "utf-16-le" if half[1:2] == b"\0" else "utf-16-be"
    if len(_CONTROL.findall(head.decode("latin-1"))) > _MOST_CONTROL * len(head):
        reason = "holds bytes that are no text; drop a CSV or Parquet file"
        raise InvalidInputError(field=filename, reason=reason)
    for cut in range(4):
        try:
            head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
        return "utf-8"
    return "cp1252"


def _delimiter(text: str) -> str:
    """Return the sign that cuts the most lines into the same number of parts."""
    return max(DELIMITERS, key=lambda sign: _agreement(text, sign))


def _agreement(text: str, delimiter: str) -> tuple[float, int]:
    lines = [row for row in _parsed(text[:65_536], delimiter) if row][:200]
    if not lines:
        return 0.0, 0
    width, times = Counter(len(row) for row in lines).most_common(1)[0]
    first = len(lines[0])
    return (0.0, 0) if first == 1 else (times / len(lines) + (first == width), first)


def _parsed(text: str, delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in text.splitlines()]


def _header(filename: str, text: str, delimiter: str) -> tuple[str, ...]:
    rows = _parsed(text, delimiter)
    header = tuple(cell for cell in rows[0]) if rows else ()
    problem = header_problem(header) or (None if len(rows) > 1 else "has a header, but no rows")
    if problem is not None:
        raise InvalidInputError(field=filename, reason=problem)
    return header


def header_problem(header: tuple[str, ...]) -> str | None:
    """Return what is wrong with a header, or None."""
    values = sum(1 for cell in header if _LIKE_A_VALUE.fullmatch(cell.strip()))
    if not any(cell.strip() for cell in header) or values * 2 > len(header):
        return "has no header: its first line must name the columns"
    twice = [name for name, times in Counter(header).items() if times > 1]
    if twice:
        shown = ", ".join(repr(name) for name in twice) if any(twice) else "an empty name"
        return f"names a column twice in its header ({shown}); give each its own name"
    return None
