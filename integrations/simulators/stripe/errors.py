"""Errors in Stripe's own words."""

from typing import Any

DOCUMENTATION = "https://stripe.com/docs/error-codes"
BAD_REQUEST, UNAUTHORIZED, PAYMENT_REQUIRED, NOT_FOUND, CONFLICT = 400, 401, 402, 404, 409
TOO_MANY, SERVER_ERROR = 429, 500
_TYPES = {PAYMENT_REQUIRED: "card_error", SERVER_ERROR: "api_error"}
_UNEXECUTED = ("parameter_", "idempotency_", "lock_timeout")


class StripeRefusal(Exception):  # noqa: N818 - a refusal is an answer, not a failure of ours
    """The provider answers with an error; `details` are further fields of its body."""

    def __init__(
        self, message: str, status: int = BAD_REQUEST, *, code: str = "", kind: str = "", **details: Any
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.code = message, status, code
        self.kind = kind or _TYPES.get(status, "invalid_request_error")
        self.details = details

    @property
    def is_remembered(self) -> bool:
        """Whether the same idempotency key gets this answer again: only once something was executed."""
        return self.status not in {UNAUTHORIZED, CONFLICT, TOO_MANY} and not self.code.startswith(_UNEXECUTED)

    def body(self) -> dict[str, Any]:
        """Return the answer."""
        named = {"code": self.code, "doc_url": f"{DOCUMENTATION}/{self.code.replace('_', '-')}"}
        error = {"message": self.message, "type": self.kind, **(named if self.code else {}), **self.details}
        return {"error": error}


def missing_parameter(name: str) -> StripeRefusal:
    """Return the error for a parameter that is needed."""
    return StripeRefusal(f"Missing required param: {name}.", code="parameter_missing", param=name)


def unknown_parameter(name: str) -> StripeRefusal:
    """Return the error for a parameter that nobody knows."""
    return StripeRefusal(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def no_such(noun: str, key: str, param: str = "id", status: int = BAD_REQUEST) -> StripeRefusal:
    """Return the error for an object that there is not; 404 where the address itself names it."""
    return StripeRefusal(f"No such {noun}: '{key}'", status, code="resource_missing", param=param)


def simulated(status: int) -> StripeRefusal:
    """Return an error that was ordered."""
    if status == TOO_MANY:
        return StripeRefusal("Request rate limit exceeded (simulated).", status, code="rate_limit")
    if status == UNAUTHORIZED:
        return StripeRefusal("Invalid API Key provided (simulated).", status)
    return StripeRefusal(f"Simulated {status}.", status, kind="api_error")
