"""Which way mail leaves: a mail server where one is named, SendGrid with a key, else the local simulator."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from domain.ports import EmailSender
from domain.time import wall
from integrations.sendgrid_sender import SendGridEmailSender, SendGridOptions
from integrations.simulators.account import SIMULATOR_API_KEY
from integrations.smtp_sender import SmtpEmailSender, smtp_options

SIMULATOR_LAG = 2.0
"""Seconds: on a busy machine the simulator may take a message that much later than it was handed over."""


class MailSettings(Protocol):
    """The settings that mail needs, as the entry points read them."""

    @property
    def smtp_url(self) -> str | None:
        """Address of a mail server."""
        ...

    @property
    def smtp_user(self) -> str | None:
        """User name there."""
        ...

    @property
    def smtp_password(self) -> SecretStr | None:
        """Password there."""
        ...

    @property
    def smtp_ca(self) -> Path | None:
        """Own authority that vouches for it."""
        ...

    @property
    def sendgrid_api_key(self) -> SecretStr | None:
        """Key of an account."""
        ...

    @property
    def sendgrid_url(self) -> str:
        """Where the account, or the simulator, is."""
        ...

    @property
    def sendgrid_lookup(self) -> bool:
        """Whether the account can be asked about a message."""
        ...

    @property
    def email_timeout_seconds(self) -> float:
        """Longest wait for one call."""
        ...


def email_sender(settings: MailSettings) -> EmailSender:
    """Return the adapter that the settings ask for; the simulator is reached by SendGrid's own code."""
    if settings.smtp_url is not None:
        return _smtp(settings, settings.smtp_url)
    timeout = settings.email_timeout_seconds / 2  # a call may wait twice: to connect, and for the answer
    if settings.sendgrid_api_key is None:
        url = settings.sendgrid_url
        return SendGridEmailSender(
            SendGridOptions(SIMULATOR_API_KEY, url, timeout, has_look_up=True, settle_seconds=SIMULATOR_LAG)
        )
    key = settings.sendgrid_api_key.get_secret_value()
    return SendGridEmailSender(SendGridOptions(key, settings.sendgrid_url, timeout, settings.sendgrid_lookup))


def _smtp(settings: MailSettings, url: str) -> EmailSender:
    secret = settings.smtp_password
    password = secret.get_secret_value() if secret is not None else None
    timeout = settings.email_timeout_seconds
    options = smtp_options(url, settings.smtp_user, password, timeout, settings.smtp_ca)
    return SmtpEmailSender(options, lambda: wall(datetime.now(UTC)))
