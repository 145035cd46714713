"""One family of errors. The docstring of each is its message, written once, as a sentence to the reader."""

from typing import ClassVar


class EverstayError(Exception):
    """Something went wrong in Everstay."""

    exit_code: ClassVar[int] = 1
    status: ClassVar[int] = 500

    def __init__(self, **details: object) -> None:
        """Keep the details and fill the docstring's `{placeholders}` with them."""
        self.details = details
        super().__init__((self.__doc__ or type(self).__name__).strip().format(**details))


class NotFoundError(EverstayError):
    """There is no {what} with the id {key}."""

    status = 404


class ConflictError(EverstayError):
    """{what} has changed or exists already: {reason}."""

    status = 409


class InvalidInputError(EverstayError):
    """{field}: {reason}."""

    exit_code = 2
    status = 422


class TransientProviderError(EverstayError):
    """{provider} could not take the request now ({reason}); it will be tried again."""

    status = 503


class PermanentProviderError(EverstayError):
    """{provider} refused the request for good: {reason}."""

    status = 502


class UncertainDeliveryError(EverstayError):
    """{provider} may or may not have accepted the request ({reason})."""

    status = 502


class LateAttemptError(EverstayError):
    """The lease on {key} would be over before the call ends: another attempt may be at it by then."""

    status = 503


class MessageTemplateError(EverstayError):
    """The message template {template} cannot be rendered: {reason} ({file})."""
