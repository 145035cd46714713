"""Which variant of an experiment a customer gets: a hash throws, shares decide, the first deal holds."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from domain.playbook_steps import Experiment, Variant


@dataclass(frozen=True)
class Dealt:
    """A variant, and how likely this customer was to get it when it was dealt."""

    variant: Variant
    propensity: float


@dataclass(frozen=True)
class Before:
    """What a customer was dealt first: the name of the variant, and how likely that was then."""

    name: str
    propensity: float


def deal(
    experiment: Experiment,
    salt: str,
    shares: Mapping[str, float] | None = None,
    before: Before | None = None,
) -> Dealt:
    """Return the variant that a salt falls on: by weight, or by shares where all variants have one.

    A customer that was dealt one `before` keeps it while it is there, whatever the shares have become, and
    the chance of that throw with it: there was no other. The throw is a hash of the salt, so that an attempt
    that is repeated gives the same. Where shares are the probabilities of being the best, this is Thompson
    sampling (Thompson 1933): one uniform throw over those probabilities picks a variant exactly as often as a
    draw from every posterior would.
    """
    kept = next((one for one in experiment.variants if before and one.name == before.name), None)
    if kept is not None and before is not None:
        return Dealt(kept, before.propensity)
    weights = _weights(experiment, shares)
    place = _fallen_on(weights, salt)
    return Dealt(experiment.variants[place], weights[place] / sum(weights))


def _weights(experiment: Experiment, shares: Mapping[str, float] | None) -> list[float]:
    if shares is None or any(one.name not in shares for one in experiment.variants):
        return [one.weight for one in experiment.variants]
    least = experiment.least_share
    return [max(shares[one.name], least) for one in experiment.variants]


def _fallen_on(weights: list[float], salt: str) -> int:
    digest = hashlib.blake2b(salt.encode(), digest_size=8).digest()
    left = int.from_bytes(digest, "big") / 2**64 * sum(weights)
    for place, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return place
    return len(weights) - 1
