"""What customers of the same plan and age use: the yardstick for what one of them leaves unused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.features import AdoptionNumbers, CustomerFeatures

BANDS = ((30, 90), (90, 180), (180, 365), (365, 730), (730, 100_000))
"""Ages in days that are compared with each other; before the first it is onboarding, not adoption."""
LEAST_PEERS = 8
MOST_USE_IT = 0.7
"""Share of peers that use a feature, from which not using it stands out."""


@dataclass(frozen=True)
class PeerUse:
    """How many of one group of peers use one feature."""

    group: str
    feature: str
    users: int
    peers: int


@dataclass(frozen=True)
class AdoptionNorms:
    """Per group of peers: how many they are, and which features most of them use."""

    peers: Mapping[str, int]
    features: Mapping[str, tuple[str, ...]]

    def of(self, features: CustomerFeatures) -> AdoptionNumbers:
        """Return what this customer leaves unused that most of its peers use."""
        group = group_of(features.plan or features.segment.value, features.tenure_days)
        if group is None or group not in self.peers or features.usage.first_on is None:
            return AdoptionNumbers()
        usual = self.features[group]
        lagging = [name for name in usual if name not in features.usage.used_91]
        return AdoptionNumbers(tuple(lagging), self.peers[group], len(usual))

    def measure(self, features: CustomerFeatures) -> CustomerFeatures:
        """Return the same customer with what its peers say of it."""
        return replace(features, adoption=self.of(features))

    def document(self) -> dict[str, Any]:
        """Return it as stored."""
        return {"peers": dict(self.peers), "features": {key: list(v) for key, v in self.features.items()}}


NO_NORMS = AdoptionNorms({}, {})


def group_of(plan: str, tenure_days: int) -> str | None:
    """Return the group that a customer is compared with: same plan (or size), same age."""
    band = next((low for low, high in BANDS if low <= tenure_days < high), None)
    return None if band is None else f"{plan}/{band}"


def norms_of(uses: Iterable[PeerUse]) -> AdoptionNorms:
    """Return the norms of every group that is large enough to have some."""
    peers: dict[str, int] = {}
    features: dict[str, list[str]] = {}
    for use in uses:
        if use.peers < LEAST_PEERS:
            continue
        peers[use.group] = use.peers
        usual = features.setdefault(use.group, [])
        if use.users >= MOST_USE_IT * use.peers:
            usual.append(use.feature)
    return AdoptionNorms(peers, {group: tuple(sorted(names)) for group, names in features.items()})


def read_norms(document: Mapping[str, Any]) -> AdoptionNorms:
    """Return norms as they were stored."""
    return AdoptionNorms(
        dict(document["peers"]), {key: tuple(names) for key, names in document["features"].items()}
    )
