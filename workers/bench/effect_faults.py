"""Injects faults at the simulated providers, and counts afterwards what they hold against the ledger."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from domain.vocabulary import EffectState
from integrations.faults import Fault
from integrations.simulators.control_client import SimulatorControl
from models.bench_effects import Written
from workers.bench.charge_load import Owed

MAIL_FAULTS = (
    Fault.ACCEPT_THEN_DROP,
    Fault.DROP,
    Fault.RATE_LIMIT,
    Fault.UNAVAILABLE,
    Fault.SERVER_ERROR,
    Fault.HANG,
    Fault.ACCEPT_THEN_HANG,
)
"""The first loses the answer about a message that was taken, the second one that was not."""
CHARGE_FAULTS = ("drop", "hang", "reset", "timeout", "rate_limit", "server_error", "lock_timeout")
"""The first two lose the answer of a charge that was made; the others charge nothing."""
HELD_SECONDS = 3.0
"""A call that hangs ends later than the caller's patience."""
TAKEN = frozenset({EffectState.SENT, EffectState.CONFIRMED})


@dataclass(frozen=True)
class Tally:
    """What came of effects under faults."""

    asked: int
    taken: int
    """So many of them does the provider hold."""
    duplicates: int
    """What it holds more than once, and how often too often."""
    lost: int
    """What was asked for, is not there, and is not shown as uncertain."""
    uncertain: int
    unrecorded: int
    """What is there, while our ledger does not say so."""
    tried_again: int

    def document(self) -> dict[str, int]:
        """Return it as JSON."""
        return asdict(self)


async def break_mail(control: SimulatorControl, prefixes: Sequence[str]) -> None:
    """Let the next message to each address meet a fault."""
    for prefix, fault in zip(prefixes, itertools.cycle(MAIL_FAULTS), strict=False):
        await control.call("PUT", "/faults", {"fault": fault, "prefix": prefix, "times": 1})


async def break_charges(control: SimulatorControl, owed: Sequence[Owed]) -> None:
    """Let the next charge of each customer meet a fault."""
    rules = [
        {"fault": fault, "customer": one.customer, "method": "POST", "times": 1, "seconds": HELD_SECONDS}
        for one, fault in zip(owed, itertools.cycle(CHARGE_FAULTS), strict=False)
    ]
    await control.call("POST", "/stripe/faults", rules)


def tally(asked: int, written: Sequence[Written], taken: Counter[str], names: Sequence[str]) -> Tally:
    """Compare: `names` is what the provider calls each effect of `written`, in its order."""
    mine = Counter({name: taken[name] for name in names if taken[name]})
    states = dict(zip(names, (one.state for one in written), strict=True))
    uncertain = [name for name, state in states.items() if state is EffectState.UNCERTAIN]
    unseen = sum(1 for name in uncertain if name not in mine)
    return Tally(
        asked,
        len(mine),
        mine.total() - len(mine),
        asked - len(mine) - unseen,
        len(uncertain),
        sum(1 for name in mine if states[name] not in TAKEN | {EffectState.UNCERTAIN}),
        sum(one.attempts > 1 for one in written),
    )
