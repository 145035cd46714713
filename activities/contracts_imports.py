"""What the import workflow knows of the import activities. Folder and mapping are in the run's row."""

import datetime as dt
import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass

from temporalio import activity


@dataclass(frozen=True)
class PlanImportInput:
    """Which run to prepare."""

    import_id: uuid.UUID


@dataclass(frozen=True)
class PlanImportResult:
    """How many files there are, in the order of the mapping."""

    files: int


@dataclass(frozen=True)
class ImportFileInput:
    """Which file of a run, by its place in the order."""

    import_id: uuid.UUID
    file: int


@dataclass(frozen=True)
class ImportFileResult:
    """Rows of the file, as counted in all attempts together."""

    rows_read: int
    stored: int
    duplicates: int
    quarantined: int


@dataclass(frozen=True)
class FinishImportInput:
    """How a run ended; an error is a sentence without personal data."""

    import_id: uuid.UUID
    error: str | None = None


@dataclass(frozen=True)
class FinishImportResult:
    """The business date as of which the customers are to be scored, None where nothing is to be."""

    score_date: dt.date | None = None


class ImportContract(ABC):
    """Imports. Task queue `bulk`."""

    @activity.defn(name="plan_import")
    @abstractmethod
    async def plan_import(self, request: PlanImportInput) -> PlanImportResult:
        """Find the files, check their headers, connect the source and set the clock if asked."""

    @activity.defn(name="import_file")
    @abstractmethod
    async def import_file(self, request: ImportFileInput) -> ImportFileResult:
        """Store one file batch by batch; a repeated attempt goes on behind the last batch."""

    @activity.defn(name="finish_import")
    @abstractmethod
    async def finish_import(self, request: FinishImportInput) -> FinishImportResult:
        """Bring every customer of the source in step, announce the new ones, and record the end."""
