"""Uploaded files on disk: brought to UTF-8, hashed, measured and sampled."""

import codecs
import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from domain.column_profiles import Profile, profile
from domain.csv_sniff import SAMPLE_BYTES, Sniffed, header_problem, sniff
from domain.errors import InvalidInputError
from domain.tabular import Position, TableFormat
from integrations.tabular import FileReader

SAMPLE_ROWS = 2_000
_CHUNK = 1 << 20
_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]+")
_LONGEST_NAME = 80
_MOST_COLUMNS = 300


@dataclass(frozen=True)
class Received:
    """A file as kept, and what is known of it."""

    file: str
    sniffed: Sniffed
    size: int
    content_hash: str
    columns: tuple[Profile, ...]


def receive(upload: IO[bytes], filename: str, folder: Path, largest: int) -> Received:
    """Keep a file in a folder of its own, as UTF-8; raises InvalidInputError, and then keeps nothing."""
    folder.mkdir(parents=True, exist_ok=False)
    try:
        return _receive(upload, filename, folder, largest)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _receive(upload: IO[bytes], filename: str, folder: Path, largest: int) -> Received:
    upload.seek(0)
    sniffed = sniff(filename, upload.read(SAMPLE_BYTES))
    path = folder / safe_name(filename, sniffed.format)
    digest = _write(upload, path, sniffed, largest)
    info = FileReader().describe(path, TableFormat(sniffed.format, sniffed.delimiter))
    problem = header_problem(info.columns) if sniffed.format == "csv" else None
    if len(info.columns) > _MOST_COLUMNS:
        problem = f"has {len(info.columns)} columns; at most {_MOST_COLUMNS} can be mapped"
    if problem is not None:
        raise InvalidInputError(field=filename, reason=problem)
    columns = tuple(_profiles(path, sniffed, info.columns))
    return Received(path.name, sniffed, info.size, digest, columns)


def safe_name(filename: str, kind: str) -> str:
    """Return a name that is a file here and means nothing as a pattern."""
    stem = _UNSAFE.sub("_", Path(filename).name.rsplit(".", 1)[0]).strip(" ._")[:_LONGEST_NAME]
    return f"{stem or 'table'}.{kind}"


def _write(upload: IO[bytes], path: Path, sniffed: Sniffed, largest: int) -> str:
    """Write the file, in UTF-8 if it is text, and return the hash of its original bytes."""
    upload.seek(0)
    hashed, read = hashlib.sha256(), 0
    decoder = codecs.getincrementaldecoder(sniffed.encoding)(errors="replace")
    is_plain = sniffed.format != "csv" or sniffed.encoding in {"utf-8", "utf-8-sig"}
    with path.open("wb") as file:
        while chunk := upload.read(_CHUNK):
            hashed.update(chunk)
            read += len(chunk)
            if read > largest:
                reason = f"is larger than {largest // 1_000_000} MB; cut it, or use `everstay import`"
                raise InvalidInputError(field=path.name, reason=reason)
            file.write(chunk if is_plain else decoder.decode(chunk).encode())
    return hashed.hexdigest()


def _profiles(path: Path, sniffed: Sniffed, columns: tuple[str, ...]) -> Iterator[Profile]:
    table = TableFormat(sniffed.format, sniffed.delimiter)
    read = FileReader().rows(path, table, Position())
    rows = [row.cells for row in islice(read, SAMPLE_ROWS) if row.problem is None]
    if not rows:
        reason = "has no row that fits its header; look at its quotes and delimiters"
        raise InvalidInputError(field=path.name, reason=reason)
    for name in columns:
        cells: list[Any] = [row.get(name) for row in rows]
        yield profile(name, cells)
