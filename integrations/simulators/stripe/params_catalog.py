"""What calls about products, prices, discounts and endpoints take."""

from typing import Literal

import msgspec
from msgspec import UNSET

from integrations.simulators.stripe.routing import Number, Text, Truth, Update

Nothing = msgspec.UnsetType


class CreateProduct(Update, kw_only=True):
    """A product."""

    name: str
    id: Text = UNSET
    description: Text = UNSET
    active: Truth = UNSET


class ProductParams(Update, kw_only=True):
    """What of a product can be changed."""

    name: Text = UNSET
    description: Text = UNSET
    active: Truth = UNSET


class Recurring(msgspec.Struct, forbid_unknown_fields=True):
    """How often it is paid."""

    interval: Literal["day", "week", "month", "year"]
    interval_count: int = 1


class ProductData(msgspec.Struct, forbid_unknown_fields=True):
    """A product that is made along with its price."""

    name: str


class CreatePrice(Update, kw_only=True):
    """A price, of a product that there is or of a new one."""

    currency: str
    unit_amount: int
    product: Text = UNSET
    product_data: ProductData | Nothing = UNSET
    recurring: Recurring | Nothing = UNSET
    nickname: Text = UNSET
    lookup_key: Text = UNSET
    active: Truth = UNSET


class PriceParams(Update, kw_only=True):
    """What of a price can be changed."""

    active: Truth = UNSET
    nickname: Text = UNSET
    lookup_key: Text = UNSET


class CreateCoupon(Update, kw_only=True):
    """A coupon."""

    id: Text = UNSET
    name: Text = UNSET
    percent_off: float | Nothing = UNSET
    amount_off: Number = UNSET
    currency: Text = UNSET
    duration: Literal["once", "repeating", "forever"] = "once"
    duration_in_months: Number = UNSET
    max_redemptions: Number = UNSET
    redeem_by: Number = UNSET


class CouponParams(Update, kw_only=True):
    """What of a coupon can be changed."""

    name: Text = UNSET


class Promotion(msgspec.Struct, forbid_unknown_fields=True):
    """What a code gives."""

    type: Literal["coupon"]
    coupon: str


class Restrictions(msgspec.Struct, forbid_unknown_fields=True):
    """Who may use a code."""

    first_time_transaction: bool = False
    minimum_amount: int | None = None
    minimum_amount_currency: str | None = None


class CreatePromotion(Update, kw_only=True):
    """A code; `coupon` is how versions before 2025-09-30 name what it gives."""

    promotion: Promotion | Nothing = UNSET
    coupon: Text = UNSET
    code: Text = UNSET
    customer: Text = UNSET
    expires_at: Number = UNSET
    max_redemptions: Number = UNSET
    active: bool = True
    restrictions: Restrictions = msgspec.field(default_factory=Restrictions)


class PromotionParams(Update, kw_only=True):
    """What of a code can be changed."""

    active: Truth = UNSET


class CreateEndpoint(Update, kw_only=True):
    """An address to tell of events."""

    url: str
    enabled_events: list[str]
    api_version: Text = UNSET
    description: Text = UNSET


class EndpointParams(Update, kw_only=True):
    """What of an endpoint can be changed."""

    url: Text = UNSET
    enabled_events: list[str] | Nothing = UNSET
    disabled: Truth = UNSET
    description: Text = UNSET
