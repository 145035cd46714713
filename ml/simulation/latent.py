"""The hidden state of one sample customer, as a look at its place in the population."""

import datetime as dt

from ml.simulation.archetypes import Archetype, Trouble
from ml.simulation.population import Population
from ml.simulation.worlds import World


class Latent:
    """What nobody can see. `engagement` is 1 at the customer's own normal."""

    def __init__(self, population: Population, place: int, archetype: Archetype, world: World) -> None:
        self._population, self._place = population, place
        self._trouble = world.troubles.get(archetype)

    @property
    def engagement(self) -> float:
        """How much of its own normal the customer's people do."""
        return float(self._population.engagement[self._place])

    @property
    def revenue(self) -> float:
        """Recurring revenue as a multiple of what the customer began with."""
        return float(self._population.revenue[self._place])

    @property
    def trouble(self) -> Trouble | None:
        """How the present trouble runs, None without trouble."""
        return self._trouble if self._population.trouble_since[self._place] else None

    @property
    def returned_on(self) -> dt.date | None:
        """When the last trouble ended."""
        return _date(int(self._population.returned_on[self._place]))

    @property
    def left_on(self) -> dt.date | None:
        """When the customer left."""
        return _date(int(self._population.left_on[self._place]))

    @property
    def value_on(self) -> dt.date | None:
        """When the customer first had what it bought the product for."""
        return _date(int(self._population.value_on[self._place]))


def _date(day: int) -> dt.date | None:
    return dt.date.fromordinal(day) if day else None
