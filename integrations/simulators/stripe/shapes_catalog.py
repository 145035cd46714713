"""Products, prices, discounts, sessions and endpoints, with every field that Stripe shows."""

from typing import Any

from integrations.simulators.stripe.store import Row


def product(key: str, at: int, name: str, **given: Any) -> Row:
    """Return a product."""
    return {
        "id": key,
        "object": "product",
        "active": True,
        "created": at,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": at,
        "url": None,
        **given,
    }


def price(key: str, at: int, amount: int, currency: str, recurring: Row | None, **given: Any) -> Row:
    """Return a price; `recurring` holds interval and interval_count."""
    often = {"interval": "month", "interval_count": 1, "usage_type": "licensed", "meter": None}
    return {
        "id": key,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": at,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": None,
        "recurring": None if recurring is None else {**often, "trial_period_days": None, **recurring},
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time" if recurring is None else "recurring",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        **given,
    }


def coupon(key: str, at: int, **given: Any) -> Row:
    """Return a coupon that takes nothing off yet."""
    return {
        "id": key,
        "object": "coupon",
        "amount_off": None,
        "created": at,
        "currency": None,
        "duration": "once",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "name": None,
        "percent_off": None,
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
        **given,
    }


def promotion_code(key: str, at: int, coupon_key: str, code: str, **given: Any) -> Row:
    """Return a code by which a coupon is asked for."""
    return {
        "id": key,
        "object": "promotion_code",
        "active": True,
        "code": code,
        "created": at,
        "customer": None,
        "customer_account": None,
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "promotion": {"coupon": coupon_key, "type": "coupon"},
        "restrictions": {
            "first_time_transaction": False,
            "minimum_amount": None,
            "minimum_amount_currency": None,
        },
        "times_redeemed": 0,
        **given,
    }


def discount(key: str, at: int, coupon_key: str, **given: Any) -> Row:
    """Return a coupon that is applied to something."""
    empty = ("checkout_session", "customer", "customer_account", "end", "invoice", "invoice_item")
    return {
        "id": key,
        "object": "discount",
        **dict.fromkeys((*empty, "promotion_code", "subscription", "subscription_item")),
        "source": {"coupon": coupon_key, "type": "coupon"},
        "start": at,
        **given,
    }


def portal_session(key: str, at: int, customer: str, url: str, **given: Any) -> Row:
    """Return a visit of the customer's own page."""
    return {
        "id": key,
        "object": "billing_portal.session",
        "configuration": "bpc_simulated",
        "created": at,
        "customer": customer,
        "customer_account": None,
        "flow": None,
        "livemode": False,
        "locale": None,
        "on_behalf_of": None,
        "return_url": None,
        "url": url,
        **given,
    }


def portal_configuration() -> Row:
    """Return how the customer's own page is set up: another card can be entered, and invoices are shown."""
    return {
        "id": "bpc_simulated",
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        "created": 1_700_000_000,
        "default_return_url": None,
        "features": {
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True, "payment_method_configuration": None},
        },
        "is_default": True,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": 1_700_000_000,
    }


def checkout_session(key: str, at: int, url: str, **given: Any) -> Row:
    """Return a checkout that nobody has gone through yet."""
    empty = (
        "after_expiration", "allow_promotion_codes", "amount_subtotal", "amount_total", "cancel_url",
        "billing_address_collection", "client_reference_id", "client_secret", "consent", "currency",
        "consent_collection", "customer", "customer_account", "customer_creation", "customer_details",
        "customer_email", "invoice", "invoice_creation", "locale", "payment_intent", "payment_link",
        "payment_method_collection", "phone_number_collection", "recovered_from", "setup_intent",
        "submit_type", "subscription", "success_url", "total_details",
    )  # fmt: skip
    return {
        "id": key,
        "object": "checkout.session",
        **dict.fromkeys(empty),
        "automatic_tax": {"enabled": False, "liability": None, "status": None, "provider": None},
        "created": at,
        "custom_fields": [],
        "custom_text": {},
        "discounts": [],
        "expires_at": at + 86400,
        "livemode": False,
        "metadata": {},
        "mode": "subscription",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "ui_mode": "hosted",
        "url": url,
        **given,
    }


def webhook_endpoint(key: str, at: int, url: str, **given: Any) -> Row:
    """Return an address that is told of events."""
    return {
        "id": key,
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": at,
        "description": None,
        "enabled_events": ["*"],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
        **given,
    }


def event(key: str, at: int, kind: str, body: Row, **given: Any) -> Row:
    """Return the news that something happened to an object."""
    return {
        "id": key,
        "object": "event",
        "api_version": None,
        "created": at,
        "data": {"object": body},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
        **given,
    }
