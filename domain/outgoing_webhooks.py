"""What we tell other systems and how they answer: the port, the body, and the address of the answer."""

import base64
import binascii
import hashlib
import hmac
import re
import uuid
from dataclasses import dataclass, field
from typing import Protocol

from domain.errors import EverstayError, InvalidInputError
from domain.time import WallInstant

KEY_FORM = re.compile(r"[a-z][a-z0-9-]{0,60}")
URL_FORM = re.compile(r"(https?)://([^\s/?#@]+)(/[^\s#]*|\?[^\s#]*)?")
LONGEST_URL = 2000
SECRET_BYTES = range(24, 65)
"""What Standard Webhooks asks of a secret."""
MAC_BYTES = 18
PURPOSE = b"everstay/webhook-answers/1"


class AnswerTooLateError(EverstayError):
    """This was answered already, or nobody waits for the answer any more: {reason}."""

    status = 410


class UnknownAnswerError(EverstayError):
    """Nothing that waits for an answer has this address."""

    status = 404


class BadAnswerError(EverstayError):
    """The answer must be one JSON object of at most {most} bytes."""

    status = 422


@dataclass(frozen=True)
class WebhookCall:
    """One request. The same delivery id again is the same message."""

    endpoint: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    delivery_id: str = ""
    body: bytes = field(default=b"", repr=False)
    sent_at: WallInstant | None = None


class WebhookPoster(Protocol):
    """Posts one signed message to an endpoint.

    `post` returns the status of an answer with 2xx. It raises TransientProviderError where the receiver may
    take it later (its `retry_after` is in seconds), PermanentProviderError where it never will; both have the
    `status` of the answer, None where there was none.
    """

    async def post(self, call: WebhookCall) -> int:
        """Post, or raise one of the two."""
        ...


@dataclass(frozen=True)
class AnswerLinks:
    """Makes and reads the addresses of answers. `secret` is the installation's key."""

    public_url: str
    secret: str

    def link(self, run: uuid.UUID, step: str, occurrence: int) -> str:
        """Return where one visit of one step is answered."""
        return f"{self.public_url}/webhooks/callbacks/{self.token(run, step, occurrence)}"

    def token(self, run: uuid.UUID, step: str, occurrence: int) -> str:
        """Return what only we can make for this visit."""
        named = f"{run.hex}.{occurrence}.{step}"
        return f"{named}.{self._mac(named)}"

    def read(self, token: str) -> tuple[uuid.UUID, str, int] | None:
        """Return run, step and occurrence of a token, None for one that we did not make."""
        named, _, mac = token.rpartition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(named).encode()):
            return None
        run, occurrence, step = named.split(".", 2)
        return uuid.UUID(hex=run), step, int(occurrence)

    def _mac(self, named: str) -> str:
        key = hmac.new(self.secret.encode(), PURPOSE, hashlib.sha256).digest()
        made = hmac.new(key, named.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(made[:MAC_BYTES]).decode()


def check_endpoint(key: str, url: str, secret: str, *, allow_private: bool) -> None:
    """Raise InvalidInputError for a key, an address or a secret that cannot be used."""
    if KEY_FORM.fullmatch(key) is None:
        raise InvalidInputError(field="key", reason="small letters, digits and hyphens, such as crm-sync")
    found = URL_FORM.fullmatch(url) if len(url) <= LONGEST_URL else None
    if found is None:
        raise InvalidInputError(
            field="url", reason="an address such as https://crm.example/hooks, without user or fragment"
        )
    if found[1] != "https" and not allow_private:
        reason = "only https; EVERSTAY_WEBHOOK_PRIVATE_ADDRESSES allows http for development and tests"
        raise InvalidInputError(field="url", reason=reason)
    given = secret.split()
    if not given or any(_size(each) not in SECRET_BYTES for each in given):
        reason = "whsec_ and the base64 of 24 to 64 bytes; two, with a space between, while one replaces one"
        raise InvalidInputError(field="secret", reason=reason)


def _size(secret: str) -> int:
    try:
        return len(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
    except binascii.Error:
        return 0
