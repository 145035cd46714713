"""An e-mail provider in memory: a real adapter of the port, for tests and dry runs."""

from itertools import count

from domain.errors import PermanentProviderError, TransientProviderError, UncertainDeliveryError
from domain.ports import DeliveryReceipt, EmailMessage, LastCheck, always
from integrations.faults import Fault, FaultPlan

_TRANSIENT = {Fault.RATE_LIMIT, Fault.SERVER_ERROR, Fault.UNAVAILABLE}
_PERMANENT = {Fault.REFUSE, Fault.UNAUTHORIZED, Fault.FORBIDDEN, Fault.TOO_LARGE}


class FakeEmailSender:
    """Keeps what it accepts in `accepted`, in order, and meets the faults of its plan."""

    name = "fake"
    settle_seconds = 0.0
    call_seconds = 0.0

    def __init__(self, *, has_look_up: bool = True, faults: FaultPlan | None = None) -> None:
        self.has_look_up = has_look_up
        self.faults = faults or FaultPlan()
        self.accepted: list[EmailMessage] = []
        self.attempts = 0
        self._receipts: dict[str, DeliveryReceipt] = {}
        self._numbers = count(1)

    async def send(self, message: EmailMessage, last_check: LastCheck = always) -> DeliveryReceipt:
        """Accept the message, or raise what its fault stands for."""
        last_check()
        self.attempts += 1
        fault = self.faults.take(message.to.email)
        if fault is None or fault.is_accepted:
            self._accept(message)
        if fault is not None and not fault.is_about_delivery:
            raise self._error(fault)
        return self._receipts[message.delivery_id]

    async def look_up(self, delivery_id: str) -> DeliveryReceipt | None:
        """Tell whether a message was accepted, unless this provider has no look-up."""
        if not self.has_look_up:
            raise UncertainDeliveryError(provider=self.name, reason="it has no look-up")
        return self._receipts.get(delivery_id)

    def _accept(self, message: EmailMessage) -> None:
        self.accepted.append(message)
        self._receipts[message.delivery_id] = DeliveryReceipt(self.name, f"fake-{next(self._numbers)}")

    def _error(
        self, fault: Fault
    ) -> TransientProviderError | PermanentProviderError | UncertainDeliveryError:
        if fault is Fault.RATE_LIMIT:
            return TransientProviderError(provider=self.name, reason="too many requests", retry_after=1.0)
        if fault in _TRANSIENT:
            return TransientProviderError(provider=self.name, reason=fault.value)
        if fault in _PERMANENT:
            return PermanentProviderError(provider=self.name, reason=fault.value)
        return UncertainDeliveryError(provider=self.name, reason=fault.value)
