"""Which card of a customer is charged: in Stripe's own order, but one that was entered later comes first.

Stripe's page for customers makes a new card their default (docs.stripe.com, "Deep links in the customer
portal"). A subscription that has a card of its own, as each has that began with a checkout, would go on with
the old one.
"""

from collections.abc import Mapping
from typing import Any

from integrations.stripe_shapes import Body

CARDS = (
    "customer.invoice_settings.default_payment_method",
    "default_payment_method",
    "parent.subscription_details.subscription.default_payment_method",
)
"""What has to be expanded to choose."""


def entered_later(invoice: Body, subscription: Body, customer: Body) -> Body | None:
    """Return the customer's default, where it is newer than the subscription's own card; else None.

    A card that was chosen for the invoice itself stays.
    """
    own = subscription.get("default_payment_method")
    entered = (customer.get("invoice_settings") or {}).get("default_payment_method")
    is_chosen = invoice.get("default_payment_method") or invoice.get("default_source")
    if is_chosen or not (isinstance(own, Mapping) and isinstance(entered, Mapping)):
        return None
    return entered if _made_at(entered) > _made_at(own) else None


def _made_at(method: Mapping[str, Any]) -> int:
    made = method.get("created")
    return made if isinstance(made, int) else 0
