"""Faults on demand, for the fake sender and for the simulators alike."""

from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What can go wrong with an e-mail: first with the call, then with the delivery."""

    REFUSE = "refuse"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    TOO_LARGE = "too_large"
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    BAD_GATEWAY = "bad_gateway"
    HANG = "hang"
    DROP = "drop"
    ACCEPT_THEN_HANG = "accept_then_hang"
    ACCEPT_THEN_DROP = "accept_then_drop"
    BOUNCE = "bounce"
    BLOCK = "block"
    DEFER = "defer"

    @property
    def is_accepted(self) -> bool:
        """Whether the provider has the message in spite of the fault."""
        return self in {Fault.ACCEPT_THEN_HANG, Fault.ACCEPT_THEN_DROP} or self.is_about_delivery

    @property
    def is_about_delivery(self) -> bool:
        """Whether the call succeeds and only what follows goes wrong."""
        return self in {Fault.BOUNCE, Fault.BLOCK, Fault.DEFER}


@dataclass
class FaultRule:
    """Addresses that start with the prefix meet the fault, `times` times or for ever; "" is everyone."""

    prefix: str
    fault: Fault
    times: int | None = None

    def applies_to(self, address: str) -> bool:
        """Whether the rule is not used up and the address is one of its own."""
        return self.times != 0 and address.startswith(self.prefix)


@dataclass
class FaultPlan:
    """Which address meets which fault. An address such as `bounce+anna@…` names its fault itself."""

    rules: list[FaultRule] = field(default_factory=list)

    def put(self, rule: FaultRule) -> None:
        """Add a rule; one with the same prefix is replaced."""
        self.remove(rule.prefix)
        self.rules.append(rule)

    def remove(self, prefix: str) -> None:
        """Forget the rule of a prefix."""
        self.rules = [rule for rule in self.rules if rule.prefix != prefix]

    def clear(self) -> None:
        """Forget every rule."""
        self.rules = []

    def take(self, address: str) -> Fault | None:
        """Return the fault that this send meets and count it; the longest prefix wins."""
        lowered = address.lower()
        fitting = [rule for rule in self.rules if rule.applies_to(lowered)]
        if not fitting:
            return _named_in(lowered)
        rule = max(fitting, key=lambda each: len(each.prefix))
        if rule.times is not None:
            rule.times -= 1
        return rule.fault


def _named_in(address: str) -> Fault | None:
    name, plus, _ = address.partition("+")
    return Fault(name) if plus and name in set(Fault) else None
