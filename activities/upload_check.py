"""What importing a dropped file would do, found out without storing anything."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from activities.import_plan import table_of
from activities.import_rows import RowBatch, batches
from domain.fact_merge import RULES, content_hash
from domain.facts import CustomerFact, Fact, UsageFact
from domain.mapping import Mapping
from domain.mapping_rows import RowConverter
from domain.tabular import Position, TableReader
from domain.time import BusinessInstant
from models.customer_matching import Match, claims_of, match_customers
from models.database import Session
from models.facts_usage import usage_hash
from models.quarantine import BadRow
from models.uploads import Upload

CHUNK_ROWS = 5_000
LONGEST_SECONDS = 45.0
"""Of reading; what is behind that is estimated from what was read."""
EXAMPLES, MATCHES, FIRST_ROWS = 5, 200, 8
_REMEMBERED_KEYS = 2_000_000


@dataclass
class Checked:
    """What was found so far."""

    rows: int = 0
    good: int = 0
    repeated: int = 0
    share: float = 0.0
    done: bool = False
    stopped: bool = False
    """Whether time ran out before the end of the file."""
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str, str], list[dict[str, Any]]] = field(default_factory=dict)
    facts: Counter[str] = field(default_factory=Counter)
    matches: dict[str, Match] = field(default_factory=dict)
    new_customers: int = 0
    known_customers: int = 0
    first: list[dict[str, Any]] = field(default_factory=list)

    @property
    def bad(self) -> int:
        """Rows that would go to quarantine."""
        return sum(self.reasons.values())

    def note_bad(self, row: BadRow) -> None:
        """Count a row that would be refused; the first of each reason are shown."""
        reason = _general(row.reason)
        key = (row.kind, row.field, reason)
        self.reasons[key] += 1
        kept = self.examples.setdefault(key, [])
        if len(kept) < EXAMPLES:
            kept.append({"line": row.line, "reason": row.reason, "raw": _json(row.raw)})

    def document(self) -> dict[str, Any]:
        """Return it as kept with the upload."""
        plain = ("rows", "good", "repeated", "share", "done", "stopped", "new_customers", "known_customers")
        by_reason = [
            {"kind": key[0], "field": key[1], "reason": key[2], "rows": times, "examples": self.examples[key]}
            for key, times in self.reasons.most_common(50)
        ]
        found = [
            {"key": key, "id": str(one.customer_id), "name": one.name, "by": one.by}
            for key, one in self.matches.items()
        ]
        return {name: getattr(self, name) for name in plain} | {
            "bad": self.bad,
            "reasons": by_reason,
            "facts": dict(self.facts),
            "matches": found[:MATCHES],
            "matched": len(found),
            "first": self.first,
        }


def _general(reason: str) -> str:
    """Return a reason without the cell in it, so that rows with the same fault count together."""
    if reason.startswith(("is '", 'is "')):
        end = reason.find(reason[3], 4)
        rest = reason[end + 1 :].lstrip(", ") if end > 0 else ""
        return f"is {rest}" if rest.startswith("not ") else f"is one {rest}" if rest else reason
    if reason.startswith(("no customer has the id", "no contact has the id")):
        return reason.split(" has the id", 1)[0] + " is known by this"
    return reason


def _json(raw: dict[str, Any]) -> dict[str, str]:
    return {name: "" if cell is None else str(cell)[:200] for name, cell in raw.items()}


class UploadCheck:
    """Reads a file chunk by chunk, and compares each with the database in a transaction of the caller's."""

    def __init__(self, upload: Upload, mapping: Mapping, reader: TableReader, now: BusinessInstant) -> None:
        """Prepare to read; nothing is opened yet."""
        self._upload, self._mapping, self._reader, self._now = upload, mapping, reader, now
        self._spec = mapping.files[0]
        self._converter = RowConverter(self._spec, mapping.source, {}, now)
        self._keys: dict[tuple[str, str], bytes] = {}
        self._customers: set[str] = set()
        self._began = time.monotonic()
        self.found = Checked()

    def chunks(self) -> Iterator[RowBatch]:
        """Yield the rows with their facts, until the end or until time is up."""
        rows = self._reader.rows(self._upload.path, table_of(self._spec), Position())
        for batch in batches(self._upload.path.name, rows, self._converter, CHUNK_ROWS):
            yield batch
            if time.monotonic() - self._began > LONGEST_SECONDS:
                self.found.stopped = True
                return

    async def compare(self, session: Session, batch: RowBatch) -> None:
        """Take one chunk into the account."""
        matches = await match_customers(session, claims_of(batch.facts), self._upload.source_id)
        self.found.matches |= matches
        refused: dict[int, BadRow] = dict(batch.bad)
        repeated: set[int] = set()
        for number, fact in enumerate(batch.facts):
            owner = batch.owners[number]
            problem = self._problem(fact, matches)
            if problem is None:
                repeated |= {owner} if self._is_repeated(fact) else set()
            else:
                row = batch.rows[owner]
                name = self._converter.field_of(fact, problem[1])
                bad = BadRow(batch.file, row.line, problem[0], name, problem[2], row.cells)
                refused.setdefault(owner, bad)
        self._add(batch, refused, repeated)

    def _add(self, batch: RowBatch, refused: dict[int, BadRow], repeated: set[int]) -> None:
        found = self.found
        for row in refused.values():
            found.note_bad(row)
        found.rows += len(batch.rows)
        found.repeated += len(repeated - set(refused))
        found.good += len(batch.rows) - len(refused)
        found.facts.update(
            str(fact.type) for number, fact in enumerate(batch.facts) if batch.owners[number] not in refused
        )
        size = max(int(self._upload.details.get("size") or 1), 1)
        found.share = min(1.0, batch.end.offset / size)
        if len(found.first) < FIRST_ROWS:
            found.first += list(islice(self._first(batch, refused), FIRST_ROWS))

    def _first(self, batch: RowBatch, refused: dict[int, BadRow]) -> Iterator[dict[str, Any]]:
        """Yield the first rows as the facts that they would be."""
        for index, row in enumerate(batch.rows[:FIRST_ROWS]):
            facts = [fact for number, fact in enumerate(batch.facts) if batch.owners[number] == index]
            bad = refused.get(index)
            yield {
                "line": row.line,
                "facts": [_shown(fact, self.found.matches) for fact in facts],
                "bad": None if bad is None else f"{bad.field} {bad.reason}",
            }

    def _problem(self, fact: Fact, matches: dict[str, Match]) -> tuple[str, str, str] | None:
        """Return kind, field and reason for a fact that would be refused."""
        if isinstance(fact, CustomerFact):
            if fact.key not in self._customers:
                self._customers.add(fact.key)
                is_known = fact.key in matches
                self.found.known_customers += is_known
                self.found.new_customers += not is_known
        elif fact.customer not in matches:
            return "unresolved", "customer", f"no customer has the id {fact.customer!r}"
        known = self._keys.get((fact.type, fact.key))
        if known is not None and known != _digest(fact):
            return "conflict", "key", "the same key stands in the file twice, with other content"
        return None

    def _is_repeated(self, fact: Fact) -> bool:
        key = (fact.type, fact.key)
        if key in self._keys:
            return True
        if len(self._keys) < _REMEMBERED_KEYS:
            self._keys[key] = _digest(fact)
        return False


def _digest(fact: Fact) -> bytes:
    if isinstance(fact, UsageFact):
        return usage_hash(fact)
    if isinstance(fact, CustomerFact):
        told = repr(sorted(fact.model_dump(exclude={"known_at"}).items(), key=lambda one: one[0]))
        return hashlib.blake2b(told.encode(), digest_size=16).digest()
    return content_hash(fact, RULES[fact.type]).encode()


def _shown(fact: Fact, matches: dict[str, Match]) -> dict[str, Any]:
    """Return a fact as the preview shows it: what the file says, without what we add."""
    hidden = {"type", "fingerprint", "known_at"}
    told = fact.model_dump(mode="json", exclude=hidden, exclude_none=True, exclude_defaults=True)
    key = fact.key if isinstance(fact, CustomerFact) else fact.customer
    match = matches.get(key)
    whom = None if match is None else {"id": str(match.customer_id), "name": match.name, "by": match.by}
    return {"type": fact.type, "fields": told, "match": whom}
