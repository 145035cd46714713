"""What the message log shows: what left or was meant to, and what was put off or refused."""

from enum import StrEnum


class MessageView(StrEnum):
    """Which part of the log is looked at."""

    SENT = "sent"
    """Every message that was claimed, whatever became of it."""
    LATE = "late"
    """Messages that wait now, each until when and why."""
    NOT_SENT = "not_sent"
    """Messages that were put off or refused, by decision."""


MESSAGE_ACTION = "send_email"
"""The action under which the decision ledger keeps what was decided about a message."""
