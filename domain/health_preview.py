"""Who would change status if the weights of health were others: from stored component scores, in seconds."""

import datetime as dt
import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.errors import InvalidInputError
from domain.health import health_status, overall
from domain.scoring_policy import HealthPolicy
from domain.vocabulary import HealthComponent, HealthStatus, Segment

Weights = Mapping[Segment, Mapping[HealthComponent, float]]
MOST_WEIGHT = 100.0


@dataclass(frozen=True)
class Scored:
    """A customer with the component scores of its newest scoring."""

    customer_id: uuid.UUID
    name: str
    segment: Segment
    arr_minor: int
    currency: str
    scores: Mapping[HealthComponent, int | None]
    is_set_by_hand: bool = False
    """A person's verdict holds: what is shown stays as it is until that ends."""


@dataclass(frozen=True)
class Move:
    """A customer whose status would be another."""

    customer: Scored
    score: int
    status: HealthStatus
    new_score: int
    new_status: HealthStatus

    @property
    def is_worse(self) -> bool:
        """Whether the new status is a worse one."""
        order = list(HealthStatus)
        return order.index(self.new_status) > order.index(self.status)


@dataclass(frozen=True)
class WeightPreview:
    """What other weights would do to everybody."""

    customers: int
    moves: tuple[Move, ...]
    """The largest revenue first."""
    before: Mapping[HealthStatus, int]
    after: Mapping[HealthStatus, int]
    mark: str
    """Names the present and the wanted weights together: saving asks for it."""

    @property
    def worse(self) -> int:
        """Customers that would fall to a worse status."""
        return sum(move.is_worse for move in self.moves)


def preview_weights(customers: Iterable[Scored], policy: HealthPolicy, wanted: Weights) -> WeightPreview:
    """Compare everybody's status under the weights in force and under the wanted ones."""
    seen = [_move(one, policy, wanted) for one in customers]
    moves = [move for move in seen if move.status is not move.new_status]
    moves.sort(key=lambda move: (-move.customer.arr_minor, move.customer.name))
    return WeightPreview(
        customers=len(seen),
        moves=tuple(moves),
        before=_counted(move.status for move in seen),
        after=_counted(move.new_status for move in seen),
        mark=mark_of(policy.weights, wanted),
    )


def _move(one: Scored, policy: HealthPolicy, wanted: Weights) -> Move:
    score, new = overall(one.scores, policy.weights[one.segment]), overall(one.scores, wanted[one.segment])
    return Move(one, score, health_status(score, policy), new, health_status(new, policy))


def _counted(statuses: Iterable[HealthStatus]) -> dict[HealthStatus, int]:
    counts = Counter(statuses)
    return {status: counts[status] for status in HealthStatus}


def mark_of(present: Weights, wanted: Weights) -> str:
    """Return a short hash of what is and what would be: it changes when either does."""
    both = [weights_document(present), weights_document(wanted)]
    return hashlib.sha256(json.dumps(both, sort_keys=True).encode()).hexdigest()[:20]


def weights_document(weights: Weights) -> dict[str, dict[str, float]]:
    """Return weights as they are stored: rounded, so that the same typed twice is the same."""
    return {
        segment.value: {
            component.value: round(weights[segment].get(component, 0.0), 4) for component in HealthComponent
        }
        for segment in Segment
    }


def read_weights(document: Mapping[str, Mapping[str, float]]) -> dict[Segment, dict[HealthComponent, float]]:
    """Return weights as stored or as a caller wrote them; raises InvalidInputError with the field."""
    missing = [segment.value for segment in Segment if segment.value not in document]
    if missing:
        raise InvalidInputError(field="weights", reason=f"{', '.join(missing)} is missing")
    return {segment: _read_segment(segment, document[segment.value]) for segment in Segment}


def _read_segment(segment: Segment, cells: Mapping[str, float]) -> dict[HealthComponent, float]:
    unknown = [name for name in cells if name not in set(HealthComponent)]
    field = f"weights.{segment.value}"
    if unknown:
        raise InvalidInputError(field=field, reason=f"there is no component {unknown[0]!r}")
    found = {component: float(cells.get(component.value, 0.0)) for component in HealthComponent}
    if not all(0 <= weight <= MOST_WEIGHT for weight in found.values()):
        raise InvalidInputError(field=field, reason=f"each weight is a number from 0 to {MOST_WEIGHT:g}")
    if sum(found.values()) <= 0:
        raise InvalidInputError(field=field, reason="at least one component needs a weight")
    return {component: round(weight, 4) for component, weight in found.items()}


def in_hundredths(weights: Mapping[HealthComponent, float]) -> dict[HealthComponent, float]:
    """Return weights as whole hundredths that add up to 1; the largest remainders get what is left over."""
    whole = sum(weights.values())
    exact = {component: 100 * weight / whole for component, weight in weights.items()}
    floors = {component: int(value) for component, value in exact.items()}
    order = sorted(exact, key=lambda component: floors[component] - exact[component])
    for component in order[: 100 - sum(floors.values())]:
        floors[component] += 1
    return {component: value / 100 for component, value in floors.items()}


def quarter_of(day: dt.date) -> str:
    """Return the quarter that a day is in: 2026-Q4."""
    return f"{day.year}-Q{(day.month + 2) // 3}"
