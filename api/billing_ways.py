"""Follow a way from a letter's page to the billing provider: its page is made at the click, not before."""

from dataclasses import replace

from activities.billing_calls import OpenBilling
from domain.billing import BillingProvider
from domain.billing_pages import BillingPage, InvoicePage, ReturnPage, Way
from domain.errors import PermanentProviderError


async def follow(open_billing: OpenBilling, page: BillingPage, way: Way, back: str) -> str | BillingPage:
    """Return the address of the provider's page, or our page as it is now where the way makes no sense.

    `back` is where the provider leads when its page is done. Raises NotFoundError and PermanentProviderError
    where there will be no such page, TransientProviderError and UncertainDeliveryError where it may come.
    """
    if way not in page.ways or page.source_id is None:
        return page
    async with open_billing(page.source_id) as provider:
        if isinstance(page, InvoicePage):
            return await _about_invoice(provider, page, way, back)
        return await _checkout(provider, page, back)


async def _about_invoice(
    provider: BillingProvider, page: InvoicePage, way: Way, back: str
) -> str | InvoicePage:
    """Look at the invoice anew: it may be paid, and the address of its page may have changed."""
    found = await provider.invoice(page.invoice_key)
    if found is None:
        raise PermanentProviderError(provider=provider.name, reason="there is no such invoice")
    seen = page.as_seen(found)
    if way not in seen.ways:
        return seen
    if way is Way.CARD:
        return (await provider.update_link(found.customer_key, back)).url
    if not found.pay_url:
        raise PermanentProviderError(provider=provider.name, reason="the invoice has no page")
    return found.pay_url


async def _checkout(provider: BillingProvider, page: ReturnPage, back: str) -> str | ReturnPage:
    """Return a checkout, or the page of who is back already, whether we have heard of it or not."""
    link = await provider.reactivation_link(page.customer_key, page.subscription_key, page.receipt, back)
    return replace(page, is_customer=True) if link is None else link.url
