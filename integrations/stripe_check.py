"""What a key of Stripe's may do, told by trying to read; writing is never tried."""

from collections.abc import Callable
from typing import Any

import stripe

from domain.billing import Retries
from domain.errors import PermanentProviderError
from integrations.stripe_calls import Call, read
from integrations.stripe_shapes import Body, rows_of

LIMIT = 100
ONE: Any = {"limit": 1}


class StripeCheck:
    """Tries each list that billing needs."""

    def __init__(self, client: stripe.StripeClient, retries: Retries) -> None:
        """Take the client, and who is declared to retry."""
        self._v1, self._retries = client.v1, retries

    async def sentence(self) -> str:
        """Say what may be read and what not; raises when the key may not even read invoices."""
        query: Any = {"status": "open", "limit": LIMIT}
        invoices = rows_of(await read(self._v1.invoices.list_async(query)))
        may, may_not = ["invoices"], []
        for name, listed in self._lists():
            try:
                await read(listed(ONE))
            except PermanentProviderError:
                may_not.append(name)
            else:
                may.append(name)
        said = [f"For billing it may read {', '.join(may)}."]
        if may_not:
            said.append(f"It may not read {', '.join(may_not)}: docs/billing.md says what that is for.")
        return " ".join([*said, *self._warnings(invoices)])

    def _lists(self) -> list[tuple[str, Callable[[Any], Call]]]:
        v1 = self._v1
        return [
            ("customers", v1.customers.list_async),
            ("subscriptions", v1.subscriptions.list_async),
            ("payment intents", v1.payment_intents.list_async),
            ("charges", v1.charges.list_async),
            ("disputes", v1.disputes.list_async),
            ("coupons", v1.coupons.list_async),
            ("promotion codes", v1.promotion_codes.list_async),
            ("the customer portal", v1.billing_portal.configurations.list_async),
            ("checkout sessions", v1.checkout.sessions.list_async),
        ]

    def _warnings(self, invoices: list[Body]) -> list[str]:
        """Warn of two who retry: each charge would be made twice."""
        retried = sum(bool(one.get("next_payment_attempt") and one.get("attempt_count")) for one in invoices)
        if self._retries is not Retries.EVERSTAY or not retried:
            return []
        warning = (
            f"Warning: Stripe itself would try {retried} open invoices again (next_payment_attempt is set) "
            "while Everstay is declared to. Switch off the retries of Stripe's Billing settings, or connect "
            "with --option retries=provider."
        )
        return [warning]
