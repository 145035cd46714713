"""Subscriptions and invoices with every field that Stripe shows."""

from typing import Any

from integrations.simulators.stripe.store import Row

NO_TAX = {"enabled": False, "liability": None, "disabled_reason": None}


def listed(url: str, rows: list[Row]) -> Row:
    """Return a list inside an object."""
    return {"object": "list", "data": rows, "has_more": False, "url": url}


def subscription_item(key: str, at: int, subscription: str, price: Row, quantity: int) -> Row:
    """Return one thing that is subscribed to."""
    return {
        "id": key,
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": at,
        "current_period_start": at,
        "current_period_end": at,
        "discounts": [],
        "metadata": {},
        "plan": plan(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription,
        "tax_rates": [],
    }


def plan(price: Row) -> Row:
    """Return a recurring price as the plan that it used to be."""
    recurring = price["recurring"]
    same = ("id", "active", "billing_scheme", "created", "currency", "livemode", "metadata", "nickname")
    return {
        **{name: price[name] for name in (*same, "product", "tiers_mode")},
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "meter": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def subscription(key: str, at: int, customer: str, items: list[Row], **given: Any) -> Row:
    """Return a subscription that begins."""
    return {
        "id": key,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": dict(NO_TAX),
        "billing_cycle_anchor": at,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"type": "classic", "flexible": None},
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": at,
        "currency": items[0]["price"]["currency"],
        "customer": customer,
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": listed(f"/v1/subscription_items?subscription={key}", items),
        "latest_invoice": None,
        "livemode": False,
        "metadata": {},
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": at,
        "status": "active",
        "test_clock": None,
        "transfer_data": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
        **given,
    }


def line_item(key: str, invoice: str, amount: int, currency: str, **given: Any) -> Row:
    """Return a line of an invoice."""
    return {
        "id": key,
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": None,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"start": 0, "end": 0},
        "pretax_credit_amounts": None,
        "pricing": None,
        "quantity": 1,
        "subtotal": amount,
        "taxes": [],
        **given,
    }


def invoice(key: str, at: int, customer: Row, currency: str, **given: Any) -> Row:
    """Return a draft without lines."""
    zero = dict.fromkeys(("amount_due", "amount_paid", "amount_remaining", "amount_overpaid"), 0)
    sums = dict.fromkeys(("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"), 0)
    return {
        "id": key,
        "object": "invoice",
        **zero,
        **sums,
        "account_country": "DE",
        "account_name": "Simulated account",
        "account_tax_ids": None,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {**NO_TAX, "provider": None, "status": None},
        "automatically_finalizes_at": None,
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "created": at,
        "currency": currency,
        "custom_fields": None,
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": listed(f"/v1/invoices/{key}/lines", []),
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": at,
        "period_start": at,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": dict.fromkeys(
            ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
        ),
        "test_clock": None,
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": None,
        **given,
    }
