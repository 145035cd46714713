"""Where the shipped playbooks and their message templates are, and the mail to our own people."""

from pathlib import Path

LIBRARY = Path(__file__).resolve().parent.parent / "playbooks"
INTERNAL = LIBRARY / "internal"
