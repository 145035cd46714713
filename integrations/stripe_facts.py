"""What Stripe's customers, subscriptions and invoices say, in our words. Pure; the same for pull and webhook.

A subscription is changed in place at Stripe, while a term of ours never changes: the key of a term therefore
ends in a hash of what was agreed (`sub#item:hash`), and models.terms ends the terms that were replaced.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from domain.facts import CancellationFact, ContactFact, CustomerFact, Fact, InvoiceFact, SubscriptionFact
from domain.mail_domains import company_domain
from domain.pulling import Hint, epoch
from domain.time import BusinessInstant
from domain.timeline import Timeline
from domain.vocabulary import CancellationReason, ContactRole
from integrations.stripe_mrr import PricedItem, priced_items
from integrations.stripe_shapes import Body, currency_of, id_of, minor_of

STATUS = {
    "trialing": "trialing",
    "active": "active",
    "past_due": "past_due",
    "unpaid": "unpaid",
    "paused": "unpaid",
    "canceled": "canceled",
}
"""`incomplete` and `incomplete_expired` never began, so they are no term."""
ID_KEYS = (
    "everstay_id",
    "customer_id",
    "account_id",
    "company_id",
    "external_id",
    "tenant_id",
    "workspace_id",
)
"""Keys of metadata under which companies note their own id of a customer."""
ENDED_BY_US = "Everstay: "
"""What the comment of a cancellation begins with that we ordered: we end nothing but what was not paid."""
CANCELLATION_REASONS = frozenset(str(reason) for reason in CancellationReason)


def facts_of(kind: str, body: Body, known_at: BusinessInstant, timeline: Timeline) -> list[Fact]:
    """Translate one object; a ValueError names the field that is wrong."""
    translator = _Translator(body, known_at, timeline)
    if kind == "customer":
        return translator.customer()
    if kind == "subscription":
        return translator.subscription()
    return translator.invoice() if kind == "invoice" else []


def hints_of(kind: str, body: Body) -> list[Hint]:
    """Say by what a payer may be recognised."""
    if kind != "customer" or body.get("deleted"):
        return []
    metadata, email = body.get("metadata") or {}, _lower(body.get("email"))
    domain = company_domain(email)
    return [
        Hint(
            str(body["id"]),
            name=str(body.get("name") or email or body["id"]),
            external_ids=tuple(str(metadata[key]) for key in ID_KEYS if metadata.get(key)),
            domains=(domain,) if domain else (),
            emails=(email,) if email else (),
        )
    ]


class _Translator:
    """One object, when it was known, and how its times map."""

    def __init__(self, body: Body, known_at: BusinessInstant, timeline: Timeline) -> None:
        self.body, self.known_at, self.timeline = body, known_at, timeline

    def at(self, seconds: object) -> BusinessInstant | None:
        """Return the business instant of a Unix time that may be absent."""
        return self.timeline.happened_at(epoch(float(str(seconds)))) if seconds else None

    def known(self, instant: BusinessInstant | None) -> BusinessInstant | None:
        """Return when a later event could have been known: with the object, but not before it happened."""
        return None if instant is None else max(self.known_at, instant)

    def customer(self) -> list[Fact]:
        """Return the payer and, with an address, the person who gets its bills."""
        body, email = self.body, _lower(self.body.get("email"))
        if body.get("deleted"):
            return []
        key, name = str(body["id"]), str(body.get("name") or email or body["id"])
        created = self.at(body["created"])
        facts: list[Fact] = [
            CustomerFact(
                key=key,
                known_at=self.known_at,
                name=name,
                domain=company_domain(email),
                country=(body.get("address") or {}).get("country"),
                started_at=created,
                currency=currency_of(body) if body.get("currency") else None,
            )
        ]
        if email:
            facts.append(
                ContactFact(
                    key=f"{key}/billing",
                    known_at=self.known_at,
                    customer=key,
                    name=name,
                    email=email,
                    roles=(ContactRole.BILLING,),
                    since=created or self.known_at,
                )
            )
        return facts

    def subscription(self) -> list[Fact]:
        """Return one term per item, and why the customer left where Stripe was told."""
        status = STATUS.get(str(self.body.get("status")))
        if status is None:
            return []
        items = priced_items(self.body, self._goes_on)
        facts: list[Fact] = [self._term(item, status) for item in items]
        return facts + self._cancellation(status)

    def _goes_on(self, ends: object) -> bool:
        """Tell whether a discount that ends then still runs; while business time stands, it does."""
        at = self.at(ends)
        return at is None or at >= self.known_at

    def _term(self, item: PricedItem, status: str) -> SubscriptionFact:
        price, ended = item.price, self.at(self.body.get("ended_at"))
        product = price.get("product")
        name = product.get("name") if isinstance(product, Mapping) else product
        quantity = item.body.get("quantity")
        agreed: dict[str, Any] = {
            "product": str(name or price.get("nickname") or price.get("id")),
            "plan": price.get("nickname") or price.get("lookup_key") or price.get("id"),
            "mrr_minor": item.mrr_minor,
            "currency": item.currency,
            "seats": quantity,
            "is_trial": status == "trialing",
            "discount": item.discount,
            "billing_months": max(round(item.months), 1),
        }
        return SubscriptionFact(
            key=f"{self.body['id']}#{item.body.get('id', '')}:{_hash(agreed)}",
            known_at=self.known_at,
            customer=id_of(self.body.get("customer"), "customer"),
            status=status,  # type: ignore[arg-type] # one of STATUS
            auto_renew=not (self.body.get("cancel_at_period_end") or self.body.get("cancel_at")),
            started_at=self.at(self.body.get("start_date") or self.body["created"]) or self.known_at,
            ended_at=ended,
            ended_known_at=self.known(ended),
            **agreed,
        )

    def _cancellation(self, status: str) -> list[Fact]:
        ended = self.at(self.body.get("ended_at"))
        details = self.body.get("cancellation_details") or {}
        feedback, is_unpaid = details.get("feedback"), _was_unpaid(details)
        if status != "canceled" or ended is None or not (feedback or is_unpaid):
            return []
        return [
            CancellationFact(
                key=f"{self.body['id']}/cancellation",
                known_at=self.known(ended) or ended,
                customer=id_of(self.body.get("customer"), "customer"),
                occurred_at=ended,
                reason=feedback if feedback in CANCELLATION_REASONS else "other",
                comment=details.get("comment"),
                involuntary=is_unpaid,
            )
        ]

    def invoice(self) -> list[Fact]:
        """Return a finalized invoice; a draft is not owed yet."""
        body, status = self.body, str(self.body.get("status"))
        if status not in {"open", "paid", "void", "uncollectible"} or not body.get("customer"):
            return []
        moments = body.get("status_transitions") or {}
        issued = self.at(moments.get("finalized_at") or body["created"]) or self.known_at
        paid = self.at(moments.get("paid_at")) if status == "paid" else None
        attempts = int(body.get("attempt_count") or 0)
        currency = currency_of(body)
        return [
            InvoiceFact(
                key=str(body["id"]),
                known_at=self.known_at,
                customer=id_of(body["customer"], "customer"),
                number=body.get("number"),
                currency=currency,
                amount_due_minor=max(minor_of(body.get("total", body.get("amount_due")), currency), 0),
                amount_paid_minor=max(minor_of(body.get("amount_paid"), currency), 0),
                status=status,  # type: ignore[arg-type] # one of the four
                issued_at=issued,
                due_at=self.at(body.get("due_date")) or issued,
                failed_attempts=max(attempts - 1, 0) if status == "paid" else attempts,
                paid_at=paid,
                paid_known_at=self.known(paid),
            )
        ]


def _was_unpaid(details: Body) -> bool:
    """Tell whether it ended for want of payment. Of what we end, Stripe says that it was requested."""
    by_us = str(details.get("comment") or "").startswith(ENDED_BY_US)
    return details.get("reason") == "payment_failed" or by_us


def _lower(text: str | None) -> str | None:
    return text.strip().lower() if text and text.strip() else None


def _hash(agreed: Mapping[str, object]) -> str:
    content = repr(sorted((name, str(value)) for name, value in agreed.items()))
    return hashlib.blake2b(content.encode(), digest_size=6).hexdigest()
