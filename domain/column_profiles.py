"""What a column seems to hold, told from a sample of its cells."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from domain.mapping_cells import NUMBER_FORMS, plain_number

ENOUGH = 0.75
"""Share of the filled cells that must fit a type; the others go to quarantine, with the reason."""
MOST_WORDS = 40
EMPTY_WORDS = ("", "null", "NULL", "None", "N/A", "n/a", "NA", "NaN", "nan", "-", "\\N")
DATE_FORMS = (
    "iso",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
TIME_FORMS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", ", %H:%M")
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[A-Za-z]{2,}")
_DOMAIN = re.compile(r"(https?://)?(www\.)?([a-z0-9-]+\.)+[a-z]{2,}/?", re.IGNORECASE)
_CURRENCY = re.compile(r"[A-Z]{3}")
_SYMBOL = re.compile(r"[$€£¥]")
_TRUE_OR_FALSE = {"true", "false", "yes", "no", "0", "1"}


@dataclass(frozen=True)
class Profile:
    """One column: its type and forms, what it looks like, and a few of its cells."""

    name: str
    type: str
    forms: tuple[str, ...] = ("iso",)
    rivals: tuple[str, ...] = ()
    """Other date forms that fit just as well: only a person knows whether 03/04 is in March."""
    empties: tuple[str, ...] = ()
    """Cells that mean nothing; with any of them the column is optional."""
    traits: frozenset[str] = frozenset()
    examples: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """All distinct cells, where they are few."""
    filled: int = 0
    low: float | None = None
    high: float | None = None
    symbol: str = ""

    @property
    def is_moment(self) -> bool:
        """Whether it holds dates or times."""
        return self.type in {"date", "instant"}

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.type in {"integer", "decimal"}


@dataclass
class _Cells:
    """The filled cells of a sample."""

    filled: list[Any] = field(default_factory=list)
    empties: set[str] = field(default_factory=set)

    @property
    def texts(self) -> list[str]:
        return [cell if isinstance(cell, str) else str(cell) for cell in self.filled]

    def share(self, fits: Callable[[str], object]) -> float:
        """Return how many of the cells fit."""
        texts = self.texts
        return sum(1 for text in texts if fits(text)) / len(texts) if texts else 0.0


def profile(name: str, sample: Sequence[Any]) -> Profile:
    """Return what a column holds."""
    cells = _Cells()
    for cell in sample:
        if cell is None or (isinstance(cell, str) and cell.strip() in EMPTY_WORDS):
            cells.empties.add("" if cell is None else cell)
        else:
            cells.filled.append(cell)
    kind, forms, rivals = _type(cells)
    counts = Counter(cells.texts)
    numbers = _numbers(cells, forms) if kind in {"integer", "decimal"} else []
    return Profile(
        name,
        kind,
        forms,
        rivals,
        tuple(sorted(cells.empties)),
        _traits(cells, counts),
        tuple(text for text, _ in list(counts.items())[:3]),
        tuple(sorted(counts)) if len(counts) <= MOST_WORDS else (),
        len(cells.filled),
        min(numbers, default=None),
        max(numbers, default=None),
        _symbol(cells),
    )


Found = tuple[str, tuple[str, ...], tuple[str, ...]]


def _type(cells: _Cells) -> Found:
    if not cells.filled:
        return "text", ("iso",), ()
    typed = _by_python_type(cells.filled[0])
    if typed is not None:
        return typed, ("iso",), ()
    if len(set(cells.texts)) > 1 and cells.share(lambda text: text.casefold() in _TRUE_OR_FALSE) == 1.0:
        return "boolean", ("iso",), ()
    return _number_type(cells) or _moment_type(cells) or ("text", ("iso",), ())


def _by_python_type(cell: Any) -> str | None:
    for kind, name in (
        (bool, "boolean"),
        (int, "integer"),
        (float | Decimal, "decimal"),
        (dt.datetime, "instant"),
        (dt.date, "date"),
    ):
        if isinstance(cell, kind):
            return name
    return None


def _number_type(cells: _Cells) -> Found | None:
    for form in NUMBER_FORMS:
        if cells.share(lambda text, form=form: _is_number(text, form)) >= ENOUGH:  # type: ignore[misc]  # a default binds it
            whole = form == "iso" and cells.share(lambda text: re.fullmatch(r"0|-?[1-9]\d*", text)) >= ENOUGH
            return "integer" if whole else "decimal", (form,), ()
    return None


def _is_number(text: str, form: str) -> bool:
    if re.fullmatch(r"0\d+", text):
        return False
    return plain_number(text, form) is not None


def _moment_type(cells: _Cells) -> Found | None:
    texts = cells.texts[:500]
    shares = {form: _share(texts, form) for form in _all_forms()}
    best = max(shares, key=lambda form: shares[form])
    if shares[best] < ENOUGH:
        return None
    rivals = tuple(form for form in shares if form != best and shares[form] == shares[best])
    has_time = best == "iso-time" or "%H" in best or "%I" in best
    form = "iso" if best == "iso-time" else best
    return "instant" if has_time else "date", (form,), () if form == "iso" else rivals


def _all_forms() -> list[str]:
    dated = [date + time for date in DATE_FORMS[1:] for time in TIME_FORMS]
    return ["iso", "iso-time", *dated]


def _share(texts: Sequence[str], form: str) -> float:
    return sum(1 for text in texts if _is_moment(text, form)) / len(texts)


def _is_moment(text: str, form: str) -> bool:
    try:
        if form == "iso":
            return bool(dt.date.fromisoformat(text)) and "-" in text
        if form == "iso-time":
            return bool(dt.datetime.fromisoformat(text)) and len(text) > 10 and "-" in text  # noqa: PLR2004  a date alone
        return bool(dt.datetime.strptime(text, form))  # noqa: DTZ007  only its form matters
    except ValueError:
        return False


def _traits(cells: _Cells, counts: Counter[str]) -> frozenset[str]:
    if not cells.filled:
        return frozenset({"empty"})
    found = {
        name
        for name, fits in (
            ("email", _EMAIL.fullmatch),
            ("domain", _DOMAIN.fullmatch),
            ("currency", _CURRENCY.fullmatch),
            ("money", _SYMBOL.search),
        )
        if cells.share(fits) >= ENOUGH
    }
    if len(counts) == len(cells.filled) and len(counts) > 1:
        found.add("unique")
    return frozenset(found)


def _numbers(cells: _Cells, forms: tuple[str, ...]) -> list[float]:
    return [float(number) for text in cells.texts if (number := plain_number(text, forms[0])) is not None]


def _symbol(cells: _Cells) -> str:
    found = Counter(sign for text in cells.texts[:200] for sign in _SYMBOL.findall(text))
    return found.most_common(1)[0][0] if found else ""
