"""The one settings object: read once by an entry point and passed down, never imported as a global."""

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.errors import EverstayError

PREFIX = "EVERSTAY_"
TEST_PREFIX = "EVERSTAY_TEST_"  # variables of the test suite, never settings
SENDGRID_URL = "https://api.sendgrid.com"


class SettingsError(EverstayError):
    """{reason}."""

    exit_code = 2


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _setting(default: object, what: str, form: str) -> Any:
    """One setting: its default, what it is for, and the allowed form as a person would say it."""
    return Field(default, description=what, json_schema_extra={"form": form}, repr=False)


def _postgres_url(value: str) -> str:
    """Accept the usual spellings of a Postgres URL and return the one that SQLAlchemy needs."""
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"} or not rest:
        raise ValueError
    return f"postgresql+psycopg://{rest}"


def _matching(pattern: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return AfterValidator(check)


Port = Annotated[int, Field(ge=1, le=65535)]
Url = Annotated[str, _matching(r"https?://[^\s/]+[^\s]*"), AfterValidator(lambda url: url.rstrip("/"))]
SmtpUrl = Annotated[str, _matching(r"smtp(s|\+starttls)?://[A-Za-z0-9.\-\[\]:]+")]
Address = Annotated[str, _matching(r"[A-Za-z0-9.\-\[\]:]+:\d{1,5}")]
EmailAddress = Annotated[str, _matching(r"[^@\s]+@[^@\s]+\.[^@\s]+")]
Name = Annotated[str, _matching(r"\S(.*\S)?")]
HomePath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]

PORT_FORM = "a whole number from 1 to 65535"
FLAG_FORM = "true or false"
URL_FORM = "a URL that starts with http:// or https://"
FILE_FORM = "the path of an existing PEM file"


