"""How long work says how far it is."""

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Told what is done, and the share of the whole."""


def quietly(_what: str, _share: float) -> None:
    """Tell nobody how far it is."""


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Return what a part of the work tells its own shares to, from one share of the whole to another."""
    return lambda what, share: progress(what, start + (end - start) * share)
