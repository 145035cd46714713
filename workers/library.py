"""Where the shipped playbooks and their message templates are."""

from pathlib import Path

LIBRARY = Path(__file__).resolve().parent.parent / "playbooks"
