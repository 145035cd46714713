"""Which warnings one of ours wants by e-mail: at once, in the morning's digest, or never."""

from dataclasses import dataclass
from enum import StrEnum

from domain.vocabulary import Severity


class MailChoice(StrEnum):
    """When a warning of one severity is mailed."""

    AT_ONCE = "at_once"
    DIGEST = "digest"
    NEVER = "never"


@dataclass(frozen=True)
class NotificationChoices:
    """One person's choices; the defaults are what holds until somebody chooses."""

    critical: MailChoice = MailChoice.AT_ONCE
    high: MailChoice = MailChoice.AT_ONCE
    medium: MailChoice = MailChoice.DIGEST
    info: MailChoice = MailChoice.DIGEST

    def of(self, severity: Severity) -> MailChoice:
        """Return when a warning of this severity is mailed."""
        return MailChoice(getattr(self, severity.value))


DEFAULTS = NotificationChoices()
