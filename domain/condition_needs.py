"""What must be loaded before conditions can be asked, and what kinds of fact they rest on."""

from dataclasses import dataclass

from domain.condition_clauses import Performed, SignalOpen
from domain.conditions import Compare, Condition, HasBeen, leaves_of
from domain.field_shape import Place
from domain.fields import FIELDS


@dataclass(frozen=True)
class Needs:
    """Everything that some conditions ask for."""

    fields: frozenset[str] = frozenset()
    """Fields of the customer; what a run knows of itself comes from whoever runs it."""
    run_fields: frozenset[str] = frozenset()
    history: frozenset[str] = frozenset()
    performed: frozenset[tuple[str, int]] = frozenset()
    """Names with the days of their windows."""
    signals: frozenset[str] = frozenset()


def needs_of(*conditions: Condition) -> Needs:
    """Return what all of these ask for, together."""
    leaves = [leaf for condition in conditions for leaf in leaves_of(condition)]
    fields = {leaf.field for leaf in leaves if isinstance(leaf, Compare)}
    of_run = {name for name in fields if FIELDS[name].scope is Place.RUN}
    return Needs(
        fields=frozenset(fields - of_run),
        run_fields=frozenset(of_run),
        history=frozenset(leaf.field for leaf in leaves if isinstance(leaf, HasBeen)),
        performed=frozenset(
            (leaf.performed, leaf.within.days) for leaf in leaves if isinstance(leaf, Performed)
        ),
        signals=frozenset(leaf.signal for leaf in leaves if isinstance(leaf, SignalOpen)),
    )


def kinds_of(*conditions: Condition) -> tuple[str, ...]:
    """Return the kinds of fact that these rest on: while one is silent, an automatic action abstains."""
    needs = needs_of(*conditions)
    kinds = {kind for name in needs.fields if (kind := FIELDS[name].needs)}
    return tuple(sorted(kinds | ({"usage"} if needs.performed else set())))
