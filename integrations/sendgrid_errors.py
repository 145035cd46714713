"""What a failed call to SendGrid means: certainly not sent, refused for good, or unknown."""

import json
import socket
import time
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError as UrllibHTTPError
from urllib.error import URLError

from python_http_client.exceptions import HTTPError

from domain.errors import PermanentProviderError, TransientProviderError, UncertainDeliveryError

PROVIDER = "SendGrid"
ProviderError = TransientProviderError | PermanentProviderError | UncertainDeliveryError

_NOT_TAKEN = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}
"""Documented as SendGrid's own "not accepted"; other 5xx come from gateways that lost the answer."""
_LOST_AFTER_WRITING = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


def provider_error(error: Exception) -> ProviderError:
    """Translate whatever the client raised; what is not known to be harmless counts as uncertain."""
    if isinstance(error, HTTPError | UrllibHTTPError):
        return _from_status(error)
    if isinstance(error, URLError):
        return _from_connecting(error)
    if isinstance(error, TimeoutError):
        return UncertainDeliveryError(provider=PROVIDER, reason="no answer in time")
    if isinstance(error, OSError | HTTPException):
        return UncertainDeliveryError(provider=PROVIDER, reason=f"the connection broke: {_words(error)}")
    return UncertainDeliveryError(provider=PROVIDER, reason=f"an answer nobody understood: {_words(error)}")


def _from_connecting(error: URLError) -> ProviderError:
    """Judge an error before the answer: urllib wraps only what happens until the last byte is written."""
    cause = error.reason
    if isinstance(cause, _LOST_AFTER_WRITING):
        return UncertainDeliveryError(provider=PROVIDER, reason=f"the connection broke: {_words(cause)}")
    if isinstance(cause, socket.gaierror):
        return TransientProviderError(provider=PROVIDER, reason=f"its name does not resolve: {_words(cause)}")
    return TransientProviderError(provider=PROVIDER, reason=f"no connection: {_words(cause)}")


def _from_status(error: Any) -> ProviderError:
    status, reason = _status_of(error), _reason_of(error)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TransientProviderError(
            provider=PROVIDER, reason=f"429 {reason}", status=status, retry_after=_retry_after(error.headers)
        )
    if status in _NOT_TAKEN:
        return TransientProviderError(provider=PROVIDER, reason=f"{status} {reason}", status=status)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return PermanentProviderError(provider=PROVIDER, reason=f"{status} {reason}", status=status)
    return UncertainDeliveryError(provider=PROVIDER, reason=f"{status} {reason}", status=status)


def _status_of(error: Any) -> int:
    return int(error.code if isinstance(error, UrllibHTTPError) else error.status_code)


def _reason_of(error: Any) -> str:
    """Return the provider's own words with the field that they are about, where it gave any."""
    fallback = str(error.reason)
    try:
        errors = json.loads(error.body)["errors"]
        return "; ".join(_one_reason(each) for each in errors).rstrip(".") or fallback
    except (AttributeError, KeyError, TypeError, ValueError):
        return fallback


def _one_reason(entry: dict[str, object]) -> str:
    message = str(entry["message"])
    return f"{entry['field']}: {message}" if entry.get("field") else message


def _retry_after(headers: Any) -> float | None:
    """Return the seconds to wait: Retry-After if given, else until X-RateLimit-Reset (Unix seconds)."""
    given = {str(name).lower(): value for name, value in dict(headers or {}).items()}
    for name, offset in (("retry-after", 0.0), ("x-ratelimit-reset", time.time())):
        try:
            return max(0.0, float(given[name]) - offset)
        except (KeyError, ValueError):
            continue
    return None


def _words(error: object) -> str:
    return str(error) or type(error).__name__
