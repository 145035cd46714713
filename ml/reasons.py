"""What a score rests on: contributions of columns, added up by family, each family in one sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np

from domain.features import CustomerFeatures
from domain.model_column import Column
from domain.risk import Driver
from domain.vocabulary import HealthComponent
from ml.samples import Codes, Floats, Matrix

LEAST_POINTS = 1.0
"""A family that moves the score by less is not worth a sentence."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One column that could speak for its family, with its contribution and its reading."""

    column: Column
    points: float
    value: float

    def driver(self, features: CustomerFeatures) -> Driver:
        """Return it in words."""
        said = self.column.say(features)
        return Driver(self.column.name, self.column.family, said, self.points, self.value, None)


@dataclass(frozen=True, slots=True)
class Part:
    """What the columns of one family add to one customer's score."""

    family: HealthComponent
    points: float
    speakers: tuple[Spoken, ...]
    """The column that raises the risk most and the one that lowers it most, of those that are known."""


def parts_of(columns: Sequence[Column], points: Floats, matrix: Matrix) -> list[list[Part]]:
    """Return, for each row, the parts of its score. Columns of a family tell one story: they are added up."""
    found: list[list[Part]] = [[] for _ in range(len(matrix))]
    for family in HealthComponent:
        places = np.array(
            [place for place, one in enumerate(columns) if one.family is family], dtype=np.int64
        )
        if len(places):
            for row, part in enumerate(_parts(family, columns, places, points[:, places], matrix[:, places])):
                found[row].append(part)
    return found


def _parts(
    family: HealthComponent, columns: Sequence[Column], places: Codes, points: Floats, values: Matrix
) -> Iterator[Part]:
    unknown = np.isnan(values)
    worst = np.where(unknown, -np.inf, points).argmax(axis=1).tolist()
    best = np.where(unknown, np.inf, points).argmin(axis=1).tolist()
    for row, (one, read) in enumerate(zip(points.tolist(), values.tolist(), strict=True)):
        speakers = tuple(
            Spoken(columns[places[at]], one[at], read[at])
            for at in (worst[row], best[row])
            if not unknown[row, at]
        )
        yield Part(family, fsum(one), speakers)


def drivers(parts: Sequence[Part], card: Sequence[Driver], features: CustomerFeatures) -> tuple[Driver, ...]:
    """Return one driver per family, what protects last.

    The words are those of the column, or the line of the scorecard, that weighs most in the direction of the
    family's sum.
    """
    found = [_driver(family, parts, card, features) for family in HealthComponent]
    told = [one for one in found if one is not None]
    return tuple(sorted(told, key=lambda one: (-one.points, one.key)))


def _driver(
    family: HealthComponent, parts: Sequence[Part], card: Sequence[Driver], features: CustomerFeatures
) -> Driver | None:
    mine = [part for part in parts if part.family is family]
    lines = [line for line in card if line.family is family]
    points = fsum([*(part.points for part in mine), *(line.points for line in lines)])
    if abs(points) < LEAST_POINTS:
        return None
    speakers: list[Spoken | Driver] = [one for part in mine for one in part.speakers]
    sided = [one for one in [*speakers, *lines] if one.points * points > 0]
    if not sided:
        return None
    main = max(sided, key=lambda one: abs(one.points))
    said = main if isinstance(main, Driver) else main.driver(features)
    return Driver(said.key, family, said.sentence, points, said.now, said.baseline)