class Settings(BaseSettings):
    """Everything that an installation may choose. `repr` shows no value: no secret reaches a log."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    home: HomePath = _setting(Path(".everstay"), "Folder with all state of the embedded stack.", "a path")
    profile: Literal["embedded", "production"] = _setting(
        "embedded",
        "embedded: Postgres and Temporal are started here. production: both are given by address.",
        "embedded or production",
    )

    database_url: Annotated[str, AfterValidator(_postgres_url)] | None = _setting(
        None, "Postgres to use; none means the embedded one.", "postgresql://user:password@host:port/database"
    )
    database_pool_size: Annotated[int, Field(ge=1, le=200)] = _setting(
        10, "Database connections that one process may hold open.", "a whole number from 1 to 200"
    )
    postgres_port: Port = _setting(5433, "Port of the embedded Postgres on 127.0.0.1.", PORT_FORM)

    temporal_address: Address | None = _setting(
        None, "Temporal to use; none means the embedded development server.", "host:port"
    )
    temporal_namespace: Annotated[str, _matching(r"[A-Za-z0-9._\-]+")] = _setting(
        "everstay", "Temporal namespace of this installation.", "letters, digits, dots and hyphens"
    )
    temporal_tls: bool = _setting(False, "Speak TLS to Temporal.", FLAG_FORM)
    temporal_tls_ca: FilePath | None = _setting(None, "Own certificate authority of Temporal.", FILE_FORM)
    temporal_tls_cert: FilePath | None = _setting(None, "Client certificate for mTLS.", FILE_FORM)
    temporal_tls_key: FilePath | None = _setting(None, "Private key of that certificate.", FILE_FORM)
    temporal_api_key: SecretStr | None = _setting(None, "API key of Temporal Cloud.", "the key as text")
    worker_deployment: Annotated[str, _matching(r"[A-Za-z0-9_\-]+")] | None = _setting(
        None,
        "Worker deployment of Temporal, where old workers are kept beside new ones; none means unversioned.",
        "letters, digits, underscores and hyphens",
    )
    worker_build: Annotated[str, _matching(r"[A-Za-z0-9._\-]+")] | None = _setting(
        None, "Which build of it this worker is.", "letters, digits, dots and hyphens"
    )
    temporal_port: Port = _setting(7233, "Port of the embedded Temporal server.", PORT_FORM)
    temporal_ui_port: Port = _setting(8233, "Port of the embedded Temporal web UI.", PORT_FORM)

    api_host: Annotated[str, _matching(r"[A-Za-z0-9.\-:]+")] = _setting(
        "127.0.0.1", "Address on which the pages and the API listen.", "an IP address or host name"
    )
    api_port: Port = _setting(8000, "Port of the pages and the API.", PORT_FORM)
    public_url: Url | None = _setting(
        None,
        "URL under which people reach the pages; none means the listening address.",
        URL_FORM,
    )
    trusted_proxies: Annotated[str, _matching(r"[0-9a-fA-F.:/]+(,\s*[0-9a-fA-F.:/]+)*")] | None = _setting(
        None,
        "Proxies whose X-Forwarded headers are believed; none means that no such header is.",
        "IP addresses or networks, separated by commas",
    )
    secret_key: Annotated[SecretStr, Field(min_length=32)] | None = _setting(
        None,
        "Key that signs sessions and links. The embedded stack makes its own; production needs one.",
        "at least 32 characters, for example from: openssl rand -hex 32",
    )

    upload_folder: HomePath | None = _setting(
        None,
        "Folder of uploaded files until they are imported; API and the workers of the queue bulk both "
        "need it. None means uploads in the home folder.",
        "a path",
    )
    upload_megabytes: Annotated[int, Field(ge=1, le=1024)] = _setting(
        200, "Largest file that may be uploaded, in megabytes.", "a whole number from 1 to 1024"
    )

    simulators_port: Port = _setting(8025, "Port of the local simulators with the mailbox page.", PORT_FORM)
    sendgrid_api_key: SecretStr | None = _setting(
        None,
        "SendGrid key; without one, mail goes to the local simulator only.",
        "the key as text",
    )
    sendgrid_host: Url | None = _setting(
        None, "Other SendGrid address, such as https://api.eu.sendgrid.com.", URL_FORM
    )
    sendgrid_webhook_public_key: str | None = _setting(
        None,
        "Public key with which SendGrid signs its event webhook.",
        "the base64 text that SendGrid shows",
    )
    sendgrid_lookup: bool = _setting(
        False,
        "The SendGrid account has the e-mail activity look-up.",
        FLAG_FORM,
    )
    smtp_url: SmtpUrl | None = _setting(
        None,
        "Mail server to send through instead of SendGrid; smtp+starttls demands TLS, smtps begins with it.",
        "smtp+starttls://host:587, smtps://host:465 or smtp://host:25",
    )
    smtp_user: Name | None = _setting(None, "User name at the mail server.", "a line of text")
    smtp_password: SecretStr | None = _setting(None, "Password at the mail server.", "the password as text")
    smtp_ca: FilePath | None = _setting(
        None, "Own certificate authority of the mail server.", "the path of an existing PEM file"
    )
    sender_email: EmailAddress = _setting("success@example.com", "Sender of e-mails.", "an e-mail address")
    sender_name: Name = _setting("Customer Success", "Name shown as the sender of e-mails.", "a line of text")
    email_timeout_seconds: Annotated[float, Field(gt=0, le=10)] = _setting(
        8.0, "Longest wait for one call to the e-mail provider.", "a number of seconds above 0, up to 10"
    )

    webhook_private_addresses: bool = _setting(
        False,
        "Outgoing webhooks may go over http and to private addresses: for development and tests only.",
        FLAG_FORM,
    )
    webhook_patience_days: Annotated[float, Field(ge=0.1, le=30)] = _setting(
        5.0,
        "Days without a single success after which an endpoint of events is disabled.",
        "a number of days from 0.1 to 30",
    )
    webhook_retention_days: Annotated[int, Field(ge=1, le=3650)] = _setting(
        30, "Days that events for endpoints are kept, sent or not.", "a whole number from 1 to 3650"
    )

    rescore_gap_seconds: Annotated[float, Field(ge=0, le=86_400)] = _setting(
        1.0,
        "Least time between two scorings on demand of a customer of whom only usage is told.",
        "a number of seconds from 0 to 86400",
    )

    tracking_messages_per_second: Annotated[float, Field(gt=0)] = _setting(
        100_000.0,
        "Messages that one write key may send per second, on average, to one API process.",
        "a number above 0",
    )
    tracking_retention_days: Annotated[int, Field(ge=7, le=36_500)] = _setting(
        400,
        "Days that tracked messages are kept as they came.",
        "a whole number from 7 to 36500",
    )
    usage_retention_days: Annotated[int, Field(ge=100)] | None = _setting(
        None,
        "Days that single uses are kept; none keeps all. Daily sums stay.",
        "a whole number of at least 100",
    )

    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "Least important messages that are logged.", "debug, info, warning or error"
    )
    log_format: Literal["console", "json"] = _setting(
        "console", "console for people, json for log collectors.", "console or json"
    )

    SECRET_FILE: ClassVar[str] = "secret_key"  # noqa: S105 - the name of a file

    @model_validator(mode="after")
    def _production_names_its_services(self) -> Self:
        needed = ("database_url", "temporal_address", "secret_key") if self.profile == "production" else ()
        missing = [_variable(name) for name in needed if getattr(self, name) is None]
        if missing:
            message = f"{', '.join(missing)}: needed when {PREFIX}PROFILE is production"
            raise ValueError(message)
        if (self.temporal_tls_cert is None) != (self.temporal_tls_key is None):
            message = f"{PREFIX}TEMPORAL_TLS_CERT and {PREFIX}TEMPORAL_TLS_KEY: give both or neither"
            raise ValueError(message)
        if (self.worker_deployment is None) != (self.worker_build is None):
            message = f"{PREFIX}WORKER_DEPLOYMENT and {PREFIX}WORKER_BUILD: give both or neither"
            raise ValueError(message)
        if self.smtp_url is not None and self.sendgrid_api_key is not None:
            message = f"{PREFIX}SMTP_URL and {PREFIX}SENDGRID_API_KEY: give one of them; mail leaves one way"
            raise ValueError(message)
        if (self.smtp_user is None) != (self.smtp_password is None):
            message = f"{PREFIX}SMTP_USER and {PREFIX}SMTP_PASSWORD: give both or neither"
            raise ValueError(message)
        return self

    @property
    def base_url(self) -> str:
        """URL of the pages as people type it, without a slash at the end."""
        return self.public_url or self.local_url

    @property
    def local_url(self) -> str:
        """URL under which this machine itself reaches the API."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.api_host, self.api_host)  # noqa: S104 - a key
        return f"http://[{host}]:{self.api_port}" if ":" in host else f"http://{host}:{self.api_port}"

    @property
    def simulators_url(self) -> str:
        """URL of the local simulators; the mailbox page is on it."""
        return f"http://127.0.0.1:{self.simulators_port}"

    @property
    def sendgrid_url(self) -> str:
        """Where e-mail goes: the given host, SendGrid itself if there is a key, else the simulator."""
        return self.sendgrid_host or (SENDGRID_URL if self.sendgrid_api_key else self.simulators_url)

    @property
    def mails_to_simulator(self) -> bool:
        """Whether mail stays on this machine, in the simulator's mailbox."""
        return self.smtp_url is None and self.sendgrid_url == self.simulators_url

    @property
    def uploads(self) -> Path:
        """Where uploaded files lie until they are imported."""
        return self.upload_folder or self.home / "uploads"

    @property
    def signing_key(self) -> str:
        """The secret key as text, from the settings or from the embedded home; refuses without one."""
        kept = self.home / self.SECRET_FILE
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        if kept.is_file():
            return kept.read_text(encoding="utf-8").strip()
        message = f"{PREFIX}SECRET_KEY: not set, and there is no {kept}; start the stack once, or set it"
        raise SettingsError(reason=message)


