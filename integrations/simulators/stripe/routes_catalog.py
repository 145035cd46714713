"""Products and prices, coupons and promotion codes, and who is told of events."""

import secrets

import msgspec

from integrations.simulators.stripe.books import Books
from integrations.simulators.stripe.discounts import is_valid
from integrations.simulators.stripe.errors import StripeRefusal, missing_parameter
from integrations.simulators.stripe.params_catalog import (
    CouponParams,
    CreateCoupon,
    CreateEndpoint,
    CreatePrice,
    CreateProduct,
    CreatePromotion,
    EndpointParams,
    PriceParams,
    ProductData,
    ProductParams,
    Promotion,
    PromotionParams,
    Recurring,
)
from integrations.simulators.stripe.routing import (
    Params,
    Route,
    change,
    given,
    merged,
    stated,
)
from integrations.simulators.stripe.shapes_catalog import (
    coupon,
    price,
    product,
    promotion_code,
    webhook_endpoint,
)
from integrations.simulators.stripe.store import Row


def create_product(books: Books, params: CreateProduct) -> Row:
    """Make a product."""
    key = params.id if isinstance(params.id, str) else books.new_id("products")
    fields = given(params, "id", "name")
    row = product(key, books.clock.now(), params.name, metadata=stated(params.metadata), **fields)
    return books.make("products", row)


def create_price(books: Books, params: CreatePrice) -> Row:
    """Make a price."""
    if isinstance(params.product_data, ProductData):
        owner = create_product(books, CreateProduct(name=params.product_data.name))["id"]
    elif isinstance(params.product, str):
        owner = books.get("products", params.product, "product")["id"]
    else:
        raise missing_parameter("product")
    row = price(
        books.new_id("prices"),
        books.clock.now(),
        params.unit_amount,
        params.currency.lower(),
        msgspec.to_builtins(params.recurring) if isinstance(params.recurring, Recurring) else None,
        metadata=stated(params.metadata),
        **{**given(params, "currency", "unit_amount", "product_data", "recurring"), "product": owner},
    )
    return books.make("prices", row)


def create_coupon(books: Books, params: CreateCoupon) -> Row:
    """Make a coupon."""
    fields = given(params, "id")
    if fields.get("percent_off") is None and fields.get("amount_off") is None:
        raise StripeRefusal("Must provide percent_off or amount_off.", code="parameter_missing")
    if fields.get("amount_off") is not None and not fields.get("currency"):
        raise missing_parameter("currency")
    if params.duration == "repeating" and not fields.get("duration_in_months"):
        raise missing_parameter("duration_in_months")
    key = params.id if isinstance(params.id, str) else books.new_id("coupons").removeprefix("coupon_")
    if key in books.store.of("coupons"):
        raise StripeRefusal("Coupon already exists.", code="resource_already_exists", param="id")
    return books.make("coupons", coupon(key, books.clock.now(), metadata=stated(params.metadata), **fields))


def delete_coupon(books: Books, _: Params, key: str) -> Row:
    """Forget a coupon: its codes no longer work, what was redeemed stays."""
    row = books.get("coupons", key, status=404)
    books.change("coupons", row, "deleted", valid=False, max_redemptions=row["times_redeemed"])
    return {"id": key, "object": "coupon", "deleted": True}


def create_promotion(books: Books, params: CreatePromotion) -> Row:
    """Make a code for a coupon."""
    wanted = params.promotion.coupon if isinstance(params.promotion, Promotion) else params.coupon
    if not isinstance(wanted, str):
        raise missing_parameter("promotion[coupon]")
    held = books.get("coupons", wanted, "promotion[coupon]")
    if not is_valid(held, books.clock.now()):
        raise StripeRefusal("The coupon is expired or used up.", code="coupon_expired")
    if isinstance(params.customer, str):
        books.get("customers", params.customer, "customer")
    code = params.code if isinstance(params.code, str) and params.code else secrets.token_hex(4).upper()
    if any(row["active"] and row["code"] == code for row in books.store.of("promotion_codes").values()):
        message = f"An active promotion code with `code: {code}` already exists."
        raise StripeRefusal(message, code="resource_already_exists", param="code")
    fields = given(params, "promotion", "coupon", "code")
    row = promotion_code(
        books.new_id("promotion_codes"), books.clock.now(), wanted, code,
        metadata=stated(params.metadata), **fields,
    )  # fmt: skip
    return books.make("promotion_codes", row)


def create_endpoint(books: Books, params: CreateEndpoint) -> Row:
    """Tell an address of events from now on; only this answer shows its secret."""
    row = webhook_endpoint(
        books.new_id("webhook_endpoints"), books.clock.now(), params.url,
        _secret=f"whsec_{secrets.token_hex(16)}", metadata=stated(params.metadata), **given(params, "url"),
    )  # fmt: skip
    books.make("webhook_endpoints", row, told=None)
    return {**row, "secret": row["_secret"]}


def update_endpoint(books: Books, params: EndpointParams, key: str) -> Row:
    """Change an endpoint."""
    row = books.get("webhook_endpoints", key, status=404)
    fields = given(params, "disabled")
    if isinstance(params.disabled, bool):
        fields["status"] = "disabled" if params.disabled else "enabled"
    return books.change("webhook_endpoints", row, None, **fields, metadata=merged(row, params.metadata))


def delete_endpoint(books: Books, _: Params, key: str) -> Row:
    """Tell an address no more."""
    books.get("webhook_endpoints", key, status=404)
    books.store.drop("webhook_endpoints", key)
    return {"id": key, "object": "webhook_endpoint", "deleted": True}


def update_product(books: Books, params: ProductParams, key: str) -> Row:
    """Change a product."""
    return change(books, "products", key, params)


def update_price(books: Books, params: PriceParams, key: str) -> Row:
    """Change a price; what it costs stays."""
    return change(books, "prices", key, params)


def update_coupon(books: Books, params: CouponParams, key: str) -> Row:
    """Change a coupon; what it gives stays."""
    return change(books, "coupons", key, params)


def update_promotion(books: Books, params: PromotionParams, key: str) -> Row:
    """Switch a code on or off; one that is used up stays off."""
    row = books.get("promotion_codes", key, status=404)
    most = row["max_redemptions"]
    if params.active is True and most is not None and row["times_redeemed"] >= most:
        raise StripeRefusal("This promotion code is used up and cannot be activated.", param="active")
    return change(books, "promotion_codes", key, params)


ROUTES = [
    Route("POST", "products", create_product, CreateProduct),
    Route("POST", "products/*", update_product, ProductParams),
    Route("POST", "prices", create_price, CreatePrice),
    Route("POST", "prices/*", update_price, PriceParams),
    Route("POST", "coupons", create_coupon, CreateCoupon),
    Route("POST", "coupons/*", update_coupon, CouponParams),
    Route("DELETE", "coupons/*", delete_coupon),
    Route("POST", "promotion_codes", create_promotion, CreatePromotion),
    Route("POST", "promotion_codes/*", update_promotion, PromotionParams),
    Route("POST", "webhook_endpoints", create_endpoint, CreateEndpoint),
    Route("POST", "webhook_endpoints/*", update_endpoint, EndpointParams),
    Route("DELETE", "webhook_endpoints/*", delete_endpoint),
]
