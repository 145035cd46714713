"""A figure with how sure it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A figure with the interval that it lies in."""

    value: float
    low: float
    high: float

    def document(self) -> dict[str, float]:
        """Return it as published."""
        return {"value": self.value, "low": self.low, "high": self.high}
