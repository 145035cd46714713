"""The wire form of POST /v3/mail/send, and everything that SendGrid would refuse in it."""

import re
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

MAX_BODY_BYTES = 30 * 1024 * 1024
MAX_RECIPIENTS = 1000
MAX_CUSTOM_ARGS_BYTES = 10_000
MAX_AHEAD_SECONDS = 72 * 3600
RESERVED_HEADERS = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding",
    "to", "from", "subject", "reply-to", "cc", "bcc",
}  # fmt: skip

Words = Annotated[str, Meta(min_length=1)]
Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$")]
Category = Annotated[str, Meta(max_length=255)]
_POINTER = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


class Address(msgspec.Struct):
    """A mailbox."""

    email: Email
    name: str = ""


class Personalization(msgspec.Struct):
    """One envelope: who gets it, with what of their own."""

    to: list[Address]
    cc: Annotated[list[Address], Meta(max_length=1000)] = []
    bcc: Annotated[list[Address], Meta(max_length=1000)] = []
    sender: Address | None = msgspec.field(default=None, name="from")
    subject: Words | None = None
    headers: dict[str, str] = {}
    substitutions: Annotated[dict[str, str], Meta(max_length=10_000)] = {}
    dynamic_template_data: dict[str, Any] = {}
    custom_args: Annotated[dict[str, Any], Meta(max_length=10_000)] = {}
    send_at: int | None = None


class Content(msgspec.Struct):
    """One form of the body."""

    type: Words
    value: Words


class Attachment(msgspec.Struct):
    """A file; its name and type are kept."""

    content: Words
    filename: str
    type: Words | None = None
    disposition: Literal["inline", "attachment"] = "attachment"
    content_id: str | None = None


class Asm(msgspec.Struct):
    """The suppression group of a message."""

    group_id: int
    groups_to_display: Annotated[list[int], Meta(max_length=25)] = []


class Toggle(msgspec.Struct, frozen=True):
    """A setting that is on or off."""

    enable: bool = False


class MailSettings(msgspec.Struct, frozen=True):
    """Only the sandbox changes what the simulator does."""

    sandbox_mode: Toggle = Toggle()
    bypass_list_management: Toggle = Toggle()


class Mail(msgspec.Struct):
    """The whole request. `custom_args` at the top is a map, though the published schema says string."""

    personalizations: Annotated[list[Personalization], Meta(max_length=1000)]
    sender: Address = msgspec.field(name="from")
    reply_to: Address | None = None
    reply_to_list: Annotated[list[Address], Meta(max_length=1000)] = []
    subject: Words | None = None
    content: list[Content] = []
    attachments: list[Attachment] = []
    template_id: str | None = None
    headers: dict[str, str] = {}
    categories: Annotated[list[Category], Meta(max_length=10)] = []
    custom_args: dict[str, Any] = {}
    send_at: int | None = None
    batch_id: str | None = None
    asm: Asm | None = None
    ip_pool_name: Annotated[str, Meta(min_length=2, max_length=64)] | None = None
    mail_settings: MailSettings = MailSettings()
    tracking_settings: dict[str, dict[str, bool | str]] = {}


class FieldError(msgspec.Struct):
    """One entry of SendGrid's list of errors."""

    message: str
    field: str | None = None


def read_mail(body: bytes) -> tuple[Mail | None, list[FieldError]]:
    """Return the request, or what is wrong with it."""
    try:
        mail = msgspec.json.decode(body, type=Mail)
    except msgspec.ValidationError as error:
        return None, [_shape_error(str(error))]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None, [FieldError("Bad Request")]
    errors = [*_envelope_errors(mail), *_content_errors(mail), *_limit_errors(mail)]
    return (None if errors else mail), errors


def _shape_error(words: str) -> FieldError:
    """Turn msgspec's message into SendGrid's: a path such as personalizations.0.to.0.email, and why."""
    found = _POINTER.search(words)
    path = re.sub(r"\[(\d+|\.\.\.)\]", r".\1", found["path"]) if found else ""
    missing = re.match(r"Object missing required field `(\w+)`", words)
    if missing:
        path = f"{path}.{missing[1]}".lstrip(".")
    reason = "Does not contain a valid address." if "matching regex" in words else _POINTER.sub("", words)
    return FieldError(reason, path or None)


def _envelope_errors(mail: Mail) -> Iterator[FieldError]:
    if not mail.personalizations:
        yield FieldError("The personalizations field is required and must have at least one entry.",
                         "personalizations")  # fmt: skip
    for number, each in enumerate(mail.personalizations):
        at = f"personalizations.{number}"
        addresses = [address.email.lower() for address in (*each.to, *each.cc, *each.bcc)]
        if not each.to:
            yield FieldError("The to array is required for all personalization objects.", f"{at}.to")
        if len(set(addresses)) != len(addresses):
            yield FieldError("Each email address in the personalization block should be unique.", at)
        if not (each.subject or mail.subject or mail.template_id):
            yield FieldError("The subject is required.", "subject")
    recipients = sum(len(each.to) + len(each.cc) + len(each.bcc) for each in mail.personalizations)
    if recipients > MAX_RECIPIENTS:
        yield FieldError("There are more than 1000 recipients.", "personalizations")


def _content_errors(mail: Mail) -> Iterator[FieldError]:
    types = [part.type for part in mail.content]
    if not types and not mail.template_id:
        yield FieldError(
            "Unless a valid template_id is provided, the content parameter is required.", "content"
        )
    if "text/plain" in types[1:]:
        yield FieldError("The text/plain content must come first, before text/html.", "content")
    for number, file in enumerate(mail.attachments):
        if set(file.type or "") & set(";\r\n"):
            reason = "The attachment type cannot contain ';', or CRLF characters."
            yield FieldError(reason, f"attachments.{number}.type")
    if any(
        "\n" in (subject or "") for subject in (mail.subject, *(p.subject for p in mail.personalizations))
    ):
        yield FieldError("The subject must be a single line.", "subject")


def _limit_errors(mail: Mail) -> Iterator[FieldError]:
    if len(set(mail.categories)) != len(mail.categories):
        yield FieldError("The categories must be unique.", "categories")
    for headers in (mail.headers, *(each.headers for each in mail.personalizations)):
        for name in RESERVED_HEADERS & {name.lower() for name in headers}:
            yield FieldError(f"The header {name} is reserved.", f"headers.{name}")
    for args in (mail.custom_args, *(each.custom_args for each in mail.personalizations)):
        if len(msgspec.json.encode(args)) > MAX_CUSTOM_ARGS_BYTES:
            yield FieldError("The custom_args must be less than 10000 bytes.", "custom_args")
    for send_at in (mail.send_at, *(each.send_at for each in mail.personalizations)):
        if send_at is not None and send_at > time.time() + MAX_AHEAD_SECONDS:
            yield FieldError("The send_at must be within 72 hours.", "send_at")
