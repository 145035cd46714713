"""What a failed conversation with a mail server means: certainly not taken, refused for good, or unknown."""

from typing import Any

from aiosmtplib import SMTPRecipientsRefused, SMTPResponseException

from domain.errors import PermanentProviderError, TransientProviderError, UncertainDeliveryError

PROVIDER = "The mail server"
ProviderError = TransientProviderError | PermanentProviderError | UncertainDeliveryError
TRANSIENT_CODES = range(400, 500)
PERMANENT_CODES = range(500, 600)


def provider_error(error: Exception, *, data_was_begun: bool) -> ProviderError:
    """Translate what the client raised.

    A code of the server is its word on the message, whenever it comes (RFC 5321, 4.2.1): 4xx is not now, 5xx
    never. Where the word is missing, only a server that had not been given the message certainly lacks it.
    """
    code, words = _answer(error)
    if code in TRANSIENT_CODES:
        return TransientProviderError(provider=PROVIDER, reason=f"{code} {words}", status=code)
    if code in PERMANENT_CODES:
        return PermanentProviderError(provider=PROVIDER, reason=f"{code} {words}", status=code)
    if data_was_begun:
        return UncertainDeliveryError(provider=PROVIDER, reason=f"its answer to the message is lost: {words}")
    return TransientProviderError(provider=PROVIDER, reason=f"no connection: {words}")


def _answer(error: Any) -> tuple[int, str]:
    """Return the server's code, 0 where it gave none, and its words."""
    if isinstance(error, SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if isinstance(error, SMTPResponseException):
        return error.code, error.message
    return 0, str(error) or type(error).__name__
