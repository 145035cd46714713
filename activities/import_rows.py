"""Rows of a batch on their way to facts and back: what became of each row."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice

from domain.facts import ContactFact, Fact
from domain.mapping_rows import ROW, RowConverter
from domain.mapping_values import FieldError
from domain.tabular import Position, RawRow
from models.facts_batch import StoreResult, Verdict
from models.quarantine import BadRow


@dataclass
class RowBatch:
    """Some rows of one file, their facts, and what is wrong with the others."""

    file: str
    rows: list[RawRow] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    """For each fact, the index of its row."""
    bad: dict[int, BadRow] = field(default_factory=dict)

    @property
    def end(self) -> Position:
        """Where to go on after this batch."""
        return self.rows[-1].position

    def take(self, row: RawRow, converter: RowConverter) -> None:
        """Add a row with its facts, or with the reason why it has none."""
        index = len(self.rows)
        self.rows.append(row)
        if row.problem is not None:
            self._refuse(index, "malformed", ROW, row.problem)
            return
        try:
            facts = converter.facts_of(row.cells)
        except FieldError as error:
            self._refuse(index, "invalid", error.field, error.reason)
            return
        self.facts += facts
        self.owners += [index] * len(facts)

    def leave_out_people(self, keys: Collection[str]) -> None:
        """Take out what is told of people whom another source told of: such a row is a repeat."""
        kept = [
            (fact, owner)
            for fact, owner in zip(self.facts, self.owners, strict=True)
            if not (isinstance(fact, ContactFact) and fact.key in keys)
        ]
        self.facts, self.owners = [fact for fact, _ in kept], [owner for _, owner in kept]

    def _refuse(self, index: int, kind: str, name: str, reason: str) -> None:
        row = self.rows[index]
        self.bad.setdefault(index, BadRow(self.file, row.line, kind, name, reason, row.cells))

    def settle(self, result: StoreResult, converter: RowConverter) -> "Tally":
        """Count rows: quarantined if any of its facts was refused, stored if any was new."""
        for number, problem in result.problems.items():
            kind = result.verdicts[number].value
            name = converter.field_of(self.facts[number], problem.field)
            self._refuse(self.owners[number], kind, name, problem.reason)
        fresh = [number for number, verdict in enumerate(result.verdicts) if verdict is Verdict.STORED]
        stored = {self.owners[number] for number in fresh} - set(self.bad)
        quarantined = len(self.bad)
        by_type = Counter(str(self.facts[number].type) for number in fresh)
        return Tally(len(stored), len(self.rows) - len(stored) - quarantined, quarantined, dict(by_type))


@dataclass(frozen=True)
class Tally:
    """Counts of one batch."""

    stored: int
    duplicates: int
    quarantined: int
    facts: dict[str, int]


def batches(file: str, rows: Iterator[RawRow], converter: RowConverter, size: int) -> Iterator[RowBatch]:
    """Cut a stream of rows into batches."""
    while True:
        batch = RowBatch(file)
        for row in islice(rows, size):
            batch.take(row, converter)
        if not batch.rows:
            return
        yield batch