def load_settings(env_file: Path | None = Path(".env"), **overrides: object) -> Settings:
    """Read the environment and `.env`; refuse bad values with their names and the allowed forms."""
    _refuse_unknown_names(env_file)
    try:
        return Settings(_env_file=env_file, **overrides)  # type: ignore[arg-type] # overrides are validated by pydantic
    except ValidationError as error:
        raise SettingsError(reason=_explain(error)) from None  # the cause would print the values


def _refuse_unknown_names(env_file: Path | None) -> None:
    in_file = dotenv_values(env_file) if env_file and env_file.is_file() else {}
    known = {_variable(name) for name in Settings.model_fields}
    given = {name.upper() for name in (*os.environ, *in_file)}
    ours = {name for name in given if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)}
    unknown = sorted(ours - known)
    if unknown:
        raise SettingsError(reason="\n".join(_unknown(name, known) for name in unknown))


def _unknown(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"{name}: no such setting; " + (f"did you mean {close[0]}?" if close else "see .env.example")


def _explain(error: ValidationError) -> str:
    found = ((str(detail["loc"][0]) if detail["loc"] else "", detail["msg"]) for detail in error.errors())
    return "\n".join(_explain_one(name, message) for name, message in found)


def _explain_one(name: str, message: str) -> str:
    if name not in Settings.model_fields:
        return message.removeprefix("Value error, ")
    extra = Settings.model_fields[name].json_schema_extra
    form = extra["form"] if isinstance(extra, dict) else message
    return f"{_variable(name)}: must be {form}"
