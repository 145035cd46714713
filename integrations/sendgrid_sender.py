"""E-mail through SendGrid's official client, which blocks: hence an own, bounded pool of threads."""

import asyncio
import base64
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from msgspec import json
from sendgrid import SendGridAPIClient

from domain.errors import PermanentProviderError, TransientProviderError, UncertainDeliveryError
from domain.ports import DeliveryReceipt, EmailAddress, EmailMessage, LastCheck, always
from integrations.sendgrid_errors import PROVIDER, provider_error

MAX_CATEGORIES = 10
INVITATION_TYPE = "text/calendar; method=REQUEST"
"""As an alternative of the text, mail programs show it with buttons to answer (RFC 6047, 2.4)."""


@dataclass(frozen=True)
class SendGridOptions:
    """How to reach an account. `timeout_seconds` bounds each wait for the network and the call as a whole.

    `settle_seconds` is how long the account's e-mail activity lags behind; `has_look_up` whether it has it.
    """

    api_key: str = field(repr=False)
    host: str = "https://api.sendgrid.com"
    timeout_seconds: float = 8.0
    has_look_up: bool = False
    settle_seconds: float = 300.0
    threads: int = 16


class SendGridEmailSender:
    """The EmailSender port over SendGrid v3, or over anything that speaks its protocol."""

    name = "sendgrid"

    def __init__(self, options: SendGridOptions) -> None:
        if not options.api_key:
            raise PermanentProviderError(provider=PROVIDER, reason="there is no API key")
        self._options = options
        self.has_look_up = options.has_look_up
        self.settle_seconds = options.settle_seconds
        self.call_seconds = options.timeout_seconds * 2  # it waits twice: to connect, and for the answer
        self._pool = ThreadPoolExecutor(options.threads, thread_name_prefix="sendgrid")
        self._free = asyncio.Semaphore(options.threads)
        # At DEBUG the client logs the key and the whole message.
        logging.getLogger("python_http_client").setLevel(logging.INFO)

    async def send(self, message: EmailMessage, last_check: LastCheck = always) -> DeliveryReceipt:
        """Hand over the message once; the client itself never retries."""
        body = mail_body(message)
        response = await self._call(lambda client: client.mail.send.post(request_body=body), last_check)
        if response.status_code != HTTPStatus.ACCEPTED:
            raise UncertainDeliveryError(provider=PROVIDER, reason=f"it answered {response.status_code}")
        return DeliveryReceipt(self.name, response.headers.get("X-Message-Id") or "")

    async def look_up(self, delivery_id: str) -> DeliveryReceipt | None:
        """Ask the e-mail activity (an add-on of SendGrid, 6 requests a minute) for our delivery id.

        Raises TransientProviderError when it may be asked again, UncertainDeliveryError when it cannot tell.
        """
        if not self.has_look_up:
            raise UncertainDeliveryError(
                provider=PROVIDER, reason="the account has no e-mail activity look-up"
            )
        query = {"query": f"(unique_args['delivery_id']=\"{delivery_id}\")", "limit": 1}
        try:
            response = await self._call(lambda client: client.messages.get(query_params=query))
            found = json.decode(response.body)["messages"]
        except PermanentProviderError as error:
            raise UncertainDeliveryError(provider=PROVIDER, reason=error.details["reason"]) from error
        except UncertainDeliveryError as error:  # reading is harmless to repeat
            raise TransientProviderError(provider=PROVIDER, reason=error.details["reason"]) from error
        return DeliveryReceipt(self.name, found[0]["msg_id"].split(".")[0]) if found else None

    def close(self) -> None:
        """Give the threads back; calls under way end within their timeout."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _call(self, request: Callable[[Any], Any], last_check: LastCheck = always) -> Any:
        """Run one blocking request in the pool; the wait for a free thread can be cancelled without harm."""
        await self._free.acquire()
        future = asyncio.get_running_loop().run_in_executor(self._pool, self._blocking, request, last_check)
        future.add_done_callback(self._release)
        try:
            # The client's timeout is per read: a provider that trickles would hold us for ever.
            return await asyncio.wait_for(asyncio.shield(future), self.call_seconds)
        except TimeoutError as error:
            raise provider_error(error) from error

    def _release(self, future: asyncio.Future[Any]) -> None:
        self._free.release()
        if not future.cancelled():
            future.exception()  # looked at, so that an abandoned call leaves no warning

    def _blocking(self, request: Callable[[Any], Any], last_check: LastCheck) -> Any:
        """Use a client of its own for each call: it keeps headers in shared state."""
        last_check()
        client = SendGridAPIClient(self._options.api_key, host=self._options.host).client
        client.timeout = self._options.timeout_seconds
        try:
            return request(client)
        except Exception as error:  # the client raises what urllib, http.client and ssl raise
            raise provider_error(error) from error


def mail_body(message: EmailMessage) -> dict[str, object]:
    """Build the request of POST /v3/mail/send: text before HTML, our delivery id as the only argument.

    SendGrid keeps arguments and categories for ever, so nothing personal may stand in them.
    """
    body: dict[str, object] = {
        "personalizations": [
            {"to": [_address(message.to)], "custom_args": {"delivery_id": message.delivery_id}}
        ],
        "from": _address(message.sender),
        "subject": message.subject,
        "content": _content(message),
        # Links for opting out are our own; SendGrid's would know nothing of our topics.
        "tracking_settings": {"subscription_tracking": {"enable": False}},
    }
    if message.reply_to is not None:
        body["reply_to"] = _address(message.reply_to)
    if message.categories:
        body["categories"] = list(dict.fromkeys(message.categories))[:MAX_CATEGORIES]
    if message.headers:
        body["headers"] = dict(message.headers)
    if message.invitation:
        body["attachments"] = [_invitation_file(message.invitation)]
    return body


def _address(address: EmailAddress) -> dict[str, str]:
    return {"email": address.email, "name": address.name} if address.name else {"email": address.email}


def _content(message: EmailMessage) -> list[dict[str, str]]:
    parts = [{"type": "text/plain", "value": message.text}]
    if message.html:
        parts.append({"type": "text/html", "value": message.html})
    if message.invitation:
        parts.append({"type": INVITATION_TYPE, "value": message.invitation})
    return parts


def _invitation_file(invitation: str) -> dict[str, str]:
    """Attach it too, for programs that show a file only. A file's type may hold no parameter at SendGrid."""
    content = base64.b64encode(invitation.encode()).decode()
    return {
        "content": content,
        "type": "application/ics",
        "filename": "invite.ics",
        "disposition": "attachment",
    }
